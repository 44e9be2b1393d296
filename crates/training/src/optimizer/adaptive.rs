//! AdaGrad, RMSprop and Lion.

use super::{
    OptimizerSettings,
    rules::Buffers,
    wrap::{Decay, Rule},
};
use burn::{
    optim::{LearningRate, Optimizer},
    tensor::{Device, Tensor},
};
use kiln_kernels::in_place;

/// AdaGrad (Duchi et al. 2011) as `torch.optim.Adagrad` without its decay of
/// the rate:
///
/// ```text
/// g = g + weight_decay w
/// s = s + g^2
/// w = w - lr g / (sqrt(s) + epsilon)
/// ```
#[derive(Clone)]
pub struct AdaGrad {
    epsilon: f32,
    decay: Decay,
}

impl AdaGrad {
    /// With these numbers, and no decay.
    pub fn new(settings: &OptimizerSettings) -> Self {
        Self {
            epsilon: settings.epsilon as f32,
            decay: Decay::default(),
        }
    }
}

impl Rule for AdaGrad {
    fn decaying(self, decay: Decay) -> Self {
        Self { decay, ..self }
    }
}

impl Optimizer for AdaGrad {
    /// The sum of squares.
    type State<const D: usize> = Buffers<D, 1>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Buffers<D, 1>>,
    ) -> (Tensor<D>, Option<Buffers<D, 1>>) {
        let Buffers { time, tensors } = state.unwrap_or_else(|| Buffers::zeros(&weights));
        let [sum] = tensors;
        let (lr, decay, epsilon) = (lr as f32, self.decay.of::<D>(), self.epsilon);
        let [weights, sum] = in_place(
            [weights, sum],
            gradient,
            |[w, s], g| {
                for ((w, s), &g) in w.iter_mut().zip(s).zip(g) {
                    let g = *w * decay + g;
                    *s += g * g;
                    *w -= g / (s.sqrt() + epsilon) * lr;
                }
            },
            |[w, sum], g| {
                let g = decayed(&w, g, decay);
                let sum = sum + g.clone().square();
                let along = g / sum.clone().sqrt().add_scalar(epsilon);
                [w - along.mul_scalar(lr), sum]
            },
        );
        (weights, Some(Buffers::new(time + 1, [sum])))
    }

    fn to_device<const D: usize>(state: Buffers<D, 1>, device: &Device) -> Buffers<D, 1> {
        state.on(device)
    }
}

/// RMSprop (Hinton 2012, lecture 6e) as `torch.optim.RMSprop`, not centred:
///
/// ```text
/// g = g + weight_decay w
/// s = alpha s + (1 - alpha) g^2
/// v = momentum v + g / (sqrt(s) + epsilon)
/// w = w - lr v
/// ```
#[derive(Clone)]
pub struct RmsProp {
    alpha: f64,
    epsilon: f32,
    momentum: f32,
    decay: Decay,
}

impl RmsProp {
    /// With these numbers, and no decay.
    pub fn new(settings: &OptimizerSettings) -> Self {
        Self {
            alpha: settings.alpha,
            epsilon: settings.epsilon as f32,
            momentum: settings.momentum as f32,
            decay: Decay::default(),
        }
    }
}

impl Rule for RmsProp {
    fn decaying(self, decay: Decay) -> Self {
        Self { decay, ..self }
    }
}

