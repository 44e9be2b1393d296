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

#[cfg(test)]
mod tests;

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

/// `tensors` with other numbers. `work` gets theirs and those of `gradient`, cut
/// at the same fixed places into slices of equal length, and changes the former:
/// one pass, in place where nobody else holds a buffer. It must treat every
/// position alike, whatever the slice it is in. On other backends than flex, and
/// for other numbers than float32, `otherwise` does the same in Burn's
/// operations.
///
/// # Shapes
/// All tensors have the same shape. None may track gradients.
pub fn in_place<const D: usize, const N: usize>(
    tensors: [Tensor<D>; N],
    gradient: Tensor<D>,
    work: impl Fn([&mut [f32]; N], &[f32]) + Sync,
    otherwise: impl FnOnce([Tensor<D>; N], Tensor<D>) -> [Tensor<D>; N],
) -> [Tensor<D>; N] {
    let fusable = |tensor: &Tensor<D>| fused([Some(tensor), None, None]);
    if !tensors.iter().all(fusable) || !fusable(&gradient) {
        return otherwise(tensors, gradient);
    }
    let gradient = primitive(gradient);
    let mut tensors = tensors.map(primitive);
    each(tensors.each_mut().map(values_mut), values(&gradient), work);
    tensors.map(tensor)
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
    divide(parts, gradient, &|parts, gradient| {
        widest(Chunk {
            parts,
            gradient,
            work: &work,
        });
    });
}

/// What is done to slices that were cut at the same places.
type Work<'a, const N: usize> = dyn Fn([&mut [f32]; N], &[f32]) + Sync + 'a;

/// The division among threads, once for all kinds of work: there is one kind for
/// each optimizer and number of dimensions.
fn divide<const N: usize>(parts: [&mut [f32]; N], gradient: &[f32], work: &Work<N>) {
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
        true => cut.for_each(|(parts, chunk)| work(parts, chunk)),
        false => {
            let chunks = cut.collect::<Vec<_>>().into_par_iter();
            chunks.for_each(|(parts, chunk)| work(parts, chunk));
        }
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
