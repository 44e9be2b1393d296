//! Layers one after the other, numbered as PyTorch's `nn.Sequential` does.

use super::{Activation, AdaptivePool, BatchNorm, Conv2d, Dropout, Linear, Pool, ResponseNorm};
use burn::{module::Module, tensor::Tensor};

/// A layer from maps to maps.
#[derive(Module, Debug)]
pub enum Layer {
    /// A convolution.
    Conv(Conv2d),
    /// A batch normalisation.
    Norm(BatchNorm),
    /// A normalisation by neighbouring channels.
    ResponseNorm(ResponseNorm),
    /// A non-linear function.
    Activation(Activation),
    /// Pooling under a window.
    Pool(Pool),
    /// Pooling to a size.
    AdaptivePool(AdaptivePool),
    /// Dropout.
    Dropout(Dropout),
    /// Layers one after the other.
    Block(Sequential),
}

/// A layer from vectors to vectors.
#[derive(Module, Debug)]
pub enum DenseLayer {
    /// A fully connected layer.
    Linear(Linear),
    /// A non-linear function.
    Activation(Activation),
    /// Dropout.
    Dropout(Dropout),
    /// Nothing: holds the place of PyTorch's `nn.Flatten`.
    Flatten(Flatten),
}

/// Holds the place of PyTorch's `nn.Flatten`.
#[derive(Module, Debug)]
pub struct Flatten {}

/// Layers from maps to maps.
#[derive(Module, Debug)]
pub struct Sequential {
    layers: Vec<Layer>,
}

/// Layers from vectors to vectors.
#[derive(Module, Debug)]
pub struct DenseSequential {
    layers: Vec<DenseLayer>,
}

impl Sequential {
    /// These layers.
    pub fn new(layers: Vec<Layer>) -> Self {
        Self { layers }
    }

    /// # Shapes
    /// `[batch, channels, height, width]` to what the layers make of it.
    pub fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        let mut layers = self.layers.iter().peekable();
        let mut maps = maps;
        while let Some(layer) = layers.next() {
            let rectified = layers.next_if(|next| {
                matches!((layer, next), (Layer::Norm(_), Layer::Activation(next)) if next.is_relu())
            });
            maps = match (layer, rectified) {
                (Layer::Norm(norm), Some(_)) => norm.rectified(maps),
                (layer, _) => layer.forward(maps),
            };
        }
        maps
    }
}

impl DenseSequential {
    /// These layers.
    pub fn new(layers: Vec<DenseLayer>) -> Self {
        Self { layers }
    }

    /// Number of the last layer.
    pub fn last(&self) -> usize {
        self.layers.len() - 1
    }

    /// # Shapes
    /// `[batch, inputs]` to `[batch, outputs]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(x, |x, layer| layer.forward(x))
    }
}

impl Layer {
    fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Conv(layer) => layer.forward(maps),
            Self::Norm(layer) => layer.forward(maps),
            Self::ResponseNorm(layer) => layer.forward(maps),
            Self::Activation(layer) => layer.forward(maps),
            Self::Pool(layer) => layer.forward(maps),
            Self::AdaptivePool(layer) => layer.forward(maps),
            Self::Dropout(layer) => layer.forward(maps),
            Self::Block(layers) => layers.forward(maps),
        }
    }
}

impl DenseLayer {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Linear(layer) => layer.forward(x),
            Self::Activation(layer) => layer.forward(x),
            Self::Dropout(layer) => layer.forward(x),
            Self::Flatten(_) => x,
        }
    }
}

macro_rules! layer_from {
    ($($layer:ident::$variant:ident($type:ty),)*) => {
        $(impl From<$type> for $layer {
            fn from(layer: $type) -> Self {
                Self::$variant(layer)
            }
        })*
    };
}

layer_from!(
    Layer::Conv(Conv2d),
    Layer::Norm(BatchNorm),
    Layer::ResponseNorm(ResponseNorm),
    Layer::Activation(Activation),
    Layer::Pool(Pool),
    Layer::AdaptivePool(AdaptivePool),
    Layer::Dropout(Dropout),
    Layer::Block(Sequential),
    DenseLayer::Linear(Linear),
    DenseLayer::Activation(Activation),
    DenseLayer::Dropout(Dropout),
    DenseLayer::Flatten(Flatten),
);
