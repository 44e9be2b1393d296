//! MobileNetV2: inverted residuals with linear bottlenecks, of any width, for
//! ImageNet and for small images.
//!
//! M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2:
//! inverted residuals and linear bottlenecks", CVPR 2018, table 2,
//! <https://arxiv.org/abs/1801.04381>.
//!
//! | layer | output for 3x224x224 | parameters |
//! |---|---|---|
//! | features.0 3x3, stride 2 | 32x112x112 | 928 |
//! | features.1, not expanded | 16x112x112 | 896 |
//! | features.2 to features.3, stride 2 | 24x56x56 | 13,968 |
//! | features.4 to features.6, stride 2 | 32x28x28 | 39,696 |
//! | features.7 to features.10, stride 2 | 64x14x14 | 183,872 |
//! | features.11 to features.13 | 96x14x14 | 303,168 |
//! | features.14 to features.16, stride 2 | 160x7x7 | 795,264 |
//! | features.17 | 320x7x7 | 473,920 |
//! | features.18 1x1 | 1280x7x7 | 412,160 |
//! | global average pool, dropout | 1280 | 0 |
//! | classifier.1 | 1000 | 1,281,000 |
//!
//! An inverted residual expands its channels six times with a 1x1 convolution,
//! filters each with a 3x3, and projects them with another 1x1. A batch norm
//! follows each convolution, ReLU6 each but the projection; a shortcut adds the
//! input where the shape is kept.
//!
//! Differs from the paper: widths are rounded to multiples of 8 and the first
//! weights are He's, as torchvision has both. `mobilenet_v2-cifar` keeps the
//! image whole in the stem and in the second stage. A `width` below 1 leaves
//! the last convolution at 1280 channels, as in the paper.

use crate::{
    Network, Options, Task,
    initialisation::{HE_FAN_OUT, Scheme, normal},
    layers::{
        BatchNorm, Conv, DenseSequential, Dropout, Layer, Linear, Nonlinearity, Sequential, add,
        global_average,
    },
};
use burn::{
    module::Module,
    nn::Initializer,
    tensor::{Device, Tensor},
};

/// A stage of inverted residuals with equal channels.
struct Stage {
    /// Times that a block widens its input.
    expansion: usize,
    channels: usize,
    blocks: usize,
    /// Stride of the first block.
    stride: usize,
}

impl Stage {
    const fn new([expansion, channels, blocks, stride]: [usize; 4]) -> Self {
        Self {
            expansion,
            channels,
            blocks,
            stride,
        }
    }
}

/// A MobileNetV2 to be built.
#[derive(Clone, Debug)]
pub struct MobileNetV2Config {
    /// Times that the channels of the paper are taken.
    pub width: f64,
    /// Strides of the stem and of the second stage.
    pub strides: [usize; 2],
}

impl MobileNetV2Config {
    /// The network for ImageNet.
    pub fn imagenet() -> Self {
        Self {
            width: 1.0,
            strides: [2, 2],
        }
    }

    /// The network for CIFAR-10.
    pub fn cifar() -> Self {
        Self {
            strides: [1, 1],
            ..Self::imagenet()
        }
    }

    fn stages(&self) -> [Stage; 7] {
        [
            [1, 16, 1, 1],
            [6, 24, 2, self.strides[1]],
            [6, 32, 3, 2],
            [6, 64, 4, 2],
            [6, 96, 3, 1],
            [6, 160, 3, 2],
            [6, 320, 1, 1],
        ]
        .map(Stage::new)
    }

    /// The network, as one of the zoo.
    pub(crate) fn network(&self, task: &Task, options: &Options, device: &Device) -> Network {
        Network::MobileNetV2(self.init(task, options, device))
    }

