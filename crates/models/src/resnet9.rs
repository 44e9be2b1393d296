//! ResNet-9: the small residual network that led DAWNBench's table for
//! CIFAR-10 in 2018.
//!
//! D. Page, "How to train your ResNet", Myrtle.ai, 2018,
//! <https://github.com/davidcpage/cifar10-fast>; C. Coleman et al.,
//! "DAWNBench: an end-to-end deep learning benchmark and competition", 2017.
//!
//! | layer | output for 3x32x32 | parameters |
//! |---|---|---|
//! | prep: conv 3x3, batch norm, ReLU | 64x32x32 | 1,856 |
//! | layer1: the same, max pool 2x2, residual | 128x16x16 | 369,408 |
//! | layer2: conv 3x3, batch norm, ReLU, max pool 2x2 | 256x8x8 | 295,424 |
//! | layer3: the same, residual | 512x4x4 | 5,901,312 |
//! | max pool 4x4 | 512x1x1 | 0 |
//! | linear without bias, times 0.125 | 10 | 5,120 |
//!
//! A residual is conv 3x3, batch norm, ReLU, twice, added to what went in.
//!
//! Differs from the source: the last max pool is as large as the map, 4x4 for
//! images of 32x32, so that other images fit too.

use crate::{
    Task,
    layers::{AdaptivePool, BatchNorm, Conv, Conv2d, Linear, Named, Pool, add, flatten},
    trace::{self, Report},
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// What the class scores are multiplied with.
const SCALE: f64 = 0.125;

/// See the [module](self).
#[derive(Module, Debug)]
pub struct ResNet9 {
    prep: Named<Part>,
    layer1: Named<Part>,
    layer2: Named<Part>,
    layer3: Named<Part>,
    linear: Linear,
}

impl ResNet9 {
    /// The network.
    pub fn new(task: &Task, device: &Device) -> Self {
        let conv = |channels| convolution(channels, device);
        let residual = |channels| residual(channels, device);
        Self {
            prep: named(conv([task.input.channels, 64])),
            layer1: named(conv([64, 128]).chain([pool(), residual(128)])),
            layer2: named(conv([128, 256]).chain([pool()])),
            layer3: named(conv([256, 512]).chain([pool(), residual(512)])),
            linear: Linear {
                bias: None,
                ..Linear::new([512, task.classes], device)
            },
        }
    }

    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = run(&self.prep, images); // [batch, 64, 32, 32]
        let x = run(&self.layer1, x); // [batch, 128, 16, 16]
        let x = run(&self.layer2, x); // [batch, 256, 8, 8]
        let x = run(&self.layer3, x); // [batch, 512, 4, 4]
        let x = flatten(AdaptivePool::max([1, 1]).forward(x)); // [batch, 512]
        let report = |shape| Report::pointwise("scale", shape);
        trace::layer(self.linear.forward(x), report, |scores| scores * SCALE)
    }
}

/// What a layer is made of, one after the other.
#[derive(Module, Debug)]
enum Part {
    Conv(Conv2d),
    Norm(BatchNorm),
    Pool(Pool),
    Parts(Named<Part>),
    Residual(Named<Part>),
}

impl Part {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(conv) => conv.forward(x),
            Self::Norm(norm) => norm.rectified(x),
            Self::Pool(pool) => pool.forward(x),
            Self::Parts(parts) => run(parts, x),
            Self::Residual(parts) => add(run(parts, x.clone()), x),
        }
    }
}

fn run(parts: &Named<Part>, x: Tensor<4>) -> Tensor<4> {
    parts.iter().fold(x, |x, part| part.forward(x))
}

type Child = (&'static str, Part);

fn named(parts: impl IntoIterator<Item = Child>) -> Named<Part> {
    let parts = parts.into_iter();
    parts.map(|(name, part)| (name.to_owned(), part)).collect()
}

/// A 3x3 convolution, batch norm and ReLU.
fn convolution(
    [inputs, outputs]: [usize; 2],
    device: &Device,
) -> impl Iterator<Item = Child> + use<> {
    let conv = Conv::new(inputs, outputs, 3).same().no_bias().init(device);
    let norm = BatchNorm::new(outputs, device);
    [("conv", Part::Conv(conv)), ("bn", Part::Norm(norm))].into_iter()
}

fn pool() -> Child {
    ("pool", Part::Pool(Pool::max(2)))
}

/// Two convolutions beside the identity.
fn residual(channels: usize, device: &Device) -> Child {
    let parts = || Part::Parts(named(convolution([channels, channels], device)));
    let parts = named([("res1", parts()), ("res2", parts())]);
    ("residual", Part::Residual(parts))
}
