//! ResNet: residual networks, for ImageNet and for small images, with their
//! wider relatives.
//!
//! K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image
//! recognition", CVPR 2016, table 1 and section 4.2,
//! <https://arxiv.org/abs/1512.03385>. S. Zagoruyko, N. Komodakis, "Wide
//! residual networks", BMVC 2016, <https://arxiv.org/abs/1605.07146>. S. Xie et
//! al., "Aggregated residual transformations for deep neural networks", CVPR 2017,
//! <https://arxiv.org/abs/1611.05431>.
//!
//! | layer | output of ResNet-18 for 3x224x224 | parameters |
//! |---|---|---|
//! | conv1 7x7, stride 2, batch norm, ReLU | 64x112x112 | 9,536 |
//! | max pool 3x3, stride 2 | 64x56x56 | 0 |
//! | layer1: 2 blocks | 64x56x56 | 147,968 |
//! | layer2: 2 blocks | 128x28x28 | 525,568 |
//! | layer3: 2 blocks | 256x14x14 | 2,099,712 |
//! | layer4: 2 blocks | 512x7x7 | 8,393,728 |
//! | global average pool | 512 | 0 |
//! | fc | 1000 | 513,000 |
//!
//! A basic block is two 3x3 convolutions, a bottleneck 1x1, 3x3 and 1x1.
//! [`Shortcut::None`] makes the plain networks of section 3.3.
//!
//! Differs from the paper: a bottleneck halves the image in its 3x3
//! convolution and not in the first 1x1, as torchvision does. Option A of the
//! shortcut puts one half of its zero channels before and one behind the
//! others, as the usual programs do; the paper does not say where. The forms of
//! ResNet-18, 34 and 50 for small images have a 3x3 stem and no max pool.
//! ResNeXt-29 has a 1x1 stem instead of 3x3 and 32 groups of 4 channels instead
//! of 8 or 16 of 64; like the former it is the form that K. Liu's
//! pytorch-cifar made known. `width` multiplies the channels of every stage to
//! the nearest whole number, those before the first block too, which wide
//! residual networks leave as they are; the groups of a ResNeXt keep their
//! channels and become more or fewer.

use crate::{
    LastNorm, Network, Options, Shortcut, Task,
    initialisation::{HE_FAN_OUT, Scheme},
    layers::{BatchNorm, Conv, Conv2d, Linear, Pool, Sequential, add, fork, global_average, relu},
    trace::{self, Report},
    window::Window,
};
use burn::{
    module::Module,
    tensor::{Device, Tensor, ops::PadMode},
};

/// What a residual block is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3 and 1x1, the last four times as wide.
    Bottleneck,
}

/// What stands before the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// 7x7 with stride 2 and a 3x3 max pool with stride 2.
    ImageNet,
    /// 3x3.
    Small,
    /// 1x1.
    Pointwise,
}

/// A residual network to be built.
#[derive(Clone, Debug)]
pub struct ResNetConfig {
    /// What stands before the blocks.
    pub stem: Stem,
    /// What a block is made of.
    pub block: Block,
    /// Blocks of each stage, three or four; every stage but the first halves
    /// the image and doubles the channels.
    pub stages: Vec<usize>,
    /// Channels of the first stage.
    pub width: usize,
    /// Groups of the 3x3 convolutions, and the channels of each where the
    /// first stage has 64 (ResNeXt's cardinality and width).
    pub groups: [usize; 2],
}

impl ResNetConfig {
    /// Basic blocks for ImageNet.
    pub fn imagenet(stages: &[usize]) -> Self {
        Self {
            stem: Stem::ImageNet,
            block: Block::Basic,
            stages: stages.to_vec(),
            width: 64,
            groups: [1, 64],
        }
    }

    /// The paper's network for CIFAR-10 with 6n + 2 layers.
    pub fn cifar(layers: usize) -> Self {
        Self {
            stem: Stem::Small,
            width: 16,
            ..Self::imagenet(&[(layers - 2) / 6; 3])
        }
    }

    /// Bottlenecks instead of basic blocks.
    pub fn bottleneck(self) -> Self {
        Self {
            block: Block::Bottleneck,
            ..self
        }
    }

