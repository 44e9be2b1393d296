//! Pre-activation ResNet: batch norm and ReLU before each convolution, so that
//! nothing stands in the way of the identity.
//!
//! K. He, X. Zhang, S. Ren, J. Sun, "Identity mappings in deep residual
//! networks", ECCV 2016, figure 1b, <https://arxiv.org/abs/1603.05027>.
//!
//! | layer | output of PreAct-ResNet-18 for 3x32x32 | parameters |
//! |---|---|---|
//! | conv1 3x3 | 64x32x32 | 1,728 |
//! | layer1: 2 blocks | 64x32x32 | 147,968 |
//! | layer2: 2 blocks | 128x16x16 | 525,184 |
//! | layer3: 2 blocks | 256x8x8 | 2,098,944 |
//! | layer4: 2 blocks | 512x4x4 | 8,392,192 |
//! | global average pool | 512 | 0 |
//! | fc | 10 | 5,130 |
//!
//! A block is batch norm, ReLU, 3x3, twice. Its shortcut is the image before
//! the first norm or, where the shape changes, a 1x1 convolution of what
//! comes after the first ReLU.
//!
//! Differs from the paper: four stages as ResNet-18 has them on ImageNet,
//! where the paper's networks for CIFAR-10 are three stages with 110 layers
//! and more; no norm and ReLU after the last block (as in K. Liu's
//! pytorch-cifar, which made this form known).

use crate::{
    Network, Task,
    initialisation::HE_FAN_OUT,
    layers::{BatchNorm, Conv, Conv2d, Linear, Sequential, add, fork, global_average},
    trace,
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// A pre-activation residual network to be built.
#[derive(Clone, Debug)]
pub struct PreActResNetConfig {
    /// Blocks of each stage; every stage but the first halves the image and
    /// doubles the channels.
    pub stages: [usize; 4],
    /// Channels of the first stage.
    pub width: usize,
}

impl PreActResNetConfig {
    /// 64 channels in the first stage.
    pub fn new(stages: [usize; 4]) -> Self {
        Self { stages, width: 64 }
    }

    /// The network, as one of the zoo.
    pub(crate) fn network(&self, task: &Task, device: &Device) -> Network {
        Network::PreActResNet(self.init(task, device))
    }

    /// The network.
    pub fn init(&self, task: &Task, device: &Device) -> PreActResNet {
        let stage = |at: usize| {
            let outputs = self.width << at;
            let first = match at {
                0 => PreActBlock::new([outputs, outputs], 1, device),
                _ => PreActBlock::new([outputs / 2, outputs], 2, device),
            };
            let others = 1..self.stages[at];
            let others = others.map(|_| PreActBlock::new([outputs, outputs], 1, device));
            std::iter::once(first).chain(others).collect()
        };
        let stem = Conv::new(task.input.channels, self.width, 3).same();
        PreActResNet {
            conv1: stem.no_bias().weights(HE_FAN_OUT).init(device),
            layer1: stage(0),
            layer2: stage(1),
            layer3: stage(2),
            layer4: stage(3),
            fc: Linear::new([self.width << 3, task.classes], device),
        }
    }
}

/// See the [module](self).
#[derive(Module, Debug)]
pub struct PreActResNet {
    conv1: Conv2d,
    layer1: Vec<PreActBlock>,
    layer2: Vec<PreActBlock>,
    layer3: Vec<PreActBlock>,
    layer4: Vec<PreActBlock>,
    fc: Linear,
}

impl PreActResNet {
    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.conv1.forward(images); // [batch, 64, 32, 32]
        let stages = [&self.layer1, &self.layer2, &self.layer3, &self.layer4];
        let blocks = stages.into_iter().flatten();
        let x = blocks.fold(x, |x, block| block.forward(x)); // [batch, 512, 4, 4]
        self.fc.forward(global_average(x))
    }
}

/// A residual block whose sum is not activated.
#[derive(Module, Debug)]
struct PreActBlock {
    bn1: BatchNorm,
    conv1: Conv2d,
    bn2: BatchNorm,
    conv2: Conv2d,
    downsample: Option<Sequential>,
}

impl PreActBlock {
    fn new([inputs, outputs]: [usize; 2], stride: usize, device: &Device) -> Self {
        let conv = |inputs, kernel| {
            let conv = Conv::new(inputs, outputs, kernel).same().no_bias();
            conv.weights(HE_FAN_OUT)
        };
        let projection = || {
            let conv = conv(inputs, 1).stride(stride).init(device);
            Sequential::new(vec![conv.into()])
        };
        Self {
            bn1: BatchNorm::new(inputs, device),
            conv1: conv(inputs, 3).stride(stride).init(device),
            bn2: BatchNorm::new(outputs, device),
            conv2: conv(outputs, 3).init(device),
            downsample: (inputs != outputs).then(projection),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (x, shortcut) = match &self.downsample {
            Some(projection) => {
                let [active, shortcut] = fork(self.bn1.rectified(x));
                (active, trace::branch(|| projection.forward(shortcut)))
            }
            None => {
                let [x, shortcut] = fork(x);
                (self.bn1.rectified(x), shortcut)
            }
        };
        let x = self.bn2.rectified(self.conv1.forward(x));
        add(self.conv2.forward(x), shortcut)
    }
}
