//! Marks in a network: identities that note the time when the gradient passes
//! them, which is how a profile knows when each layer's backward ran.
//!
//! Burn's backward goes through the graph by depth, so layers on parallel
//! branches would run interleaved. A mark therefore stands behind an [`Anchor`],
//! the end of the layer that was computed before it: layers then run backward
//! in the exact reverse of their forward order, one after the other.

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, FloatDType,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind, unary},
        },
        backend_extension,
        ops::FloatTensorOps,
        tensor::FloatTensor,
    },
    tensor::{Shape, Tensor},
};
use std::{cell::RefCell, time::Instant};

thread_local! {
    static PASSED: RefCell<Vec<(usize, Instant)>> = const { RefCell::new(Vec::new()) };
}

/// The end of a layer, which holds none of its values.
#[derive(Clone, Debug)]
pub struct Anchor(Tensor<1>);

/// `x` with the mark `number`. The tensor must be on flex.
pub fn mark<const D: usize>(x: Tensor<D>, number: usize, behind: Option<&Anchor>) -> Tensor<D> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(match behind {
        None => <Dispatch as Marks>::mark(x, number),
        Some(Anchor(anchor)) => {
            <Dispatch as Marks>::mark_behind(x, anchor.clone().into_dispatch(), number)
        }
    })
}

/// An anchor at the layer that gave `x`, which must be on flex.
pub fn anchor<const D: usize>(x: &Tensor<D>) -> Anchor {
    let anchor = <Dispatch as Marks>::anchor(x.clone().into_dispatch());
    Anchor(Tensor::from_dispatch(anchor))
}

/// The marks that gradients have passed on this thread since the last call,
/// and when.
pub fn passed() -> Vec<(usize, Instant)> {
    PASSED.take()
}

/// The operations behind [`mark`] and [`anchor`].
#[backend_extension(Flex, Autodiff)]
pub trait Marks: Backend {
    /// The same tensor, with a mark.
    fn mark(x: FloatTensor<Self>, number: usize) -> FloatTensor<Self>;
    /// The same tensor, with a mark behind an anchor.
    fn mark_behind(
        x: FloatTensor<Self>,
        anchor: FloatTensor<Self>,
        number: usize,
    ) -> FloatTensor<Self>;
    /// A tensor of one value that is deeper in the graph than `x`.
    fn anchor(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Marks for Flex {
    fn mark(x: FloatTensor<Self>, _number: usize) -> FloatTensor<Self> {
        x
    }

    fn mark_behind(
        x: FloatTensor<Self>,
        _anchor: FloatTensor<Self>,
        _number: usize,
    ) -> FloatTensor<Self> {
        x
    }

    fn anchor(x: FloatTensor<Self>) -> FloatTensor<Self> {
        drop(x);
        Self::float_zeros(Shape::new([1]), &Default::default(), FloatDType::F32)
    }
}

impl<C: CheckpointStrategy> Marks for Autodiff<Flex, C> {
    fn mark(x: FloatTensor<Self>, number: usize) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let prepared = Backward::<Flex, 1>::prepare::<C>(Note, [node]).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(number, x),
            OpsKind::UnTracked(prepared) => prepared.finish(x),
        }
    }

    fn mark_behind(
        x: FloatTensor<Self>,
        anchor: FloatTensor<Self>,
        number: usize,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let nodes = [node, anchor.node()];
        let prepared = Backward::<Flex, 2>::prepare::<C>(Note, nodes).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(number, x),
            OpsKind::UnTracked(prepared) => prepared.finish(x),
        }
    }

    fn anchor(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let prepared = Backward::<Flex, 1>::prepare::<C>(End, [node]).compute_bound();
        prepared.stateless(Flex::anchor(x))
    }
}

/// Notes the time; the gradient goes on to the first input alone.
#[derive(Debug)]
struct Note;

impl Note {
    fn now(number: usize) {
        PASSED.with_borrow_mut(|passed| passed.push((number, Instant::now())));
    }
}

impl<B: Backend> Backward<B, 1> for Note {
    type State = usize;

    fn backward(self, ops: Ops<usize, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        Self::now(ops.state);
        unary::<B, _>(ops.parents, ops.node, grads, |grad| grad);
    }
}

impl<B: Backend> Backward<B, 2> for Note {
    type State = usize;

    fn backward(self, ops: Ops<usize, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        Self::now(ops.state);
        let [x, _] = ops.parents;
        unary::<B, _>([x], ops.node, grads, |grad| grad);
    }
}

/// Ends there: no gradient belongs to an anchor.
#[derive(Debug)]
struct End;

impl<B: Backend> Backward<B, 1> for End {
    type State = ();

    fn backward(self, _: Ops<(), 1>, _: &mut Gradients, _: &mut Checkpointer) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// Two branches of unequal depth from one tensor, joined.
    fn branches(x: Tensor<1>, marked: bool) -> Tensor<1> {
        let mut last = None;
        let mut number = 0;
        let mut layer = |x: Tensor<1>, compute: fn(Tensor<1>) -> Tensor<1>| {
            let x = match marked {
                true => mark(x, number, last.as_ref()),
                false => x,
            };
            let x = compute(x);
            number += 2;
            match marked {
                true => {
                    let x = mark(x, number - 1, None);
                    last = Some(anchor(&x));
                    x
                }
                false => x,
            }
        };
        let x = layer(x, |x| x * 3.0);
        let short = layer(x.clone(), |x| x.exp());
        let long = layer(x, |x| x.sin().cos().tanh() * 2.0);
        short * long
    }

    fn gradient(marked: bool) -> Vec<f32> {
        let device = Device::flex().autodiff();
        let x = Tensor::<1>::from_floats([0.1, -0.2, 0.3], &device).require_grad();
        let gradients = branches(x.clone(), marked).sum().backward();
        let gradient = x.grad(&gradients).expect("a gradient").into_data();
        gradient.iter::<f32>().collect()
    }

    #[test]
    fn marks_change_no_gradient_and_are_passed_from_the_last_to_the_first() {
        let plain = gradient(false);
        assert_eq!(passed(), []);
        assert_eq!(gradient(true), plain);
        let passed = passed();
        let numbers: Vec<_> = passed.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [5, 4, 3, 2, 1, 0]);
        assert!(passed.is_sorted_by_key(|(_, time)| *time));
    }

    #[test]
    fn a_mark_without_gradients_is_nothing() {
        let x = Tensor::<1>::from_floats([1.0, 2.0], &Device::flex());
        let marked = mark(x.clone(), 1, Some(&anchor(&x)));
        assert_eq!(marked.into_data(), x.into_data());
        let x = Tensor::<1>::from_floats([1.0, 2.0], &Device::flex().autodiff());
        let marked = mark(x.clone(), 1, Some(&anchor(&x)));
        assert_eq!(marked.into_data(), x.into_data());
        assert_eq!(passed(), []);
    }
}
