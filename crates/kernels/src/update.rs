//! One step of an optimizer for one parameter, in place where nobody else
//! holds the buffers: every number is read once and written once.
//!
//! The order of the operations is the same on every backend and for any number
//! of threads, so that on flex the fused loops give the bits of Burn's own
//! operations.

use crate::{
    on_flex,
    simd::{Kernel, Vector, widest},
};
use burn::{
    backend::flex::{Flex, FlexTensor},
    tensor::{DType, Tensor},
};
use rayon::prelude::*;
use std::ops::Range;

/// Numbers that one thread updates at a time; with the buffers of Adam they
/// fill half of a megabyte, and a parameter that is smaller stays on one thread.
pub(crate) const CHUNK: usize = 1 << 15;

/// The numbers of a step of stochastic gradient descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate.
    pub lr: f32,
    /// Factor of the velocity.
    pub momentum: f32,
    /// Whether the step looks ahead along the velocity (Sutskever et al. 2013).
    pub nesterov: bool,
    /// Added to the gradient, times the weight.
    pub weight_decay: f32,
}

/// The weights after a step of SGD, and the velocity where one is given, as in
/// `torch.optim.SGD` with dampening 0:
///
/// ```text
/// g = g + weight_decay w
/// v = momentum v + g
/// w = w - lr v               without a velocity: w - lr g
///                            Nesterov:           w - lr (momentum v + g)
/// ```
///
/// # Shapes
/// All tensors have the shape of the weights. None may track gradients.
pub fn sgd<const D: usize>(
    weights: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Option<Tensor<D>>,
    step: SgdStep,
) -> (Tensor<D>, Option<Tensor<D>>) {
    if !fused([Some(&weights), Some(&gradient), velocity.as_ref()]) {
        return sgd_anywhere(weights, gradient, velocity, step);
    }
    let (mut weights, gradient) = (primitive(weights), primitive(gradient));
    let g = values(&gradient);
    let SgdStep {
        lr,
        momentum,
        nesterov,
        weight_decay,
    } = step;
    let decayed = |w: f32, g: f32| w * weight_decay + g;
    let Some(velocity) = velocity else {
        each([values_mut(&mut weights)], g, |[w], g| {
            for (w, &g) in w.iter_mut().zip(g) {
                *w -= decayed(*w, g) * lr;
            }
        });
        return (tensor(weights), None);
    };
    let mut velocity = primitive(velocity);
    let (w, v) = (values_mut(&mut weights), values_mut(&mut velocity));
    each([w, v], g, |[w, v], g| {
        for ((w, v), &g) in w.iter_mut().zip(v).zip(g) {
            let g = decayed(*w, g);
            *v = g + *v * momentum;
            let along = if nesterov { *v * momentum + g } else { *v };
            *w -= along * lr;
        }
    });
    (tensor(weights), Some(tensor(velocity)))
}

fn sgd_anywhere<const D: usize>(
    weights: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Option<Tensor<D>>,
    step: SgdStep,
) -> (Tensor<D>, Option<Tensor<D>>) {
    let gradient = match step.weight_decay {
        0.0 => gradient,
        decay => weights.clone().mul_scalar(decay).add(gradient),
    };
    let velocity = velocity.map(|v| gradient.clone().add(v.mul_scalar(step.momentum)));
    let along = match velocity.clone() {
        Some(v) if step.nesterov => v.mul_scalar(step.momentum).add(gradient),
        Some(v) => v,
        None => gradient,
    };
    (weights - along.mul_scalar(step.lr), velocity)
}

/// The numbers of a step of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Addition to the denominator.
    pub epsilon: f32,
    /// Weight decay.
    pub weight_decay: f32,
    /// Whether weights are shrunk directly (AdamW, Loshchilov & Hutter 2019)
    /// instead of through the gradient.
    pub decoupled: bool,
    /// Number of the step, from 1.
    pub time: i32,
}

/// What is the same for every number of a step of Adam.
struct Scalars {
    lr: f32,
    kept: f32,
    coupled: f32,
    beta1: f32,
    beta2: f32,
    first: f32,
    second: f32,
    factor: f32,
    epsilon: f32,
}

