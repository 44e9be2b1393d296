//! A fully connected layer.

use super::conv::DEFAULT;
use crate::trace::{self, Report};
use burn::{
    module::{Module, Param},
    nn::Initializer,
    tensor::{Device, Tensor},
};
use kiln_kernels::linear;

/// A fully connected layer with a bias.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`; weight files hold it transposed, as PyTorch does.
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`.
    pub bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// Weights and biases uniform in ±1/sqrt(inputs).
    pub fn new([inputs, outputs]: [usize; 2], device: &Device) -> Self {
        Self::drawn([inputs, outputs], [DEFAULT, DEFAULT], device)
    }

    /// Weights and biases from these two.
    pub fn drawn(
        [inputs, outputs]: [usize; 2],
        [weights, biases]: [Initializer; 2],
        device: &Device,
    ) -> Self {
        let (fan_in, fan_out) = (Some(inputs), Some(outputs));
        Self {
            weight: weights.init_with([inputs, outputs], fan_in, fan_out, device),
            bias: Some(biases.init_with([outputs], fan_in, fan_out, device)),
        }
    }

    /// # Shapes
    /// `[batch, inputs]` to `[batch, outputs]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let report = |[batch, _]: [usize; 2]| {
            let [inputs, outputs] = self.weight.lazy_shape().dims();
            Report {
                weight: Some(self.weight.id),
                parameters: inputs * outputs + self.bias.iter().len() * outputs,
                macs: (inputs * outputs) as u64,
                ..Report::pointwise("linear", [batch, outputs])
            }
        };
        trace::layer(x, report, |x| {
            linear(x, self.weight.val(), self.bias.as_ref().map(Param::val))
        })
    }
}
