//! MLPNet: a multilayer perceptron with two hidden layers, 784-256-84-10.
//!
//! D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by
//! back-propagating errors", Nature 323, 1986; the widths are those that
//! courses set beside LeNet-5.
//!
//! | layer | output | parameters |
//! |---|---|---|
//! | flatten | 784 | 0 |
//! | fc1, ReLU | 256 | 200,960 |
//! | fc2, ReLU | 84 | 21,588 |
//! | fc3 | 10 | 850 |
//!
//! Differs from the paper: ReLU instead of the logistic function.

use crate::Task;
use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    tensor::{Device, Tensor, activation::relu},
};

/// Units of the two hidden layers.
const HIDDEN: [usize; 2] = [256, 84];

/// See the [module](self).
#[derive(Module, Debug)]
pub struct Mlp {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl Mlp {
    /// The network for images of any shape.
    pub fn new(task: &Task, device: &Device) -> Self {
        let [first, second] = HIDDEN;
        Self {
            fc1: LinearConfig::new(task.input.len(), first).init(device),
            fc2: LinearConfig::new(first, second).init(device),
            fc3: LinearConfig::new(second, task.classes).init(device),
        }
    }

    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = images.flatten(1, 3); // [batch, channels * height * width]
        let x = relu(self.fc1.forward(x)); // [batch, 256]
        let x = relu(self.fc2.forward(x)); // [batch, 84]
        self.fc3.forward(x)
    }
}