impl AdamStep {
    fn scalars(&self) -> Scalars {
        let decay = f64::from(self.weight_decay);
        let correction = (1.0 - self.beta2.powi(self.time)).sqrt();
        Scalars {
            lr: self.lr as f32,
            kept: match self.decoupled {
                true => (1.0 - self.lr * decay) as f32,
                false => 1.0,
            },
            coupled: match self.decoupled {
                true => 0.0,
                false => self.weight_decay,
            },
            beta1: self.beta1,
            beta2: self.beta2,
            first: 1.0 - self.beta1,
            second: 1.0 - self.beta2,
            factor: correction / (1.0 - self.beta1.powi(self.time)),
            epsilon: self.epsilon * correction,
        }
    }
}

/// The weights and the two moments after a step of Adam (Kingma & Ba 2015, with
/// the corrections of the biases drawn into two scalars as at the end of its
/// section 2), as in `torch.optim.Adam` and `torch.optim.AdamW`:
///
/// ```text
/// g = g + weight_decay w                 AdamW: w = (1 - lr weight_decay) w
/// m = beta1 m + (1 - beta1) g
/// v = beta2 v + (1 - beta2) g^2
/// w = w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// ```
///
/// # Shapes
/// All tensors have the shape of the weights. None may track gradients.
pub fn adam<const D: usize>(
    weights: Tensor<D>,
    gradient: Tensor<D>,
    [first, second]: [Tensor<D>; 2],
    step: AdamStep,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let s = step.scalars();
    if !fused([Some(&weights), Some(&gradient), Some(&first)]) || second.dtype() != DType::F32 {
        return adam_anywhere(weights, gradient, [first, second], &s);
    }
    let gradient = primitive(gradient);
    let [mut weights, mut first, mut second] = [weights, first, second].map(primitive);
    let parts = [&mut weights, &mut first, &mut second].map(values_mut);
    each(parts, values(&gradient), |[w, m, v], g| {
        for (((w, m), v), &g) in w.iter_mut().zip(m).zip(v).zip(g) {
            let g = *w * s.coupled + g;
            *m = *m * s.beta1 + g * s.first;
            *v = *v * s.beta2 + g * g * s.second;
            let along = *m * s.factor / (v.sqrt() + s.epsilon);
            *w = *w * s.kept - along * s.lr;
        }
    });
    (tensor(weights), [tensor(first), tensor(second)])
}

fn adam_anywhere<const D: usize>(
    weights: Tensor<D>,
    gradient: Tensor<D>,
    [first, second]: [Tensor<D>; 2],
    s: &Scalars,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let gradient = match s.coupled {
        0.0 => gradient,
        decay => weights.clone().mul_scalar(decay).add(gradient),
    };
    let first = first
        .mul_scalar(s.beta1)
        .add(gradient.clone().mul_scalar(s.first));
    let second = second
        .mul_scalar(s.beta2)
        .add(gradient.square().mul_scalar(s.second));
    let root = second.clone().sqrt().add_scalar(s.epsilon);
    let along = first.clone().mul_scalar(s.factor).div(root);
    let kept = match s.kept {
        1.0 => weights,
        kept => weights.mul_scalar(kept),
    };
    (kept - along.mul_scalar(s.lr), [first, second])
}

/// Whether the fused loops can work on these tensors.
pub(crate) fn fused<const D: usize>(tensors: [Option<&Tensor<D>>; 3]) -> bool {
    let mut tensors = tensors.into_iter().flatten();
    tensors.all(|t| t.dtype() == DType::F32 && !t.is_autodiff() && on_flex(&t.device()))
}

/// The buffer of a tensor that [`fused`] accepts, its numbers one after the other.
pub(crate) fn primitive<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    match tensor.try_into_primitive::<Flex>() {
        Ok(tensor) if tensor.is_contiguous() => tensor,
        Ok(tensor) => tensor.to_contiguous(),
        Err(error) => unreachable!("a tensor on flex: {error:?}"),
    }
}

pub(crate) fn tensor<const D: usize>(primitive: FlexTensor) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(primitive)
}

fn span(tensor: &FlexTensor) -> Range<usize> {
    let from = tensor.layout().start_offset();
    from..from + tensor.layout().num_elements()
}

pub(crate) fn values(tensor: &FlexTensor) -> &[f32] {
    &tensor.storage()[span(tensor)]
}

/// In place for the only owner of the buffer; anybody else gets a copy.
pub(crate) fn values_mut(tensor: &mut FlexTensor) -> &mut [f32] {
    let span = span(tensor);
    &mut tensor.storage_mut()[span]
}