impl Optimizer for RmsProp {
    /// The mean of squares and the velocity.
    type State<const D: usize> = Buffers<D, 2>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Buffers<D, 2>>,
    ) -> (Tensor<D>, Option<Buffers<D, 2>>) {
        let Buffers { time, tensors } = state.unwrap_or_else(|| Buffers::zeros(&weights));
        let [mean, velocity] = tensors;
        let (lr, decay, epsilon) = (lr as f32, self.decay.of::<D>(), self.epsilon);
        let (kept, fresh) = (self.alpha as f32, (1.0 - self.alpha) as f32);
        let momentum = self.momentum;
        let [weights, mean, velocity] = in_place(
            [weights, mean, velocity],
            gradient,
            |[w, s, v], g| {
                for (((w, s), v), &g) in w.iter_mut().zip(s).zip(v).zip(g) {
                    let g = *w * decay + g;
                    *s = *s * kept + g * g * fresh;
                    *v = *v * momentum + g / (s.sqrt() + epsilon);
                    *w -= *v * lr;
                }
            },
            |[w, mean, velocity], g| {
                let g = decayed(&w, g, decay);
                let mean = mean.mul_scalar(kept) + g.clone().square().mul_scalar(fresh);
                let along = g / mean.clone().sqrt().add_scalar(epsilon);
                let velocity = velocity.mul_scalar(momentum) + along;
                [w - velocity.clone().mul_scalar(lr), mean, velocity]
            },
        );
        (weights, Some(Buffers::new(time + 1, [mean, velocity])))
    }

    fn to_device<const D: usize>(state: Buffers<D, 2>, device: &Device) -> Buffers<D, 2> {
        state.on(device)
    }
}

/// Lion (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms",
/// algorithm 2):
///
/// ```text
/// u = sign(beta1 m + (1 - beta1) g)
/// m = beta2 m + (1 - beta2) g
/// w = (1 - lr weight_decay) w - lr u
/// ```
#[derive(Clone)]
pub struct Lion {
    beta1: f64,
    beta2: f64,
    decay: Decay,
}

impl Lion {
    /// With these numbers, and no decay.
    pub fn new(settings: &OptimizerSettings) -> Self {
        Self {
            beta1: settings.beta1,
            beta2: settings.beta2,
            decay: Decay::default(),
        }
    }
}

impl Rule for Lion {
    fn decaying(self, decay: Decay) -> Self {
        Self { decay, ..self }
    }
}

impl Optimizer for Lion {
    /// The momentum.
    type State<const D: usize> = Buffers<D, 1>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Buffers<D, 1>>,
    ) -> (Tensor<D>, Option<Buffers<D, 1>>) {
        let Buffers { time, tensors } = state.unwrap_or_else(|| Buffers::zeros(&weights));
        let [momentum] = tensors;
        let shrunk = (1.0 - lr * f64::from(self.decay.of::<D>())) as f32;
        let lr = lr as f32;
        let [[old, new], [kept, fresh]] =
            [self.beta1, self.beta2].map(|beta| [beta as f32, (1.0 - beta) as f32]);
        let [weights, momentum] = in_place(
            [weights, momentum],
            gradient,
            |[w, m], g| {
                for ((w, m), &g) in w.iter_mut().zip(m).zip(g) {
                    let along = *m * old + g * new;
                    // A sign of 0 is 0.
                    let sign = f32::from(i8::from(along > 0.0) - i8::from(along < 0.0));
                    *m = *m * kept + g * fresh;
                    *w = *w * shrunk - sign * lr;
                }
            },
            |[w, momentum], g| {
                let along = momentum.clone().mul_scalar(old) + g.clone().mul_scalar(new);
                let momentum = momentum.mul_scalar(kept) + g.mul_scalar(fresh);
                let weights = w.mul_scalar(shrunk) - along.sign().mul_scalar(lr);
                [weights, momentum]
            },
        );
        (weights, Some(Buffers::new(time + 1, [momentum])))
    }

    fn to_device<const D: usize>(state: Buffers<D, 1>, device: &Device) -> Buffers<D, 1> {
        state.on(device)
    }
}

/// The gradient with the coupled weight decay.
fn decayed<const D: usize>(weights: &Tensor<D>, gradient: Tensor<D>, decay: f32) -> Tensor<D> {
    match decay {
        0.0 => gradient,
        decay => weights.clone().mul_scalar(decay) + gradient,
    }
}
