//! DenseNet: every layer of a block sees the maps of all layers before it.
//!
//! G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger, "Densely connected
//! convolutional networks", CVPR 2017, table 1 and section 4.2,
//! <https://arxiv.org/abs/1608.06993>.
//!
//! | layer | output of DenseNet-121 for 3x224x224 | parameters |
//! |---|---|---|
//! | conv0 7x7, stride 2, norm0, ReLU | 64x112x112 | 9,536 |
//! | max pool 3x3, stride 2 | 64x56x56 | 0 |
//! | denseblock1: 6 layers | 256x56x56 | 335,040 |
//! | transition1 | 128x28x28 | 33,280 |
//! | denseblock2: 12 layers | 512x28x28 | 919,680 |
//! | transition2 | 256x14x14 | 132,096 |
//! | denseblock3: 24 layers | 1024x14x14 | 2,837,760 |
//! | transition3 | 512x7x7 | 526,336 |
//! | denseblock4: 16 layers | 1024x7x7 | 2,158,080 |
//! | norm5, ReLU | 1024x7x7 | 2,048 |
//! | global average pool | 1024 | 0 |
//! | classifier | 1000 | 1,025,000 |
//!
//! A dense layer is batch norm, ReLU, 1x1 to four times the growth, batch
//! norm, ReLU, 3x3 to the growth; a transition is batch norm, ReLU, 1x1 to
//! half the channels, average pool 2x2 (the paper's form BC).
//!
//! Differs from the paper: no dropout unless it is chosen, and then after each
//! 3x3 convolution as torchvision has it, where the paper drops a fifth after
//! every convolution but the first when it trains without augmentation. The
//! weights' names and first values are torchvision's, and so is DenseNet-161;
//! the form for CIFAR-10 begins with a 3x3 convolution alone. `width` multiplies
//! the growth and the channels before the first block, each to the nearest
//! whole number.

use crate::{
    Network, Options, Task,
    initialisation::{HE, Scheme},
    layers::{
        BatchNorm, Conv, Conv2d, DEFAULT, Dropout, Linear, Named, Pool, concat, global_average,
    },
    resnet::Stem,
};
use burn::{
    module::Module,
    nn::Initializer,
    tensor::{Device, Tensor},
};

/// Outputs of a dense layer's 1x1 convolution for each of its own.
const BOTTLENECK: usize = 4;

/// A DenseNet to be built.
#[derive(Clone, Debug)]
pub struct DenseNetConfig {
    /// What stands before the blocks.
    pub stem: Stem,
    /// Channels that each dense layer adds.
    pub growth: usize,
    /// Dense layers of each block; between two blocks image and channels are
    /// halved.
    pub blocks: Vec<usize>,
    /// Channels before the first block.
    pub channels: usize,
}

impl DenseNetConfig {
    /// The form for ImageNet.
    pub fn imagenet(growth: usize, blocks: &[usize]) -> Self {
        Self {
            stem: Stem::ImageNet,
            growth,
            blocks: blocks.to_vec(),
            channels: 2 * growth,
        }
    }

    /// The form for CIFAR-10 with 6n + 4 layers in three blocks.
    pub fn cifar(growth: usize, layers: usize) -> Self {
        Self {
            stem: Stem::Small,
            ..Self::imagenet(growth, &[(layers - 4) / 6; 3])
        }
    }

    /// The network, as one of the zoo.
    pub(crate) fn network(&self, task: &Task, options: &Options, device: &Device) -> Network {
        Network::DenseNet(self.init(task, options, device))
    }

    /// The network, with [`Options::width`], and [`Options::dropout`] after each
    /// dense layer.
    pub fn init(&self, task: &Task, options: &Options, device: &Device) -> DenseNet {
        let growth = options.widened(self.growth);
        let mut channels = options.widened(self.channels);
        let mut features = self.stem([task.input.channels, channels], device);
        for (number, layers) in (1..).zip(&self.blocks) {
            if number > 1 {
                let transition = Feature::Transition(transition(channels, device));
                features.push((format!("transition{}", number - 1), transition));
                channels /= 2;
            }
            let layer = |number: usize| {
                let inputs = channels + (number - 1) * growth;
                let layer = DenseLayer::new([inputs, growth], options, device);
                (format!("denselayer{number}"), layer)
            };
            let block = (1..=*layers).map(layer).collect();
            features.push((format!("denseblock{number}"), Feature::Block(block)));
            channels += layers * growth;
        }
        let norm = BatchNorm::new(channels, device);
        features.push(("norm5".to_owned(), Feature::Norm(norm)));
        let drawn = [DEFAULT, Initializer::Zeros];
        DenseNet {
            features: features.into_iter().collect(),
            classifier: Linear::drawn([channels, task.classes], drawn, device),
        }
    }