/// Hands all slices to `work`, cut at the same fixed places, on all threads and
/// with the widest vectors that the processor has.
pub(crate) fn each<const N: usize>(
    parts: [&mut [f32]; N],
    gradient: &[f32],
    work: impl Fn([&mut [f32]; N], &[f32]) + Sync,
) {
    let work = |(parts, chunk)| {
        widest(Chunk {
            parts,
            gradient: chunk,
            work: &work,
        });
    };
    let mut rest = parts;
    let cut = gradient.chunks(CHUNK).map(|chunk| {
        let heads = rest.each_mut().map(|part| {
            let (head, tail) = std::mem::take(part).split_at_mut(chunk.len());
            *part = tail;
            head
        });
        (heads, chunk)
    });
    match gradient.len() <= CHUNK {
        true => cut.for_each(work),
        false => cut.collect::<Vec<_>>().into_par_iter().for_each(work),
    }
}

struct Chunk<'a, const N: usize, F> {
    parts: [&'a mut [f32]; N],
    gradient: &'a [f32],
    work: F,
}

impl<const N: usize, F: Fn([&mut [f32]; N], &[f32])> Kernel for Chunk<'_, N, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        (self.work)(self.parts, self.gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    /// More than one chunk, and one that is not full.
    const SHAPE: [usize; 2] = [301, 411];

    fn random() -> Tensor<2> {
        Tensor::random(SHAPE, Distribution::Normal(0.0, 1.0), &Device::flex())
    }

    fn bits(tensor: Tensor<2>) -> Vec<u32> {
        let bits = |value: f32| if value == 0.0 { 0 } else { value.to_bits() };
        tensor.into_data().iter::<f32>().map(bits).collect()
    }

    #[test]
    fn sgd_gives_the_bits_of_burns_operations() {
        for (momentum, nesterov) in [(None, false), (Some(0.9), false), (Some(0.9), true)] {
            for weight_decay in [0.0, 1e-2] {
                let step = SgdStep {
                    lr: 0.1,
                    momentum: momentum.unwrap_or_default(),
                    nesterov,
                    weight_decay,
                };
                let (w, g) = (random(), random());
                let v = momentum.map(|_| random());
                let (w1, v1) = sgd(w.clone(), g.clone(), v.clone(), step);
                let (w2, v2) = sgd_anywhere(w, g, v, step);
                assert_eq!(bits(w1), bits(w2), "{step:?}");
                assert_eq!(v1.map(bits), v2.map(bits), "{step:?}");
            }
        }
    }

    #[test]
    fn adam_gives_the_bits_of_burns_operations() {
        for (decoupled, weight_decay) in [(false, 0.0), (false, 1e-2), (true, 1e-2)] {
            let step = AdamStep {
                lr: 1e-3,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay,
                decoupled,
                time: 3,
            };
            let (w, g, moments) = (random(), random(), [random(), random().abs()]);
            let (w1, m1) = adam(w.clone(), g.clone(), moments.clone(), step);
            let (w2, m2) = adam_anywhere(w, g, moments, &step.scalars());
            assert_eq!(bits(w1), bits(w2), "{step:?}");
            assert_eq!(m1.map(bits), m2.map(bits), "{step:?}");
        }
    }

    #[test]
    fn views_are_read_as_what_they_show_and_others_keep_their_numbers() {
        let step = SgdStep {
            lr: 0.5,
            momentum: 0.0,
            nesterov: false,
            weight_decay: 0.0,
        };
        let whole = random();
        let before = bits(whole.clone());
        let weights = || whole.clone().slice([1..3, 0..2]);
        let gradient = transposed;
        let expected = weights() - gradient() * 0.5;
        assert_eq!(
            bits(sgd(weights(), gradient(), None, step).0),
            bits(expected)
        );
        assert_eq!(bits(whole), before);
    }

    fn transposed() -> Tensor<2> {
        Tensor::from_data([[1.0, 2.0], [3.0, 4.0]], &Device::flex()).transpose()
    }

    #[test]
    fn a_buffer_of_ones_own_is_updated_where_it_is() {
        let step = SgdStep {
            lr: 0.5,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.0,
        };
        let (w, v) = (primitive(random()), primitive(random()));
        let places = [w.bytes().as_ptr(), v.bytes().as_ptr()];
        let (w, v) = sgd(tensor(w), random(), Some(tensor(v)), step);
        let v = v.expect("a velocity");
        let found = [w, v].map(|tensor: Tensor<2>| primitive(tensor).bytes().as_ptr());
        assert_eq!(found, places);
    }
}
