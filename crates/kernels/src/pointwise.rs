//! Operations that treat every value alike, whatever the order in memory.
#![allow(unsafe_code)]

use crate::{
    flex::{Array, are_alike, is_dense, like},
    memory::written,
    place::on_flex,
    reduce::PART,
    simd::{Kernel, Vector, widest},
    track::track,
};
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        ops::FloatTensorOps,
        tensor::FloatTensor,
    },
    tensor::{DType, Tensor, activation},
};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Operations on flex that treat every value alike.
#[backend_extension(Flex, Autodiff)]
pub trait Pointwise: Backend {
    /// max(0, x), and at most `ceiling`.
    fn rectify(x: FloatTensor<Self>, ceiling: f32) -> FloatTensor<Self>;
    /// `one` + `other`, of equal shapes.
    fn sum(one: FloatTensor<Self>, other: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// max(0, x) of every value; what is no number stays so.
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match x.dtype() == DType::F32 && on_flex(&x.device()) {
        true => Tensor::from_dispatch(Dispatch::rectify(x.into_dispatch(), f32::INFINITY)),
        false => activation::relu(x),
    }
}

/// min(max(0, x), 6) of every value; what is no number stays so. The gradient
/// of 0 and of 6 is 0, as in PyTorch; that of Burn, on other backends, is 1.
pub fn relu6<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match x.dtype() == DType::F32 && on_flex(&x.device()) {
        true => Tensor::from_dispatch(Dispatch::rectify(x.into_dispatch(), 6.0)),
        false => activation::relu6(x),
    }
}

/// The sum of two tensors of equal shapes.
pub fn add<const D: usize>(one: Tensor<D>, other: Tensor<D>) -> Tensor<D> {
    let fits = one.dims() == other.dims() && one.dtype() == DType::F32;
    match fits && on_flex(&one.device()) {
        true => {
            let (one, other) = (one.into_dispatch(), other.into_dispatch());
            Tensor::from_dispatch(Dispatch::sum(one, other))
        }
        false => one + other,
    }
}

/// `operation` of every value: in place where nobody else has the tensor.
fn map(mut x: Array, operation: impl Fn(f32) -> f32 + Copy + Sync) -> Array {
    if let Some(values) = x.try_storage_mut::<f32>() {
        values.par_chunks_mut(PART).for_each(|values| {
            widest(Change { values, operation });
        });
        return x;
    }
    let from = x.storage::<f32>();
    let write = |to: &mut [MaybeUninit<f32>]| {
        let pairs = to.par_chunks_mut(PART).zip(from.par_chunks(PART));
        pairs.for_each(|(to, from)| {
            widest(Make {
                to,
                from,
                operation,
            })
        });
    };
    // SAFETY: every part writes all its values.
    let values = unsafe { written(from.len(), write) };
    like(values, &x)
}

/// `operation` of each two values of tensors that are alike: in place of the
/// first where nobody else has it.
pub fn zip(
    mut one: Array,
    other: &Array,
    operation: impl Fn(f32, f32) -> f32 + Copy + Sync,
) -> Array {
    let others = other.storage::<f32>();
    if let Some(values) = one.try_storage_mut::<f32>() {
        let pairs = values.par_chunks_mut(PART).zip(others.par_chunks(PART));
        pairs.for_each(|(values, others)| {
            widest(ChangeBoth {
                values,
                others,
                operation,
            });
        });
        return one;
    }
    let from = one.storage::<f32>();
    let write = |to: &mut [MaybeUninit<f32>]| {
        let pairs = from.par_chunks(PART).zip(others.par_chunks(PART));
        to.par_chunks_mut(PART)
            .zip(pairs)
            .for_each(|(to, (from, others))| {
                widest(MakeBoth {
                    to,
                    from,
                    others,
                    operation,
                });
            });
    };
    // SAFETY: every part writes all its values.
    let values = unsafe { written(from.len(), write) };
    like(values, &one)
}

struct Change<'a, F> {
    values: &'a mut [f32],
    operation: F,
}

impl<F: Fn(f32) -> f32> Kernel for Change<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for value in self.values {
            *value = (self.operation)(*value);
        }
    }
}

