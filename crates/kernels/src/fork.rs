//! Two paths from one tensor, whose gradients are added in the order in which
//! they lie in memory; Burn's own addition would bring them into another.

use crate::{flex::Array, place::on_flex, pointwise::Pointwise, track::track};
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{DType, Tensor},
};
use std::sync::{Arc, Mutex, PoisonError};

/// The gradient of the path that came first.
#[derive(Clone, Debug, Default)]
pub struct Meeting(Arc<Mutex<Option<Array>>>);

/// Paths from one tensor on flex.
#[backend_extension(Flex, Autodiff)]
pub trait Forking: Backend {
    /// `x`, as the beginning of one of two paths.
    fn path(x: FloatTensor<Self>, meeting: Meeting) -> FloatTensor<Self>;
}

/// `x` twice, as the beginning of two paths that meet again.
///
/// Gradients reach `x` once both paths have brought theirs: the result that is
/// differentiated must depend on both.
pub fn fork(x: Tensor<4>) -> [Tensor<4>; 2] {
    if x.dtype() != DType::F32 || !x.device().is_autodiff() || !on_flex(&x.device()) {
        return [x.clone(), x];
    }
    let meeting = Meeting::default();
    [x.clone(), x].map(|x| {
        let path = Dispatch::path(x.into_dispatch(), meeting.clone());
        Tensor::from_dispatch(path)
    })
}

impl Forking for Flex {
    fn path(x: FloatTensor<Self>, _: Meeting) -> FloatTensor<Self> {
        x
    }
}

#[derive(Debug)]
struct Path;

impl Backward<Flex, 1> for Path {
    type State = Meeting;

    fn backward(self, ops: Ops<Meeting, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [parent] = ops.parents;
        let gradient = grads.consume::<Flex>(&ops.node);
        let Some(parent) = parent else { return };
        let mut first = ops.state.0.lock().unwrap_or_else(PoisonError::into_inner);
        match first.take() {
            None => *first = Some(gradient),
            Some(first) => grads.register::<Flex>(parent.id, Flex::sum(gradient, first)),
        }
    }
}

impl<C: CheckpointStrategy> Forking for Autodiff<Flex, C> {
    fn path(x: FloatTensor<Self>, meeting: Meeting) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        track!(Path, C, [node], meeting, x)
    }
}
