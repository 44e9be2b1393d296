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

use crate::{
    Options, Task,
    layers::{Activation, Conv, Conv2d, Dropout, Linear, Nonlinearity, Pool, flatten},
    trace,
    window::Misfit,
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// Images from this size on are not padded: the paper's are 32x32, with the
/// digit in the middle 28x28.
const UNPADDED: usize = 32;

/// See the [module](self).
#[derive(Module, Debug)]
pub struct LeNet {
    conv1: Conv2d,
    pool: Pool,
    conv2: Conv2d,
    fc1: Linear,
    fc2: Linear,
    dropout: Option<Dropout>,
    fc3: Linear,
    activations: Vec<Activation>,
}

impl LeNet {
    /// The network, with [`Options::activation`], [`Options::pooling`],
    /// [`Options::pool_size`] and [`Options::dropout`] before its last layer.
    ///
    /// # Errors
    /// When the images are smaller than 12x12.
    pub fn new(task: &Task, options: &Options, device: &Device) -> Result<Self, Misfit> {
        let activation = options.activation.unwrap_or(Nonlinearity::Relu);
        let pieces = activation.pieces();
        let padding = match task.input.height.min(task.input.width) < UNPADDED {
            true => 2,
            false => 0,
        };
        let mut network = Self {
            conv1: Conv::new(task.input.channels, 6 * pieces, 5)
                .padding(padding)
                .init(device),
            pool: Pool::halving(options),
            conv2: Conv::new(6, 16 * pieces, 5).init(device),
            fc1: Linear::new([1, 1], device),
            fc2: Linear::new([120, 84 * pieces], device),
            dropout: Dropout::chosen(options),
            fc3: Linear::new([84, task.classes], device),
            // Each its own: a PReLU has a slope to learn.
            activations: (0..4).map(|_| activation.layer(device)).collect(),
        };
        let (_, [_, inputs]) = trace::follow(task.input, device, |x| network.features(x))?;
        network.fc1 = Linear::new([inputs, 120 * pieces], device);
        Ok(network)
    }

    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.features(images); // [batch, 400]
        let x = self.activations[2].forward(self.fc1.forward(x)); // [batch, 120]
        let x = self.activations[3].forward(self.fc2.forward(x)); // [batch, 84]
        self.fc3.forward(Dropout::maybe(&self.dropout, x))
    }

    fn features(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.activations[0].forward(self.conv1.forward(images)); // [batch, 6, 28, 28]
        let x = self.pool.forward(x); // [batch, 6, 14, 14]
        let x = self.activations[1].forward(self.conv2.forward(x)); // [batch, 16, 10, 10]
        flatten(self.pool.forward(x)) // [batch, 16 * 5 * 5]
    }
}