    /// The network, with [`Options::dropout`] and times [`Options::width`].
    pub fn init(&self, task: &Task, options: &Options, device: &Device) -> MobileNetV2 {
        let width = self.width * options.width.unwrap_or(1.0);
        let mut channels = divisible(32.0 * width);
        let stem = Conv::new(task.input.channels, channels, 3).same();
        let stem = stem.stride(self.strides[0]);
        let mut features = vec![Feature::Plain(activated(stem, channels, device))];
        for stage in self.stages() {
            let outputs = divisible(stage.channels as f64 * width);
            for block in 0..stage.blocks {
                let stride = if block == 0 { stage.stride } else { 1 };
                let sizes = [channels, channels * stage.expansion, outputs];
                let bottleneck = Bottleneck::new(sizes, stride, device);
                features.push(match stride == 1 && channels == outputs {
                    true => Feature::Residual(bottleneck),
                    false => Feature::Bottleneck(bottleneck),
                });
                channels = outputs;
            }
        }
        let last = divisible(1280.0 * width.max(1.0));
        let conv = Conv::new(channels, last, 1);
        features.push(Feature::Plain(activated(conv, last, device)));
        let drawn = [normal(0.01), Initializer::Zeros];
        let classifier = Linear::drawn([last, task.classes], drawn, device);
        MobileNetV2 {
            features,
            classifier: DenseSequential::new(vec![
                Dropout::new(options.dropout.unwrap_or(0.2)).into(),
                classifier.into(),
            ]),
        }
    }
}

/// The multiple of 8 nearest to `channels`, at least 8, and the next above if
/// that is less than nine tenths of them.
fn divisible(channels: f64) -> usize {
    let nearest = ((channels + 4.0) as usize / 8 * 8).max(8);
    match (nearest as f64) < 0.9 * channels {
        true => nearest + 8,
        false => nearest,
    }
}

/// A convolution, its batch norm and ReLU6.
fn activated(conv: Conv, channels: usize, device: &Device) -> Sequential {
    Sequential::new(vec![
        conv.no_bias().weights(HE_FAN_OUT).init(device).into(),
        BatchNorm::new(channels, device).into(),
        Nonlinearity::Relu6.layer(device).into(),
    ])
}

/// See the [module](self).
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    features: Vec<Feature>,
    classifier: DenseSequential,
}

impl MobileNetV2 {
    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.features.iter();
        let x = features.fold(images, |x, layer| layer.forward(x)); // [batch, 1280, 7, 7]
        self.classifier.forward(global_average(x))
    }
}

#[derive(Module, Debug)]
enum Feature {
    /// A convolution, its batch norm and ReLU6.
    Plain(Sequential),
    /// A block that changes the shape.
    Bottleneck(Bottleneck),
    /// A block that is added to its input.
    Residual(Bottleneck),
}

impl Feature {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Plain(layers) => layers.forward(x),
            Self::Bottleneck(block) => block.conv.forward(x),
            Self::Residual(block) => add(block.conv.forward(x.clone()), x),
        }
    }
}

#[derive(Module, Debug)]
struct Bottleneck {
    conv: Sequential,
}

impl Bottleneck {
    fn new([inputs, middle, outputs]: [usize; 3], stride: usize, device: &Device) -> Self {
        let mut layers: Vec<Layer> = Vec::new();
        if middle != inputs {
            layers.push(activated(Conv::new(inputs, middle, 1), middle, device).into());
        }
        let depthwise = Conv::new(middle, middle, 3).same();
        let depthwise = depthwise.stride(stride).groups(middle);
        let projection = Conv::new(middle, outputs, 1).no_bias().weights(HE_FAN_OUT);
        layers.push(activated(depthwise, middle, device).into());
        layers.push(projection.init(device).into());
        layers.push(BatchNorm::new(outputs, device).into());
        Self {
            conv: Sequential::new(layers),
        }
    }
}

/// What can be chosen.
pub(crate) fn options() -> Options {
    Options {
        width: Some(1.0),
        dropout: Some(0.2),
        init: Some(Scheme::Default),
        ..Options::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_rounded_as_torchvision_rounds_them() {
        let of = |width: f64| {
            [32.0, 16.0, 24.0, 64.0, 96.0, 160.0, 320.0].map(|count| divisible(count * width))
        };
        assert_eq!(of(0.1), [8, 8, 8, 8, 16, 16, 32]);
        assert_eq!(of(0.35), [16, 8, 8, 24, 32, 56, 112]);
        assert_eq!(of(1.0), [32, 16, 24, 64, 96, 160, 320]);
        assert_eq!(of(1.4), [48, 24, 32, 88, 136, 224, 448]);
    }
}