    fn stem(&self, [inputs, channels]: [usize; 2], device: &Device) -> Vec<(String, Feature)> {
        let conv = |kernel| Conv::new(inputs, channels, kernel).same();
        let conv0 = |conv: Conv| {
            let conv = conv.no_bias().weights(HE).init(device);
            ("conv0".to_owned(), Feature::Conv(conv))
        };
        let norm0 = || Feature::Norm(BatchNorm::new(channels, device));
        let pool0 = || Feature::Pool(Pool::max(3).stride(2).padding(1));
        match self.stem {
            Stem::ImageNet => vec![
                conv0(conv(7).stride(2)),
                ("norm0".to_owned(), norm0()),
                ("pool0".to_owned(), pool0()),
            ],
            Stem::Small => vec![conv0(conv(3))],
            Stem::Pointwise => vec![conv0(conv(1))],
        }
    }
}

/// See the [module](self).
#[derive(Module, Debug)]
pub struct DenseNet {
    features: Named<Feature>,
    classifier: Linear,
}

impl DenseNet {
    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.features.iter();
        let x = features.fold(images, |x, feature| feature.forward(x)); // [batch, 1024, 7, 7]
        self.classifier.forward(global_average(x))
    }
}

/// What the features are made of, one after the other.
#[derive(Module, Debug)]
enum Feature {
    Conv(Conv2d),
    Norm(BatchNorm),
    Pool(Pool),
    Block(Named<DenseLayer>),
    Transition(Named<Feature>),
}

impl Feature {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::Norm(norm) => norm.rectified(x),
            Self::Pool(pool) => pool.forward(x),
            Self::Block(layers) => layers.iter().fold(x, |x, layer| layer.forward(x)),
            Self::Transition(parts) => parts.iter().fold(x, |x, part| part.forward(x)),
        }
    }
}

/// A bottleneck whose maps are put behind those it saw.
#[derive(Module, Debug)]
struct DenseLayer {
    norm1: BatchNorm,
    conv1: Conv2d,
    norm2: BatchNorm,
    conv2: Conv2d,
    dropout: Option<Dropout>,
}

impl DenseLayer {
    fn new([inputs, growth]: [usize; 2], options: &Options, device: &Device) -> Self {
        let middle = BOTTLENECK * growth;
        let conv = |inputs, outputs, kernel| {
            let conv = Conv::new(inputs, outputs, kernel).same().no_bias();
            conv.weights(HE).init(device)
        };
        Self {
            norm1: BatchNorm::new(inputs, device),
            conv1: conv(inputs, middle, 1),
            norm2: BatchNorm::new(middle, device),
            conv2: conv(middle, growth, 3),
            dropout: Dropout::chosen(options),
        }
    }

    /// `[batch, inputs, height, width]` to `[batch, inputs + growth, height, width]`.
    fn forward(&self, seen: Tensor<4>) -> Tensor<4> {
        let x = self.conv1.forward(self.norm1.rectified(seen.clone()));
        let x = self.conv2.forward(self.norm2.rectified(x));
        concat(seen, Dropout::maybe(&self.dropout, x))
    }
}

/// Halves the channels and the image between two blocks.
fn transition(channels: usize, device: &Device) -> Named<Feature> {
    let conv = Conv::new(channels, channels / 2, 1).no_bias();
    let parts = [
        ("norm", Feature::Norm(BatchNorm::new(channels, device))),
        ("conv", Feature::Conv(conv.weights(HE).init(device))),
        ("pool", Feature::Pool(Pool::average(2))),
    ];
    let parts = parts.into_iter();
    parts.map(|(name, part)| (name.to_owned(), part)).collect()
}

/// What can be chosen of a DenseNet.
pub(crate) fn options() -> Options {
    Options {
        width: Some(1.0),
        dropout: Some(0.0),
        init: Some(Scheme::Default),
        ..Options::default()
    }
}