struct Make<'a, F> {
    to: &'a mut [MaybeUninit<f32>],
    from: &'a [f32],
    operation: F,
}

impl<F: Fn(f32) -> f32> Kernel for Make<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            to.write((self.operation)(from));
        }
    }
}

struct ChangeBoth<'a, F> {
    values: &'a mut [f32],
    others: &'a [f32],
    operation: F,
}

impl<F: Fn(f32, f32) -> f32> Kernel for ChangeBoth<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for (value, &other) in self.values.iter_mut().zip(self.others) {
            *value = (self.operation)(*value, other);
        }
    }
}

struct MakeBoth<'a, F> {
    to: &'a mut [MaybeUninit<f32>],
    from: &'a [f32],
    others: &'a [f32],
    operation: F,
}

impl<F: Fn(f32, f32) -> f32> Kernel for MakeBoth<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for ((to, &from), &other) in self.to.iter_mut().zip(self.from).zip(self.others) {
            to.write((self.operation)(from, other));
        }
    }
}

/// What is no number stays so, as in Burn and PyTorch.
#[inline(always)]
fn rectified(x: f32, ceiling: f32) -> f32 {
    let x = if x > ceiling { ceiling } else { x };
    if x.is_nan() || x > 0.0 { x } else { 0.0 }
}

/// The gradient where the rectified value is not zero.
#[inline(always)]
pub fn passed(gradient: f32, rectified: f32) -> f32 {
    if rectified.is_nan() || rectified > 0.0 {
        gradient
    } else {
        0.0
    }
}

impl Pointwise for Flex {
    fn rectify(x: FloatTensor<Self>, ceiling: f32) -> FloatTensor<Self> {
        let x = if is_dense(&x) { x } else { x.to_contiguous() };
        map(x, |x| rectified(x, ceiling))
    }

    fn sum(one: FloatTensor<Self>, other: FloatTensor<Self>) -> FloatTensor<Self> {
        let alike = is_dense(&one) && is_dense(&other) && are_alike(&one, &other);
        match alike {
            // Of equal values either may be written over.
            true if !one.is_unique() => zip(other, &one, |a, b| b + a),
            true => zip(one, &other, |a, b| a + b),
            false => Self::float_add(one, other),
        }
    }
}

#[derive(Debug)]
struct Rectified {
    ceiling: f32,
}

impl Backward<Flex, 1> for Rectified {
    type State = Array;

    fn backward(self, ops: Ops<Array, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [parent] = ops.parents;
        let (mut gradient, mut output) = (grads.consume::<Flex>(&ops.node), ops.state);
        let Some(parent) = parent else { return };
        if !(is_dense(&gradient) && is_dense(&output) && are_alike(&gradient, &output)) {
            (gradient, output) = (gradient.to_contiguous(), output.to_contiguous());
        }
        let gradient = match self.ceiling {
            f32::INFINITY => zip(gradient, &output, passed),
            // At the ceiling the value moves no more.
            ceiling => zip(gradient, &output, |gradient, output| {
                let below = if output < ceiling { output } else { 0.0 };
                passed(gradient, if output.is_nan() { output } else { below })
            }),
        };
        grads.register::<Flex>(parent.id, gradient);
    }
}

#[derive(Debug)]
struct Summed;

impl Backward<Flex, 2> for Summed {
    type State = ();

    fn backward(self, ops: Ops<(), 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        for parent in ops.parents.into_iter().flatten() {
            grads.register::<Flex>(parent.id, gradient.clone());
        }
    }
}

impl<C: CheckpointStrategy> Pointwise for Autodiff<Flex, C> {
    fn rectify(x: FloatTensor<Self>, ceiling: f32) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let output = Flex::rectify(x, ceiling);
        track!(Rectified { ceiling }, C, [node], output.clone(), output)
    }

    fn sum(one: FloatTensor<Self>, other: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((one, left), (other, right)) = (one.into_parts(), other.into_parts());
        let output = Flex::sum(one, other);
        track!(Summed, C, [left, right], (), output)
    }
}
