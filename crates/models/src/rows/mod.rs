//! The table of networks, sorted by the year of the paper; those of lectures
//! come last.

mod from_2016;
mod of_2014;
mod of_2015;
mod of_lectures;
mod until_2012;

use crate::{
    AllCnn, EncoderDecoder, LeNet, LeNet5, LocallyConnectedNetwork, Mlp, Network, Options, ResNet9,
    Sharing, SignalNetwork,
    alexnet::AlexNetConfig,
    classifier,
    cnn::{self, CnnConfig},
    densenet::{self, DenseNetConfig},
    layers::{Edges, Nonlinearity, Pooling},
    mobilenet_v2::{self, MobileNetV2Config},
    preact_resnet::PreActResNetConfig,
    resnet::{self, ResNetConfig},
    squeezenet::SqueezeNetConfig,
    table::{
        Form::{Cifar, ImageNet, Mnist},
        Row,
    },
    vgg::VggConfig,
};

/// Every network of the zoo.
pub const MODELS: &[Row] = &TABLE;

const PARTS: [&[Row]; 5] = [
    until_2012::ROWS,
    of_2014::ROWS,
    of_2015::ROWS,
    from_2016::ROWS,
    of_lectures::ROWS,
];

static TABLE: [Row; count()] = joined();

const fn count() -> usize {
    let (mut rows, mut part) = (0, 0);
    while part < PARTS.len() {
        rows += PARTS[part].len();
        part += 1;
    }
    rows
}

/// The rows of all parts, one after the other.
const fn joined() -> [Row; count()] {
    let mut table = [PARTS[0][0]; count()];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            table[at] = PARTS[part][row];
            (at, row) = (at + 1, row + 1);
        }
        part += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Step, build, parameters};
    use burn::tensor::Device;

    #[test]
    fn parameters_and_macs_are_the_published_ones() {
        let mut wrong = Vec::new();
        for row in MODELS {
            let task = row.form.task();
            let network = build(row.name, &task, &Options::default(), &Device::flex())
                .expect("builds for its own form");
            let steps = network.steps(task.input).expect("takes its own form");
            let total = |of: fn(&Step) -> u64| steps.iter().map(of).sum::<u64>();
            let counted = (
                parameters(&network),
                total(|step| step.parameters as u64) as usize,
                total(|step| step.macs),
            );
            if counted != (row.parameters, row.parameters, row.macs) {
                wrong.push(format!("{}: {counted:?}", row.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