    /// A 3x3 stem, for small images.
    pub fn small(self) -> Self {
        Self {
            stem: Stem::Small,
            ..self
        }
    }

    /// A 1x1 stem.
    pub fn pointwise(self) -> Self {
        Self {
            stem: Stem::Pointwise,
            ..self
        }
    }

    /// `count` groups of `width` channels each in the first stage's 3x3
    /// convolutions.
    pub fn groups(self, count: usize, width: usize) -> Self {
        Self {
            groups: [count, width],
            ..self
        }
    }

    /// The network, as one of the zoo.
    pub(crate) fn network(&self, task: &Task, options: &Options, device: &Device) -> Network {
        Network::ResNet(self.init(task, options, device))
    }

    /// The network, with [`Options::width`], [`Options::shortcut`] and
    /// [`Options::last_norm`].
    pub fn init(&self, task: &Task, options: &Options, device: &Device) -> ResNet {
        let width = options.widened(self.width);
        let stem = match self.stem {
            Stem::ImageNet => Conv::new(task.input.channels, width, 7)
                .stride(2)
                .padding(3),
            Stem::Small => Conv::new(task.input.channels, width, 3).same(),
            Stem::Pointwise => Conv::new(task.input.channels, width, 1),
        };
        let mut channels = width;
        let mut stage = |at: usize| {
            let blocks = *self.stages.get(at)?;
            let mut block = |index: usize| {
                let stride = if at > 0 && index == 0 { 2 } else { 1 };
                let block = self.block([channels, at], stride, options, device);
                channels = self.expanded(width << at);
                block
            };
            Some((0..blocks).map(&mut block).collect::<Vec<_>>())
        };
        ResNet {
            conv1: stem.no_bias().weights(HE_FAN_OUT).init(device),
            bn1: BatchNorm::new(width, device),
            maxpool: (self.stem == Stem::ImageNet).then(|| Pool::max(3).stride(2).padding(1)),
            layer1: stage(0).unwrap_or_default(),
            layer2: stage(1).unwrap_or_default(),
            layer3: stage(2).unwrap_or_default(),
            layer4: stage(3),
            fc: Linear::new([channels, task.classes], device),
        }
    }

    fn expanded(&self, planes: usize) -> usize {
        match self.block {
            Block::Basic => planes,
            Block::Bottleneck => 4 * planes,
        }
    }

    /// Channels of the 3x3 convolutions of bottlenecks in the stage `at`, and
    /// their groups.
    fn grouped(&self, at: usize, options: &Options) -> [usize; 2] {
        let [groups, channels] = self.groups;
        match groups {
            1 => [(options.widened(self.width) << at) * channels / 64, 1],
            _ => {
                let groups = options.widened(groups);
                [(self.width << at) * channels / 64 * groups, groups]
            }
        }
    }

    fn block(
        &self,
        [inputs, at]: [usize; 2],
        stride: usize,
        options: &Options,
        device: &Device,
    ) -> ResidualBlock {
        let conv = |inputs: usize, outputs: usize, kernel: usize| {
            let conv = Conv::new(inputs, outputs, kernel).same().no_bias();
            conv.weights(HE_FAN_OUT)
        };
        let norm = |channels| BatchNorm::new(channels, device);
        let plain = options.shortcut == Some(Shortcut::None);
        let last = |channels| match options.last_norm {
            // Without a shortcut nothing would come through it.
            Some(LastNorm::Zero) if !plain => BatchNorm::zero(channels, device),
            _ => BatchNorm::new(channels, device),
        };
        let planes = options.widened(self.width) << at;
        let outputs = self.expanded(planes);
        let pads = options.shortcut == Some(Shortcut::Pad);
        let projects = (inputs != outputs || stride != 1) && !pads && !plain;
        let projection = || {
            let conv = conv(inputs, outputs, 1).stride(stride).init(device);
            Sequential::new(vec![conv.into(), norm(outputs).into()])
        };
        let downsample = projects.then(projection);
        match self.block {
            Block::Basic => ResidualBlock {
                conv1: conv(inputs, planes, 3).stride(stride).init(device),
                bn1: norm(planes),
                conv2: conv(planes, planes, 3).init(device),
                bn2: last(planes),
                conv3: None,
                bn3: None,
                downsample,
                plain,
            },
            Block::Bottleneck => {
                let [middle, groups] = self.grouped(at, options);
                let grouped = conv(middle, middle, 3).stride(stride).groups(groups);
                ResidualBlock {
                    conv1: conv(inputs, middle, 1).init(device),
                    bn1: norm(middle),
                    conv2: grouped.init(device),
                    bn2: norm(middle),
                    conv3: Some(conv(middle, outputs, 1).init(device)),
                    bn3: Some(last(outputs)),
                    downsample,
                    plain,
                }
            }
        }
    }
}

