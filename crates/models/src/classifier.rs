//! What follows the maps of AlexNet and VGG: a perceptron, or one linear layer
//! in their forms for small images.

use crate::layers::{DenseSequential, Linear};
use burn::{module::Module, tensor::Tensor};

/// What gives the class scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Two hidden layers of this many units, with dropout.
    Hidden(usize),
    /// One linear layer.
    Linear,
}

/// The layers of a [`Head`].
#[derive(Module, Debug)]
pub(crate) enum Classifier {
    Perceptron(DenseSequential),
    Linear(Linear),
}

impl Classifier {
    /// # Shapes
    /// `[batch, inputs]` to `[batch, classes]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Perceptron(layers) => layers.forward(x),
            Self::Linear(layer) => layer.forward(x),
        }
    }

    /// Path of its last layer.
    pub fn head(&self) -> String {
        match self {
            Self::Perceptron(layers) => format!("classifier.{}", layers.last()),
            Self::Linear(_) => "classifier".to_owned(),
        }
    }
}
