//! The non-linear functions between layers.

use super::spelled::is_spelled_out;
use crate::trace::{self, Report};
use burn::{
    module::{Module, Param},
    nn::Initializer,
    tensor::{Device, Tensor, activation as function},
};
use serde::{Deserialize, Serialize};

/// A non-linear function by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nonlinearity {
    /// None: the layers collapse to one linear map.
    Linear,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// max(0, x): V. Nair, G. Hinton, 2010.
    Relu,
    /// min(max(0, x), 6): A. Krizhevsky, 2010; MobileNet's.
    Relu6,
    /// x above 0, x / 100 below: A. Maas et al. 2013.
    LeakyRelu,
    /// x above 0, x times a learned slope below, 0.25 at first: K. He et al.
    /// 2015.
    Prelu,
    /// x above 0, exp(x) - 1 below: D.-A. Clevert et al. 2016.
    Elu,
    /// The larger of each two neighbouring channels: I. Goodfellow et al.
    /// 2013. The layer before it has twice as many outputs.
    Maxout,
}

/// Slope of the leaky ReLU below zero.
const LEAK: f64 = 0.01;

impl Nonlinearity {
    /// Outputs of the layer before it for each of its own.
    pub fn pieces(self) -> usize {
        match self {
            Self::Maxout => 2,
            _ => 1,
        }
    }

    /// The function as a layer.
    pub fn layer(self, device: &Device) -> Activation {
        let slope = || Initializer::Constant { value: 0.25 }.init([1], device);
        Activation {
            function: self,
            weight: (self == Self::Prelu).then(slope),
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Linear => "identity",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Relu => "ReLU",
            Self::Relu6 => "ReLU6",
            Self::LeakyRelu => "leaky ReLU",
            Self::Prelu => "PReLU",
            Self::Elu => "ELU",
            Self::Maxout => "maxout",
        }
    }
}

/// A non-linear function as a layer.
#[derive(Module, Debug)]
pub struct Activation {
    #[module(skip)]
    function: Nonlinearity,
    /// The learned slope of a PReLU.
    weight: Option<Param<Tensor<1>>>,
}

impl Activation {
    /// # Shapes
    /// `[batch, channels, ..]` to the same; maxout halves the channels.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let report = |shape| Report {
            weight: self.weight.as_ref().map(|weight| weight.id),
            parameters: self.weight.iter().len(),
            ..Report::pointwise(self.function.kind(), self.shape(shape))
        };
        trace::layer(x, report, |x| match is_spelled_out() {
            true => self.spell(x),
            false => self.apply(x),
        })
    }

    /// Whether it is max(0, x).
    pub(super) fn is_relu(&self) -> bool {
        self.function == Nonlinearity::Relu
    }

    fn shape<const D: usize>(&self, mut shape: [usize; D]) -> [usize; D] {
        shape[1] /= self.function.pieces();
        shape
    }

    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self.function {
            Nonlinearity::Linear => x,
            Nonlinearity::Sigmoid => function::sigmoid(x),
            Nonlinearity::Tanh => function::tanh(x),
            Nonlinearity::Relu => kiln_kernels::relu(x),
            Nonlinearity::Relu6 => kiln_kernels::relu6(x),
            Nonlinearity::LeakyRelu => function::leaky_relu(x, LEAK),
            Nonlinearity::Prelu => match &self.weight {
                Some(slope) => function::prelu(x, slope.val()),
                None => x,
            },
            Nonlinearity::Elu => function::elu(x, 1.0),
            Nonlinearity::Maxout => self.largest(x),
        }
    }

    /// The same by ReLUs and arithmetic.
    fn spell<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let above = || function::relu(x.clone());
        let below = || function::relu(-x.clone()); // with the sign turned
        match (self.function, &self.weight) {
            (Nonlinearity::Relu6, _) => above() - function::relu(x - 6.0),
            (Nonlinearity::LeakyRelu, _) => above() - below() * LEAK,
            (Nonlinearity::Prelu, Some(slope)) => above() - below() * slope.val().reshape([1; D]),
            (Nonlinearity::Elu, _) => above() + ((-below()).exp() - 1.0),
            _ => self.apply(x),
        }
    }

    fn largest<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let shape = x.dims();
        let pieces = self.function.pieces();
        let values: usize = shape[2..].iter().product();
        let groups = [shape[0], shape[1] / pieces, pieces, values];
        x.reshape(groups).max_dim(2).reshape(self.shape(shape))
    }
}

/// max(0, x), where a network says nothing else.
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let report = |shape| Report::pointwise("ReLU", shape);
    trace::layer(x, report, kiln_kernels::relu)
}
