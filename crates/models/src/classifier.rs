//! The form of AlexNet and VGG: convolutions and pools one after the other, and
//! on their maps a perceptron, or one linear layer where images are small.

use crate::{
    Options,
    initialisation::Scheme,
    layers::{AdaptivePool, DenseSequential, Linear, Sequential, flatten},
};
use burn::{module::Module, tensor::Tensor};

/// A network of that form.
#[derive(Module, Debug)]
pub struct ConvNet {
    pub(crate) features: Sequential,
    pub(crate) avgpool: Option<AdaptivePool>,
    pub(crate) classifier: Classifier,
}

impl ConvNet {
    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.classifier.forward(self.features(images))
    }

    pub(crate) fn features(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.features.forward(images); // [batch, 512, 7, 7]
        match &self.avgpool {
            Some(pool) => flatten(pool.forward(x)), // [batch, 512 * 7 * 7]
            None => flatten(x),
        }
    }

    /// Path of the layer that gives the class scores.
    pub fn head(&self) -> String {
        self.classifier.head()
    }
}

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

/// What can be chosen of networks with dropout of one half in their classifier.
pub(crate) fn options() -> Options {
    Options {
        dropout: Some(0.5),
        init: Some(Scheme::Default),
        ..Options::default()
    }
}
