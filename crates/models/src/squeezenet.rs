//! SqueezeNet 1.1: fire modules, and no fully connected layer.
//!
//! F. N. Iandola, S. Han, M. W. Moskewicz, K. Ashraf, W. J. Dally, K. Keutzer,
//! "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB
//! model size", 2016, <https://arxiv.org/abs/1602.07360>; version 1.1 is the
//! authors' own, <https://github.com/forresti/SqueezeNet>.
//!
//! | layer | output for 3x224x224 | parameters |
//! |---|---|---|
//! | features.0 3x3, stride 2, ReLU | 64x111x111 | 1,792 |
//! | max pool 3x3, stride 2 | 64x55x55 | 0 |
//! | features.3, features.4: fire | 128x55x55 | 23,840 |
//! | max pool 3x3, stride 2 | 128x27x27 | 0 |
//! | features.6, features.7: fire | 256x27x27 | 94,784 |
//! | max pool 3x3, stride 2 | 256x13x13 | 0 |
//! | features.9 to features.12: fire | 512x13x13 | 602,080 |
//! | dropout, classifier.1 1x1, ReLU | 1000x13x13 | 513,000 |
//! | global average pool | 1000 | 0 |
//!
//! A fire module squeezes its channels with a 1x1 convolution, expands them
//! with a 1x1 and a 3x3 one side by side, each with a ReLU, and joins the two.
//! The pools round up.
//!
//! Differs from the paper: version 1.1 has a 3x3 stem with 64 channels, not 7x7
//! with 96, and pools earlier, for less than half the arithmetic. The first
//! weights are torchvision's.

use crate::{
    Network, Options, Task,
    initialisation::normal,
    layers::{
        Activation, AdaptivePool, Conv, Conv2d, Dropout, Nonlinearity, Pool, Sequential, concat,
        flatten, relu,
    },
    trace,
};
use burn::{
    module::Module,
    nn::Initializer,
    tensor::{Device, Tensor},
};
use std::f64::consts::SQRT_2;

/// He's uniform distribution by the number of inputs.
const HE_UNIFORM: Initializer = Initializer::KaimingUniform {
    gain: SQRT_2,
    fan_out_only: false,
};

/// Fire modules that a pool comes before, beside the one after the stem.
const POOLED: [usize; 2] = [2, 4];

/// A SqueezeNet to be built.
#[derive(Clone, Debug)]
pub struct SqueezeNetConfig {
    /// Channels of the first convolution.
    pub stem: usize,
    /// Channels of each fire module: squeezed, and of either expansion.
    pub fires: [[usize; 2]; 8],
}

impl SqueezeNetConfig {
    /// Version 1.1.
    pub fn new() -> Self {
        Self {
            stem: 64,
            fires: [
                [16, 64],
                [16, 64],
                [32, 128],
                [32, 128],
                [48, 192],
                [48, 192],
                [64, 256],
                [64, 256],
            ],
        }
    }

    /// All channels divided by `divisor`.
    pub fn narrower(self, divisor: usize) -> Self {
        Self {
            stem: self.stem / divisor,
            fires: self.fires.map(|fire| fire.map(|count| count / divisor)),
        }
    }

    /// The network, as one of the zoo.
    pub(crate) fn network(&self, task: &Task, options: &Options, device: &Device) -> Network {
        Network::SqueezeNet(self.init(task, options, device))
    }

    /// The network, with [`Options::dropout`].
    pub fn init(&self, task: &Task, options: &Options, device: &Device) -> SqueezeNet {
        let pool = || Feature::Pool(Pool::max(3).stride(2).ceil());
        let stem = Conv::new(task.input.channels, self.stem, 3).stride(2);
        let mut features = vec![
            Feature::Conv(stem.weights(HE_UNIFORM).init(device)),
            Feature::Activation(Nonlinearity::Relu.layer(device)),
            pool(),
        ];
        let mut inputs = self.stem;
        for (at, [squeezed, expanded]) in self.fires.into_iter().enumerate() {
            if POOLED.contains(&at) {
                features.push(pool());
            }
            features.push(Feature::Fire(Fire::new(
                inputs,
                [squeezed, expanded],
                device,
            )));
            inputs = 2 * expanded;
        }
        let last = Conv::new(inputs, task.classes, 1).weights(normal(0.01));
        SqueezeNet {
            features,
            classifier: Sequential::new(vec![
                Dropout::new(options.dropout.unwrap_or(0.5)).into(),
                last.init(device).into(),
                Nonlinearity::Relu.layer(device).into(),
                AdaptivePool::average([1, 1]).into(),
            ]),
        }
    }
}

impl Default for SqueezeNetConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// See the [module](self).
#[derive(Module, Debug)]
pub struct SqueezeNet {
    features: Vec<Feature>,
    classifier: Sequential,
}

impl SqueezeNet {
    /// Class scores before the softmax; none is below zero.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.features.iter();
        let x = features.fold(images, |x, layer| layer.forward(x)); // [batch, 512, 13, 13]
        flatten(self.classifier.forward(x)) // [batch, classes]
    }
}

#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a module of Burn cannot be boxed, and most are fire modules"
)]
enum Feature {
    Conv(Conv2d),
    Activation(Activation),
    Pool(Pool),
    Fire(Fire),
}

impl Feature {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(layer) => layer.forward(x),
            Self::Activation(layer) => layer.forward(x),
            Self::Pool(layer) => layer.forward(x),
            Self::Fire(module) => module.forward(x),
        }
    }
}

#[derive(Module, Debug)]
struct Fire {
    squeeze: Conv2d,
    expand1x1: Conv2d,
    expand3x3: Conv2d,
}

impl Fire {
    fn new(inputs: usize, [squeezed, expanded]: [usize; 2], device: &Device) -> Self {
        let conv = |inputs, outputs, kernel| {
            let conv = Conv::new(inputs, outputs, kernel).same();
            conv.weights(HE_UNIFORM).init(device)
        };
        Self {
            squeeze: conv(inputs, squeezed, 1),
            expand1x1: conv(squeezed, expanded, 1),
            expand3x3: conv(squeezed, expanded, 3),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = relu(self.squeeze.forward(x)); // [batch, squeezed, height, width]
        let points = trace::branch(|| relu(self.expand1x1.forward(x.clone())));
        let windows = relu(self.expand3x3.forward(x));
        concat(points, windows) // [batch, 2 * expanded, height, width]
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, Task, build};
    use burn::tensor::{Device, Tensor};
    use kiln_vision::ImageSpec;

    fn of(side: usize) -> Task {
        Task {
            input: ImageSpec::new(3, side, side),
            classes: 10,
        }
    }

    #[test]
    fn the_pools_round_up() {
        let pools = |side| {
            let device = Device::flex();
            let network = build("squeezenet1_1", &of(side), &Options::default(), &device);
            let steps = network.expect("builds").steps(of(side).input);
            let steps = steps.expect("fits").into_iter();
            let pools = steps.filter(|step| step.kind == "max pool");
            pools.map(|step| step.output[1]).collect::<Vec<_>>()
        };
        assert_eq!(pools(224), [55, 27, 13]);
        assert_eq!(pools(225), [56, 28, 14]);
        assert_eq!(pools(17), [4, 2, 1]);
    }

    #[test]
    fn the_smallest_image_is_computed() {
        let device = Device::flex();
        let build = |side| build("squeezenet1_1", &of(side), &Options::default(), &device);
        let logits = build(17)
            .expect("builds")
            .forward(Tensor::ones([1, 3, 17, 17], &device));
        assert_eq!(logits.dims(), [1, 10]);
        assert!(build(16).is_err());
    }
}