/// See the [module](self).
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    maxpool: Option<Pool>,
    layer1: Vec<ResidualBlock>,
    layer2: Vec<ResidualBlock>,
    layer3: Vec<ResidualBlock>,
    layer4: Option<Vec<ResidualBlock>>,
    fc: Linear,
}

impl ResNet {
    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = self.bn1.rectified(self.conv1.forward(images)); // [batch, 64, 112, 112]
        if let Some(pool) = &self.maxpool {
            x = pool.forward(x); // [batch, 64, 56, 56]
        }
        let stages = [&self.layer1, &self.layer2, &self.layer3];
        let blocks = stages.into_iter().chain(&self.layer4).flatten();
        let x = blocks.fold(x, |x, block| block.forward(x)); // [batch, 512, 7, 7]
        self.fc.forward(global_average(x))
    }
}

/// A residual block; without `conv3` a basic one.
#[derive(Module, Debug)]
struct ResidualBlock {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Option<Conv2d>,
    bn3: Option<BatchNorm>,
    downsample: Option<Sequential>,
    /// Whether there is no shortcut.
    plain: bool,
}

impl ResidualBlock {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        if self.plain {
            return relu(self.branch(x));
        }
        let [x, shortcut] = fork(x);
        let projected = trace::branch(|| match &self.downsample {
            Some(projection) => projection.forward(shortcut),
            None => shortcut,
        });
        let x = self.branch(x);
        let shortcut = trace::branch(|| padded(projected, x.dims()));
        relu(add(x, shortcut))
    }

    fn branch(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.bn1.rectified(self.conv1.forward(x));
        let x = self.conv2.forward(x);
        match (&self.conv3, &self.bn3) {
            (Some(conv3), Some(bn3)) => bn3.forward(conv3.forward(self.bn2.rectified(x))),
            _ => self.bn2.forward(x),
        }
    }
}

/// Option A: every second pixel where the image was halved, and channels of
/// zeros before and behind, up to `shape`.
fn padded(x: Tensor<4>, shape: [usize; 4]) -> Tensor<4> {
    if x.dims() == shape {
        return x;
    }
    let report = |_| Report::pointwise("pad channels", shape);
    trace::layer(x, report, |x| {
        let [_, channels, height, width] = x.dims();
        let window = Window {
            stride: [height.div_ceil(shape[2]), width.div_ceil(shape[3])],
            ..Window::square(1)
        };
        let x = Pool::max(1).window(window).forward(x);
        let missing = shape[1] - channels;
        let around = (missing / 2, missing - missing / 2);
        // With the channels last, as they lie in memory on the CPU.
        let x = x.permute([0, 2, 3, 1]);
        let x = x.pad([(0, 0), (0, 0), around], PadMode::Constant(0.0));
        x.permute([0, 3, 1, 2])
    })
}

/// What can be chosen of a residual network.
pub(crate) fn options() -> Options {
    Options {
        width: Some(1.0),
        last_norm: Some(LastNorm::One),
        init: Some(Scheme::Default),
        ..Options::default()
    }
}

/// The same, and the paper's shortcut for CIFAR-10.
pub(crate) fn cifar_options() -> Options {
    Options {
        shortcut: Some(Shortcut::Pad),
        ..options()
    }
}

#[cfg(test)]
mod tests;
