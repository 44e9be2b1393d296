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
    vgg::{self, VggConfig},
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
    use crate::{Step, build, find, parameters};
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

    /// By hand from the channels, but MobileNetV2's, which is torchvision's.
    #[test]
    fn a_width_multiplies_the_channels() {
        for (name, width, expected) in [
            ("vgg11-bn-cifar", 0.25, 579_786),
            ("resnet20", 0.5, 68_050),
            ("resnext29", 0.25, 359_514),
            ("densenet-bc-40-12", 0.5, 45_802),
            ("mobilenet_v2", 0.5, 1_968_680),
        ] {
            let row = find(name).expect("exists");
            let options = Options {
                width: Some(width),
                ..Options::default()
            };
            let network = build(name, &row.form.task(), &options, &Device::flex());
            let network = network.expect("builds");
            assert_eq!(parameters(&network), expected, "{name} times {width}");
        }
    }

    #[test]
    fn the_groups_of_a_resnext_keep_their_channels() {
        let options = Options {
            width: Some(0.25),
            ..Options::default()
        };
        let task = Cifar.task();
        let network = build("resnext29", &task, &options, &Device::flex()).expect("builds");
        let steps = network.steps(task.input).expect("takes its own form");
        let grouped = steps.iter().filter(|step| step.groups > 1);
        let found: Vec<_> = grouped
            .map(|step| [step.groups, step.output[0] / step.groups])
            .collect();
        let stage = |channels| [[8, channels]; 3];
        assert_eq!(found, [stage(4), stage(8), stage(16)].concat());
    }
}
