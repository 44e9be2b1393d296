//! LeNet-5 as it is used today.
//!
//! Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning
//! applied to document recognition", Proc. IEEE 86(11), 1998, section II.B.
//!
//! | layer | output for 1x28x28 | parameters |
//! |---|---|---|
//! | conv1 5x5, padding 2, ReLU | 6x28x28 | 156 |
//! | max pool 2x2 | 6x14x14 | 0 |
//! | conv2 5x5, ReLU | 16x10x10 | 2,416 |
//! | max pool 2x2 | 16x5x5 | 0 |
//! | fc1, ReLU | 120 | 48,120 |
//! | fc2, ReLU | 84 | 10,164 |
//! | fc3 | 10 | 850 |
//!
//! Differs from the paper: ReLU instead of tanh, max pooling without
//! parameters, every map of the second convolution sees all six maps of the
//! first, a linear output layer. `lenet5-1998` has the original's.

use crate::{ModelError, Task};
use burn::{
    module::Module,
    nn::{
        Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    tensor::{Device, Tensor, activation::relu},
};

/// Images from this size on are not padded: the paper's are 32x32, with the
/// digit in the middle 28x28.
const UNPADDED: usize = 32;

/// See the [module](self).
#[derive(Module, Debug)]
pub struct LeNet {
    conv1: Conv2d,
    pool: MaxPool2d,
    conv2: Conv2d,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl LeNet {
    /// The network for images of at least 12x12.
    ///
    /// # Errors
    /// When the images are smaller.
    pub fn new(task: &Task, device: &Device) -> Result<Self, ModelError> {
        let [height, width] = feature_map(task)?;
        let padding = padding(task);
        Ok(Self {
            conv1: Conv2dConfig::new([task.input.channels, 6], [5, 5])
                .with_padding(PaddingConfig2d::Explicit(
                    padding, padding, padding, padding,
                ))
                .init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            conv2: Conv2dConfig::new([6, 16], [5, 5]).init(device),
            fc1: LinearConfig::new(16 * height * width, 120).init(device),
            fc2: LinearConfig::new(120, 84).init(device),
            fc3: LinearConfig::new(84, task.classes).init(device),
        })
    }

    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = relu(self.conv1.forward(images)); // [batch, 6, 28, 28]
        let x = self.pool.forward(x); // [batch, 6, 14, 14]
        let x = relu(self.conv2.forward(x)); // [batch, 16, 10, 10]
        let x = self.pool.forward(x); // [batch, 16, 5, 5]
        let x = x.flatten(1, 3); // [batch, 400]
        let x = relu(self.fc1.forward(x)); // [batch, 120]
        let x = relu(self.fc2.forward(x)); // [batch, 84]
        self.fc3.forward(x)
    }
}

fn padding(task: &Task) -> usize {
    match task.input.height.min(task.input.width) < UNPADDED {
        true => 2,
        false => 0,
    }
}

/// Height and width after the second pooling.
fn feature_map(task: &Task) -> Result<[usize; 2], ModelError> {
    let side =
        |side: usize| (((side + 2 * padding(task)).saturating_sub(4)) / 2).saturating_sub(4) / 2;
    match [side(task.input.height), side(task.input.width)] {
        [height, width] if height > 0 && width > 0 => Ok([height, width]),
        _ => Err(ModelError::Input {
            model: "lenet",
            input: task.input,
            allowed: "images of at least 12x12",
        }),
    }
}
