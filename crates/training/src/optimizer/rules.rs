//! SGD and Adam as Burn's optimizers, over the in-place updates of
//! `kiln-kernels`. Their states are recorded under the names that Burn's own
//! optimizers use.

use super::{
    OptimizerSettings,
    wrap::{Decay, Rule},
};
use burn::{
    optim::{
        AdamState, AdaptiveMomentumState, LearningRate, Optimizer, RecordState, StateSink,
        StateSource, join_path,
    },
    tensor::{Device, Tensor},
};
use kiln_kernels::{AdamStep, SgdStep, adam, in_place, sgd};

/// Steps done, and `N` tensors in the shape of the parameter.
#[derive(Clone)]
pub struct Buffers<const D: usize, const N: usize> {
    /// Steps done.
    pub time: usize,
    /// What the optimizer keeps.
    pub tensors: [Tensor<D>; N],
}

impl<const D: usize, const N: usize> Buffers<D, N> {
    /// After `time` steps.
    pub fn new(time: usize, tensors: [Tensor<D>; N]) -> Self {
        Self { time, tensors }
    }

    /// Before the first step, for `weights`.
    pub fn zeros(weights: &Tensor<D>) -> Self {
        Self::new(0, [(); N].map(|()| weights.zeros_like()))
    }

    /// The same on `device`.
    pub fn on(self, device: &Device) -> Self {
        Self::new(self.time, self.tensors.map(|t| t.to_device(device)))
    }
}

impl<const D: usize, const N: usize> RecordState for Buffers<D, N> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "time", self.time.into());
        for (at, tensor) in self.tensors.iter().enumerate() {
            out.push_tensor(prefix, &format!("buffer{at}"), tensor.clone().into_data());
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let time = from.take_scalar(prefix, "time")?.try_into().ok()?;
        let tensors = (0..N).map(|at| {
            let data = from.take_tensor(prefix, &format!("buffer{at}"))?;
            Some(Tensor::from_data(data, device))
        });
        let tensors: Vec<_> = tensors.collect::<Option<_>>()?;
        Some(Self::new(time, tensors.try_into().ok()?))
    }
}

/// How SGD follows its velocity.
#[derive(Clone, Copy, PartialEq)]
pub enum Velocity {
    /// `v = momentum v + g`, as PyTorch.
    Sum,
    /// `v = momentum v + (1 - momentum) g`, the running mean of the gradients.
    Mean,
    /// The sum, and a look ahead along it.
    Nesterov,
}

/// SGD, with momentum or without.
#[derive(Clone)]
pub struct Sgd {
    velocity: Option<Velocity>,
    momentum: f64,
    /// Another momentum for the first steps, and their number.
    start: (f64, usize),
    decay: Decay,
}

impl Sgd {
    /// With these numbers, and no decay.
    pub fn new(settings: &OptimizerSettings, velocity: Option<Velocity>) -> Self {
        Self {
            velocity,
            momentum: settings.momentum,
            start: (settings.momentum_start, settings.momentum_switch_steps),
            decay: Decay::default(),
        }
    }
}

impl Rule for Sgd {
    fn decaying(self, decay: Decay) -> Self {
        Self { decay, ..self }
    }
}

/// The velocity, if there is momentum, and the steps done.
#[derive(Clone)]
pub struct SgdState<const D: usize> {
    velocity: Option<Tensor<D>>,
    time: usize,
}

impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        if let Some(velocity) = &self.velocity {
            let prefix = join_path(prefix, "momentum");
            out.push_tensor(&prefix, "velocity", velocity.clone().into_data());
            out.push_scalar(&prefix, "time", self.time.into());
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let prefix = join_path(prefix, "momentum");
        let velocity = from.take_tensor(&prefix, "velocity");
        let time = from.take_scalar(&prefix, "time");
        Some(Self {
            velocity: velocity.map(|data| Tensor::from_data(data, device)),
            time: time.and_then(|time| time.try_into().ok()).unwrap_or(0),
        })
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
        let (velocity, time) = state.map_or((None, 0), |state| (state.velocity, state.time));
        // Without one yet, zeros: the first velocity is the gradient.
        let velocity = self
            .velocity
            .map(|_| velocity.unwrap_or_else(|| weights.zeros_like()));
        let momentum = match self.start {
            (start, steps) if time < steps => start,
            _ => self.momentum,
        };
        let weight_decay = self.decay.of::<D>();
        let (weights, velocity) = match (self.velocity, velocity) {
            (Some(Velocity::Mean), Some(velocity)) => {
                let mean = (momentum, weight_decay);
                let [weights, velocity] = mean_step([weights, velocity], gradient, lr, mean);
                (weights, Some(velocity))
            }
            (kind, velocity) => {
                let step = SgdStep {
                    lr: lr as f32,
                    momentum: momentum as f32,
                    nesterov: kind == Some(Velocity::Nesterov),
                    weight_decay,
                };
                sgd(weights, gradient, velocity, step)
            }
        };
        let time = time + 1;
        (weights, Some(SgdState { velocity, time }))
    }

    fn to_device<const D: usize>(state: SgdState<D>, device: &Device) -> SgdState<D> {
        SgdState {
            velocity: state.velocity.map(|velocity| velocity.to_device(device)),
            ..state
        }
    }
}

/// A step along the running mean of the gradients.
fn mean_step<const D: usize>(
    tensors: [Tensor<D>; 2],
    gradient: Tensor<D>,
    lr: f64,
    (momentum, decay): (f64, f32),
) -> [Tensor<D>; 2] {
    let lr = lr as f32;
    let (kept, fresh) = (momentum as f32, (1.0 - momentum) as f32);
    in_place(
        tensors,
        gradient,
        |[w, v], g| {
            for ((w, v), &g) in w.iter_mut().zip(v).zip(g) {
                let g = *w * decay + g;
                *v = *v * kept + g * fresh;
                *w -= *v * lr;
            }
        },
        |[w, v], g| {
            let g = w.clone().mul_scalar(decay) + g;
            let v = v.mul_scalar(kept) + g.mul_scalar(fresh);
            [w - v.clone().mul_scalar(lr), v]
        },
    )
}

/// Adam and AdamW.
#[derive(Clone)]
pub struct Adam {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    decoupled: bool,
    corrected: bool,
    decay: Decay,
}

impl Adam {
    /// With these numbers, and no decay.
    pub fn new(settings: &OptimizerSettings) -> Self {
        Self {
            beta1: settings.beta1 as f32,
            beta2: settings.beta2 as f32,
            epsilon: settings.epsilon as f32,
            decoupled: false,
            corrected: true,
            decay: Decay::default(),
        }
    }

    /// With AdamW's weight decay.
    pub fn decoupled(self) -> Self {
        Self {
            decoupled: true,
            ..self
        }
    }

    /// Without the correction of the moments' biases.
    pub fn uncorrected(self) -> Self {
        Self {
            corrected: false,
            ..self
        }
    }

    /// A step from `state`, the number of steps done and the two moments.
    pub fn update<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        (time, moments): (usize, [Tensor<D>; 2]),
    ) -> (Tensor<D>, [Tensor<D>; 2]) {
        let time = match self.corrected {
            true => i32::try_from(time + 1).unwrap_or(i32::MAX),
            // After so many steps nothing is left to correct.
            false => i32::MAX,
        };
        let step = AdamStep {
            lr,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            weight_decay: self.decay.of::<D>(),
            decoupled: self.decoupled,
            time,
        };
        adam(weights, gradient, moments, step)
    }
}

impl Rule for Adam {
    fn decaying(self, decay: Decay) -> Self {
        Self { decay, ..self }
    }
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
        let state = match state {
            Some(state) => state.momentum,
            None => AdaptiveMomentumState::new(0, weights.zeros_like(), weights.zeros_like()),
        };
        let moments = (state.time, [state.moment_1, state.moment_2]);
        let (weights, [first, second]) = self.update(lr, weights, gradient, moments);
        let state = AdaptiveMomentumState::new(state.time + 1, first, second);
        (weights, Some(AdamState::new(state)))
    }

    fn to_device<const D: usize>(mut state: AdamState<D>, device: &Device) -> AdamState<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}
