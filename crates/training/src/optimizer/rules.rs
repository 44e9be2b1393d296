//! SGD and Adam as Burn's optimizers, over the in-place updates of
//! `kiln-kernels`. Their states are recorded under the names that Burn's own
//! optimizers use.

use burn::{
    optim::{
        AdamState, AdaptiveMomentumState, LearningRate, Optimizer, RecordState, StateSink,
        StateSource, join_path,
    },
    tensor::{Device, Tensor},
};
use kiln_kernels::{AdamStep, SgdStep, adam, sgd};

/// SGD, with momentum or without.
#[derive(Clone)]
pub struct Sgd {
    /// The velocity's factor; without one there is no velocity.
    pub momentum: Option<f32>,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Coupled weight decay.
    pub weight_decay: f32,
}

/// The velocity, if there is momentum.
#[derive(Clone)]
pub struct SgdState<const D: usize>(Option<Tensor<D>>);

impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        if let Some(velocity) = &self.0 {
            let data = velocity.clone().into_data();
            out.push_tensor(&join_path(prefix, "momentum"), "velocity", data);
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = from.take_tensor(&join_path(prefix, "momentum"), "velocity");
        Some(Self(velocity.map(|data| Tensor::from_data(data, device))))
    }
}

impl Optimizer for Sgd {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        // Without one yet, zeros: the first velocity is the gradient.
        let velocity = self.momentum.map(|_| {
            let known = state.and_then(|state| state.0);
            known.unwrap_or_else(|| weights.zeros_like())
        });
        let step = SgdStep {
            lr: lr as f32,
            momentum: self.momentum.unwrap_or_default(),
            nesterov: self.nesterov,
            weight_decay: self.weight_decay,
        };
        let (weights, velocity) = sgd(weights, gradient, velocity, step);
        (weights, Some(SgdState(velocity)))
    }

    fn to_device<const D: usize>(state: SgdState<D>, device: &Device) -> SgdState<D> {
        SgdState(state.0.map(|velocity| velocity.to_device(device)))
    }
}

/// Adam and AdamW.
#[derive(Clone)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Addition to the denominator.
    pub epsilon: f32,
    /// Weight decay.
    pub weight_decay: f32,
    /// Whether it is AdamW's.
    pub decoupled: bool,
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let mut state = match state {
            Some(state) => state.momentum,
            None => AdaptiveMomentumState::new(0, weights.zeros_like(), weights.zeros_like()),
        };
        state.time += 1;
        let step = AdamStep {
            lr,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
            decoupled: self.decoupled,
            time: i32::try_from(state.time).unwrap_or(i32::MAX),
        };
        let moments = [state.moment_1, state.moment_2];
        let (weights, [first, second]) = adam(weights, gradient, moments, step);
        let state = AdaptiveMomentumState::new(state.time, first, second);
        (weights, Some(AdamState::new(state)))
    }

    fn to_device<const D: usize>(mut state: AdamState<D>, device: &Device) -> AdamState<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}
