//! Dropout of single values and of whole channels.

use crate::{
    Options,
    trace::{self, Report},
};
use burn::{
    module::{Flag, Module, Param},
    tensor::{Distribution, Tensor},
};

/// Sets values to zero at random while training, and scales the others up by
/// 1 / (1 - p): G. Hinton et al. 2012.
#[derive(Module, Debug)]
pub struct Dropout {
    probability: f64,
    /// Whether a channel is kept or dropped as a whole: J. Tompson et al.
    /// 2015, section 3.2 (PyTorch's `Dropout2d`).
    channels: bool,
    training: Param<Flag>,
}

impl Dropout {
    /// Drops single values; `probability` is in 0..1.
    pub fn new(probability: f64) -> Self {
        Self {
            probability,
            channels: false,
            training: Param::from_bool(true),
        }
    }

    /// Drops whole channels; `probability` is in 0..1.
    pub fn of_channels(probability: f64) -> Self {
        Self {
            channels: true,
            ..Self::new(probability)
        }
    }

    /// Of a network that has none unless [`Options::dropout`] is above 0.
    pub fn chosen(options: &Options) -> Option<Self> {
        options.dropout.filter(|share| *share > 0.0).map(Self::new)
    }

    /// Through the layer, if there is one.
    pub fn maybe<const D: usize>(dropout: &Option<Self>, x: Tensor<D>) -> Tensor<D> {
        match dropout {
            Some(dropout) => dropout.forward(x),
            None => x,
        }
    }

    /// # Shapes
    /// `[batch, channels, ..]` to the same.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let kind = if self.channels {
            "channel dropout"
        } else {
            "dropout"
        };
        let report = |shape| Report::pointwise(kind, shape);
        trace::layer(x, report, |x| {
            match x.device().is_autodiff() && self.training.is_enabled() && self.probability > 0.0 {
                true => self.drop(x),
                false => x,
            }
        })
    }

    fn drop<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let kept = 1.0 - self.probability;
        let mut shape = x.dims();
        if self.channels {
            shape[2..].fill(1);
        }
        let mask = Tensor::<D>::random(shape, Distribution::Bernoulli(kept), &x.device());
        x * mask * (1.0 / kept)
    }
}
