//! The norm of all gradients together, and clipping by it: R. Pascanu, T.
//! Mikolov, Y. Bengio 2013, section 3.2, as `torch.nn.utils.clip_grad_norm_`.

use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use kiln_kernels::squares_on_flex;

/// Added to the norm before it divides.
const EPSILON: f64 = 1e-6;

/// Hands every gradient to `change`, which gives it back.
struct Each<'a, F> {
    gradients: &'a mut GradientsParams,
    change: F,
}

/// What can be done to a gradient of any rank.
trait Change {
    fn change<const D: usize>(&mut self, id: ParamId, gradient: Tensor<D>) -> Tensor<D>;
}

impl<F: Change> ModuleVisitor for Each<'_, F> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let gradient = self.change.change(param.id, gradient);
            self.gradients.register(param.id, gradient);
        }
    }
}

fn each<M: Module, F: Change>(module: &M, gradients: &mut GradientsParams, change: F) -> F {
    let mut each = Each { gradients, change };
    module.visit(&mut each);
    each.change
}

#[derive(Default)]
struct Squares {
    /// The sum of those on flex.
    here: Option<f64>,
    /// The sum of those that would have to be waited for.
    there: Option<Tensor<1>>,
    /// The first parameter whose gradient is no number, on flex.
    odd: Option<ParamId>,
}

impl Change for Squares {
    fn change<const D: usize>(&mut self, id: ParamId, gradient: Tensor<D>) -> Tensor<D> {
        match squares_on_flex(&gradient) {
            Some(squares) => {
                if !squares.is_finite() && self.odd.is_none() {
                    self.odd = Some(id);
                }
                self.here = Some(self.here.unwrap_or_default() + squares);
            }
            None => {
                let squares = gradient.clone().square().sum();
                self.there = Some(match self.there.take() {
                    Some(sum) => sum + squares,
                    None => squares,
                });
            }
        }
        gradient
    }
}

struct Scale(Tensor<1>);

impl Change for Scale {
    fn change<const D: usize>(&mut self, _id: ParamId, gradient: Tensor<D>) -> Tensor<D> {
        gradient * self.0.clone().reshape([1; D])
    }
}

struct Times(f64);

impl Change for Times {
    fn change<const D: usize>(&mut self, _id: ParamId, gradient: Tensor<D>) -> Tensor<D> {
        gradient * self.0
    }
}

/// The Euclidean norm of all gradients together.
#[derive(Clone)]
pub(crate) enum Norm {
    /// On flex, where it is known at once.
    Known(f64),
    /// Elsewhere, `[1]` on the device.
    Pending(Box<Tensor<1>>),
}

impl Norm {
    /// As a tensor, `[1]`.
    pub fn tensor(&self) -> Tensor<1> {
        match self {
            Self::Known(norm) => Tensor::from_floats([*norm as f32], &Device::flex()),
            Self::Pending(norm) => (**norm).clone(),
        }
    }
}

/// The norm of all gradients and, on flex, the first parameter whose gradient
/// is infinite or NaN.
pub(crate) fn gradient_norm<M: Module>(
    module: &M,
    gradients: &mut GradientsParams,
) -> (Option<Norm>, Option<ParamId>) {
    let squares = each(module, gradients, Squares::default());
    let norm = match squares.there {
        Some(there) => Some(Norm::Pending(Box::new(there.sqrt()))),
        None => squares.here.map(|here| Norm::Known(here.sqrt())),
    };
    (norm, squares.odd)
}

/// Scales all gradients down to the norm `bound` where `norm`, theirs, is
/// larger; no device is waited for.
pub(crate) fn clip<M: Module>(
    module: &M,
    gradients: &mut GradientsParams,
    norm: &Norm,
    bound: f64,
) {
    match norm {
        Norm::Known(norm) if norm + EPSILON <= bound => {}
        Norm::Known(norm) => scale(module, gradients, bound / (norm + EPSILON)),
        Norm::Pending(norm) => {
            let factor = (((**norm).clone() + EPSILON).recip() * bound).clamp_max(1.0);
            each(module, gradients, Scale(factor));
        }
    }
}

/// Multiplies all gradients by `factor`.
pub(crate) fn scale<M: Module>(module: &M, gradients: &mut GradientsParams, factor: f64) {
    each(module, gradients, Times(factor));
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[derive(Module, Debug)]
    struct Net {
        weight: Param<Tensor<2>>,
        bias: Param<Tensor<1>>,
    }

    fn net() -> (Net, GradientsParams) {
        let device = Device::flex();
        let net = Net {
            weight: Param::from_tensor(Tensor::zeros([2, 2], &device)),
            bias: Param::from_tensor(Tensor::zeros([2], &device)),
        };
        let mut gradients = GradientsParams::new();
        let weight: Tensor<2> = Tensor::from_floats([[1.0, 2.0], [4.0, 0.0]], &device);
        gradients.register(net.weight.id, weight);
        gradients.register::<1>(net.bias.id, Tensor::from_floats([0.0, 2.0], &device));
        (net, gradients)
    }

    fn clipped(bound: f64) -> (f32, Vec<f32>) {
        let (net, mut gradients) = net();
        let (norm, odd) = gradient_norm(&net, &mut gradients);
        let norm = norm.expect("gradients");
        assert_eq!(odd, None);
        clip(&net, &mut gradients, &norm, bound);
        let weight = gradients.remove::<2>(net.weight.id).expect("kept");
        (
            norm.tensor().into_scalar(),
            weight.into_data().iter::<f32>().collect(),
        )
    }

    #[test]
    fn all_gradients_share_one_norm_and_one_factor() {
        let (norm, gradient) = clipped(1.0);
        assert!((norm - 5.0).abs() < 1e-6);
        let wanted = [0.2f32, 0.4, 0.8, 0.0];
        assert!(
            gradient
                .iter()
                .zip(wanted)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        assert_eq!(clipped(6.0).1, [1.0, 2.0, 4.0, 0.0], "what is small stays");
    }

    #[test]
    fn the_first_gradient_that_is_no_number_is_named() {
        let (net, mut gradients) = net();
        let nan = Tensor::from_floats([0.0, f32::NAN], &Device::flex());
        gradients.register::<1>(net.bias.id, nan);
        let (_, odd) = gradient_norm(&net, &mut gradients);
        assert_eq!(odd, Some(net.bias.id));
    }
}
