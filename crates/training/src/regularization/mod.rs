//! What keeps a network from fitting its training images too well: one file
//! for each way that acts on gradients, weights or the loss. All are off until
//! a number turns them on.
//!
//! Weight decay is the optimizers', dropout the networks', augmentation,
//! mixing and noise the loader's.

mod average;
mod clip;
mod constrained;
mod early_stop;
mod second_task;
mod smoothing;

pub(crate) use average::Average;
pub(crate) use clip::{clip, gradient_norm, scale};
pub(crate) use constrained::{Constrained, Constraints};
pub use early_stop::{EarlyStop, Monitor};
pub use second_task::class_scores;
pub(crate) use second_task::{PARITIES, parity_losses};
pub(crate) use smoothing::smoothed;

use serde::{Deserialize, Serialize};

/// The numbers of every regularizer; 0 is off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Regularization {
    /// Weight of the sum of all |w| in the loss, applied as a proximal step
    /// after the optimizer's, so that exact zeros appear; at least 0. Together
    /// with `optimizer.weight_decay` it is the elastic net.
    pub l1: f64,
    /// The largest Euclidean norm of the weights of one unit (N. Srivastava et
    /// al. 2014, section 5.1); at least 0.
    pub max_norm: f64,
    /// The largest Euclidean norm of all gradients together (R. Pascanu et al.
    /// 2013, section 3.2); at least 0.
    pub clip_norm: f64,
    /// The largest size of a single gradient; at least 0.
    pub clip_value: f64,
    /// Share of the target that is spread over all classes (C. Szegedy et al.
    /// 2016, section 7), from 0 to below 1.
    pub label_smoothing: f64,
    /// Both parameters of the beta distribution that images are mixed by (H.
    /// Zhang et al. 2018); at least 0.
    pub mixup: f64,
    /// Likewise for the area of a pasted part (S. Yun et al. 2019); at least 0.
    pub cutmix: f64,
    /// Standard deviation of the noise on the normalised images; at least 0.
    pub input_noise: f64,
    /// Weight of a second task in the loss, whether the class is even or odd
    /// (R. Caruana 1997); at least 0.
    pub parity: f64,
    /// Decay of the moving average of the weights that is validated and kept
    /// instead of them, from 0 to below 1.
    pub ema_decay: f64,
}

impl Regularization {
    /// The first number that cannot be used, as a sentence.
    ///
    /// # Errors
    /// That sentence.
    pub fn check(&self) -> Result<(), String> {
        let least = |value: f64| value.is_finite() && value >= 0.0;
        let share = |value: f64| (0.0..1.0).contains(&value);
        let at_least: (fn(f64) -> bool, _) = (least, "at least 0");
        let below_one: (fn(f64) -> bool, _) = (share, "from 0 to below 1");
        let rules = [
            ("l1", self.l1, at_least),
            ("max_norm", self.max_norm, at_least),
            ("clip_norm", self.clip_norm, at_least),
            ("clip_value", self.clip_value, at_least),
            ("label_smoothing", self.label_smoothing, below_one),
            ("mixup", self.mixup, at_least),
            ("cutmix", self.cutmix, at_least),
            ("input_noise", self.input_noise, at_least),
            ("parity", self.parity, at_least),
            ("ema_decay", self.ema_decay, below_one),
        ];
        match rules.iter().find(|(_, value, (holds, _))| !holds(*value)) {
            Some((name, value, (_, allowed))) => Err(format!(
                "regularization.{name} is {value}, but it must be {allowed}"
            )),
            None => Ok(()),
        }
    }

    /// Outputs of a network for `classes` classes: those of a second task come
    /// after them.
    pub fn outputs(&self, classes: usize) -> usize {
        classes + if self.parity > 0.0 { PARITIES } else { 0 }
    }

    /// What acts on each parameter with its step.
    pub(crate) fn constraints(&self) -> Constraints {
        let on = |value: f64| (value > 0.0).then_some(value);
        Constraints {
            clip_value: on(self.clip_value),
            l1: on(self.l1),
            max_norm: on(self.max_norm),
        }
    }
}
