//! Lookahead (Zhang et al. 2019, "Lookahead Optimizer: k steps forward, 1 step
//! back", algorithm 1) around any optimizer.

use super::wrap::{Decay, Rule};
use burn::{
    optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource, join_path},
    tensor::{Device, Tensor},
};
use kiln_kernels::in_place;

/// An optimizer, and slow weights that follow it every so many steps: then
/// `slow += alpha (w - slow)` and `w = slow`. The optimizer keeps its own state.
#[derive(Clone)]
pub struct Lookahead<O> {
    inner: O,
    every: usize,
    alpha: f64,
}

impl<O> Lookahead<O> {
    /// Slow weights that go the share `alpha` of the way every `every` steps.
    pub fn new(inner: O, every: usize, alpha: f64) -> Self {
        Self {
            inner,
            every,
            alpha,
        }
    }
}

impl<O: Rule> Rule for Lookahead<O> {
    fn decaying(self, decay: Decay) -> Self {
        Self {
            inner: self.inner.decaying(decay),
            ..self
        }
    }
}

/// The slow weights, the steps since they moved, and the optimizer's state.
#[derive(Clone)]
pub struct LookaheadState<const D: usize, S> {
    slow: Tensor<D>,
    steps: usize,
    inner: Option<S>,
}

impl<const D: usize, S: RecordState> RecordState for LookaheadState<D, S> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "slow", self.slow.clone().into_data());
        out.push_scalar(prefix, "steps", self.steps.into());
        if let Some(inner) = &self.inner {
            inner.state_flatten(&join_path(prefix, "inner"), out);
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let slow = from.take_tensor(prefix, "slow")?;
        let steps = from.take_scalar(prefix, "steps")?;
        let inner = join_path(prefix, "inner");
        Some(Self {
            slow: Tensor::from_data(slow, device),
            steps: steps.try_into().ok()?,
            inner: match from.has_under(&inner) {
                true => Some(S::state_unflatten(&inner, from, device)?),
                false => None,
            },
        })
    }
}

impl<O: Optimizer> Optimizer for Lookahead<O> {
    type State<const D: usize> = LookaheadState<D, O::State<D>>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let (slow, steps, inner) = match state {
            Some(state) => (state.slow, state.steps, state.inner),
            // Numbers of their own: a shared buffer could not be updated in place.
            None => (weights.zeros_like() + weights.clone(), 0, None),
        };
        let (weights, inner) = self.inner.step(lr, weights, gradient, inner);
        let state = |slow, steps| Some(LookaheadState { slow, steps, inner });
        if steps + 1 < self.every {
            return (weights, state(slow, steps + 1));
        }
        let (kept, gone) = ((1.0 - self.alpha) as f32, self.alpha as f32);
        let slow = slow.mul_scalar(kept) + weights.clone().mul_scalar(gone);
        let [weights] = in_place(
            [weights],
            slow.clone(),
            |[w], slow| w.copy_from_slice(slow),
            |_, slow| [slow],
        );
        (weights, state(slow, 0))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        LookaheadState {
            slow: state.slow.to_device(device),
            inner: state.inner.map(|inner| O::to_device(inner, device)),
            ..state
        }
    }
}
