//! What acts on each parameter together with its optimizer's step: clipping of
//! single gradients before it, the proximal step of L1 and the norm constraint
//! after it.

use crate::optimizer::wrap::{Decay, Rule};
use burn::{
    optim::{LearningRate, Optimizer},
    tensor::{Device, Tensor},
};
use kiln_kernels::soft_threshold;

/// Bounds on gradients and weights; `None` is off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Constraints {
    /// The largest size of a gradient.
    pub clip_value: Option<f64>,
    /// Weight of the sum of all |w| in the loss.
    pub l1: Option<f64>,
    /// The largest norm of the weights of one unit.
    pub max_norm: Option<f64>,
}

impl Constraints {
    /// Whether there is none.
    pub fn are_off(&self) -> bool {
        *self == Self::default()
    }

    /// Those of them that are no bounds on weights.
    pub fn of_gradients(self) -> Self {
        Self {
            clip_value: self.clip_value,
            ..Self::default()
        }
    }
}

/// An optimizer under constraints. Biases and the scales of norms, which are
/// vectors, are left to the optimizer alone.
#[derive(Clone)]
pub(crate) struct Constrained<O> {
    /// The optimizer.
    pub inner: O,
    /// Its bounds.
    pub constraints: Constraints,
}

impl<O: Rule> Rule for Constrained<O> {
    fn decaying(self, decay: Decay) -> Self {
        Self {
            inner: self.inner.decaying(decay),
            ..self
        }
    }
}

impl<O: Optimizer> Optimizer for Constrained<O> {
    type State<const D: usize> = O::State<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<O::State<D>>,
    ) -> (Tensor<D>, Option<O::State<D>>) {
        let Constraints {
            clip_value,
            l1,
            max_norm,
        } = self.constraints;
        let gradient = match clip_value {
            Some(bound) => gradient.clamp(-bound, bound),
            None => gradient,
        };
        let (mut weights, state) = self.inner.step(lr, weights, gradient, state);
        if D >= 2 {
            // The gradient step was one of size lr, and so is the proximal one.
            if let Some(l1) = l1 {
                weights = soft_threshold(weights, lr * l1);
            }
            if let Some(bound) = max_norm {
                weights = bounded(weights, bound);
            }
        }
        (weights, state)
    }

    fn to_device<const D: usize>(state: O::State<D>, device: &Device) -> O::State<D> {
        O::to_device(state, device)
    }
}

/// `weights` with those units scaled down whose norm is above `bound`. A unit
/// of a linear layer, `[inputs, outputs]`, is a column; one of a convolution,
/// `[outputs, inputs, ..]`, a filter.
fn bounded<const D: usize>(weights: Tensor<D>, bound: f64) -> Tensor<D> {
    let outputs = if D == 2 { 1 } else { 0 };
    let squares = (0..D)
        .filter(|axis| *axis != outputs)
        .fold(weights.clone().square(), |sum, axis| sum.sum_dim(axis));
    let norms = squares.sqrt().clamp_min(f64::from(f32::MIN_POSITIVE));
    weights * (norms.recip() * bound).clamp_max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{find_optimizer, optimizer::rules::Sgd};

    fn stepped<const D: usize>(constraints: Constraints, weights: Tensor<D>) -> Vec<f32> {
        let settings = find_optimizer("sgd").expect("a row").defaults();
        let optimizer = Constrained {
            inner: Sgd::new(&settings, None),
            constraints,
        };
        let gradient = weights.ones_like() * 10.0;
        let (weights, _) = optimizer.step(0.1, weights, gradient, None);
        weights.into_data().iter::<f32>().collect()
    }

    fn matrix() -> Tensor<2> {
        Tensor::from_floats([[2.0, 1.05], [-3.0, 0.9]], &Device::flex())
    }

    fn assert_close(found: &[f32], wanted: &[f32]) {
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
        assert!(found.iter().zip(wanted).all(close), "{found:?} {wanted:?}");
    }

    #[test]
    fn l1_moves_what_the_step_gave_towards_zero_by_rate_times_weight() {
        let l1 = Constraints {
            l1: Some(1.0),
            ..Constraints::default()
        };
        // The step takes 1 away, the proximal step 0.1.
        assert_close(&stepped(l1, matrix()), &[0.9, 0.0, -3.9, 0.0]);
        let vector: Tensor<1> = Tensor::from_floats([1.05], &Device::flex());
        assert_close(&stepped(l1, vector), &[0.05]);
    }

    #[test]
    fn single_gradients_are_clipped() {
        let clip = Constraints {
            clip_value: Some(2.0),
            ..Constraints::default()
        };
        assert_close(&stepped(clip, matrix()), &[1.8, 0.85, -3.2, 0.7]);
    }

    #[test]
    fn no_unit_has_a_larger_norm_than_allowed() {
        let bound = Constraints {
            max_norm: Some(1.0),
            ..Constraints::default()
        };
        // After the step: columns (1, -4) and (0.05, -0.1).
        let norm = 17f32.sqrt();
        let wanted = [1.0 / norm, 0.05, -4.0 / norm, -0.1];
        assert_close(&stepped(bound, matrix()), &wanted);
        let filters: Tensor<4> = matrix().reshape([2, 1, 1, 2]);
        // Filters (1, 0.05) and (-4, -0.1).
        let norms = [1.0025f32.sqrt(), 16.01f32.sqrt()];
        let wanted = [
            1.0 / norms[0],
            0.05 / norms[0],
            -4.0 / norms[1],
            -0.1 / norms[1],
        ];
        assert_close(&stepped(bound, filters), &wanted);
    }
}
