//! MLPNet: a multilayer perceptron with two hidden layers, 784-256-84-10.
//!
//! D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by
//! back-propagating errors", Nature 323, 1986; the widths are those that
//! courses set beside LeNet-5.
//!
//! | layer | output | parameters |
//! |---|---|---|
//! | flatten | 784 | 0 |
//! | layers.1, ReLU | 256 | 200,960 |
//! | layers.3, ReLU | 84 | 21,588 |
//! | layers.5 | 10 | 850 |
//!
//! Differs from the paper: ReLU instead of the logistic function.
//!
//! The same file makes any other, by [`Options::hidden`]: softmax regression
//! without a hidden layer (D. R. Cox, "The regression analysis of binary
//! sequences", J. Royal Statistical Society B 20(2), 1958, there for two
//! classes); 784-300-10 (Y. LeCun et al., "Gradient-based learning applied to
//! document recognition", Proc. IEEE 86(11), 1998, section III.C);
//! 784-200-100-10 (the lecture on convolutional networks, Mathematics of AI,
//! Adelaide).

use crate::{
    Options, Task,
    layers::{DenseLayer, DenseSequential, Dropout, Flatten, Linear, Nonlinearity, flatten},
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// See the [module](self).
#[derive(Module, Debug)]
pub struct Mlp {
    layers: DenseSequential,
}

impl Mlp {
    /// The network for images of any shape, with [`Options::hidden`],
    /// [`Options::activation`] and [`Options::dropout`] (after each hidden
    /// layer).
    pub fn new(task: &Task, options: &Options, device: &Device) -> Self {
        let activation = options.activation.unwrap_or(Nonlinearity::Relu);
        let hidden = options.hidden.as_deref().unwrap_or(&[]);
        let activations = vec![activation; hidden.len()];
        Self::with(task, options, &activations, device)
    }

    /// 200 units with ReLU, then 100 with tanh; [`Options::dropout`] is its
    /// choice.
    pub fn meml(task: &Task, options: &Options, device: &Device) -> Self {
        let activations = [Nonlinearity::Relu, Nonlinearity::Tanh];
        let options = Options {
            hidden: Some(vec![200, 100]),
            ..options.clone()
        };
        Self::with(task, &options, &activations, device)
    }

    fn with(task: &Task, options: &Options, activations: &[Nonlinearity], device: &Device) -> Self {
        let hidden = options.hidden.as_deref().unwrap_or(&[]);
        let dropout = options.dropout.unwrap_or(0.0);
        let mut layers = vec![DenseLayer::Flatten(Flatten {})];
        let mut width = task.input.len();
        for (units, activation) in hidden.iter().zip(activations) {
            layers.push(Linear::new([width, units * activation.pieces()], device).into());
            layers.push(activation.layer(device).into());
            if dropout > 0.0 {
                layers.push(Dropout::new(dropout).into());
            }
            width = *units;
        }
        layers.push(Linear::new([width, task.classes], device).into());
        Self {
            layers: DenseSequential::new(layers),
        }
    }

    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.layers.forward(flatten(images))
    }

    /// Path of the layer that gives the class scores.
    pub fn head(&self) -> String {
        format!("layers.{}", self.layers.last())
    }
}
