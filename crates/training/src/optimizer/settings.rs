//! The numbers of an optimizer, and which of them no optimizer can use.

use super::{OPTIMIZERS, OptimizerRow, find_optimizer};
use burn::module::ParamGroup;
use serde::{Deserialize, Serialize};

/// The numbers of an optimizer. One that has no use for a number ignores it, but
/// for momentum; [`OptimizerSettings::check`] refuses what cannot be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerSettings {
    /// Name in [`OPTIMIZERS`](super::OPTIMIZERS).
    pub name: String,
    /// Learning rate, above 0.
    pub lr: f64,
    /// Learning rate of the layer that gives the class scores; 0 is the same
    /// as for the others.
    #[serde(default)]
    pub head_lr: f64,
    /// Momentum of SGD, RMSprop and Muon, from 0 to below 1.
    pub momentum: f64,
    /// Momentum of SGD's first steps, from 0 to below 1.
    #[serde(default = "momentum_start")]
    pub momentum_start: f64,
    /// Steps with the momentum `momentum_start`; 0 is none.
    #[serde(default)]
    pub momentum_switch_steps: usize,
    /// Decay of the first moment of Adam and Lion, from 0 to below 1.
    pub beta1: f64,
    /// Decay of Adam's second moment, and of Lion's momentum, from 0 to below 1.
    pub beta2: f64,
    /// Decay of RMSprop's mean of squares, from 0 to below 1.
    #[serde(default = "alpha")]
    pub alpha: f64,
    /// Addition to the denominator of Adam, AdaGrad and RMSprop, above 0.
    pub epsilon: f64,
    /// Coupled (L2, added to the gradient) for the SGD family, AdaGrad, RMSprop
    /// and Adam; decoupled (weights times `1 - lr weight_decay`) for AdamW, Lion
    /// and Muon; at least 0.
    pub weight_decay: f64,
    /// What decays: `weights`, which are the parameters of two dimensions or
    /// more but no biases (so neither scales of norms nor slopes of PReLUs),
    /// `all`, or a regular expression found anywhere in a parameter's path.
    #[serde(default = "decay")]
    pub decay: String,
    /// Steps of the optimizer between two slow steps of lookahead; 0 is
    /// without lookahead.
    #[serde(default)]
    pub lookahead: usize,
    /// Share of the way that lookahead's slow weights go, above 0 and up to 1.
    #[serde(default = "lookahead_alpha")]
    pub lookahead_alpha: f64,
    /// Learning rate of what Muon leaves to AdamW, above 0; it follows the
    /// schedule like `lr`.
    #[serde(default = "adamw_lr")]
    pub adamw_lr: f64,
}

fn momentum_start() -> f64 {
    0.1
}

fn alpha() -> f64 {
    0.99
}

fn decay() -> String {
    "weights".to_owned()
}

fn lookahead_alpha() -> f64 {
    0.5
}

fn adamw_lr() -> f64 {
    3e-4
}

impl OptimizerSettings {
    /// What most optimizers have.
    pub(super) fn usual() -> Self {
        Self {
            name: String::new(),
            lr: 0.01,
            head_lr: 0.0,
            momentum: 0.0,
            momentum_start: momentum_start(),
            momentum_switch_steps: 0,
            beta1: 0.9,
            beta2: 0.999,
            alpha: alpha(),
            epsilon: 1e-8,
            weight_decay: 0.0,
            decay: decay(),
            lookahead: 0,
            lookahead_alpha: lookahead_alpha(),
            adamw_lr: adamw_lr(),
        }
    }

    /// The first number that no optimizer can use, as a sentence.
    ///
    /// # Errors
    /// That sentence.
    pub fn check(&self) -> Result<(), String> {
        const BELOW_ONE: &str = "from 0 to below 1";
        let below_one = |value: f64| (0.0..1.0).contains(&value);
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        let share = |value: f64| value > 0.0 && value <= 1.0;
        type Rule<'a> = (&'a str, f64, &'a dyn Fn(f64) -> bool, &'a str);
        let rules: [Rule; 11] = [
            ("lr", self.lr, &positive, "above 0"),
            ("head_lr", self.head_lr, &not_negative, "at least 0"),
            ("momentum", self.momentum, &below_one, BELOW_ONE),
            ("momentum_start", self.momentum_start, &below_one, BELOW_ONE),
            ("beta1", self.beta1, &below_one, BELOW_ONE),
            ("beta2", self.beta2, &below_one, BELOW_ONE),
            ("alpha", self.alpha, &below_one, BELOW_ONE),
            ("epsilon", self.epsilon, &positive, "above 0"),
            (
                "weight_decay",
                self.weight_decay,
                &not_negative,
                "at least 0",
            ),
            (
                "lookahead_alpha",
                self.lookahead_alpha,
                &share,
                "above 0 and up to 1",
            ),
            ("adamw_lr", self.adamw_lr, &positive, "above 0"),
        ];
        if let Some((name, value, _, allowed)) =
            rules.iter().find(|(_, value, holds, _)| !holds(*value))
        {
            return Err(format!(
                "optimizer.{name} is {value}, but it must be {allowed}"
            ));
        }
        self.check_decay()?;
        self.check_momentum()?;
        let named = find_optimizer(&self.name).is_ok_and(|row| row.lookahead > 0);
        match named && self.lookahead == 0 {
            true => Err(format!(
                "optimizer.lookahead is 0, but the optimizer {} is nothing without it; give it 1 step or more, or name adam",
                self.name
            )),
            false => Ok(()),
        }
    }

    fn check_momentum(&self) -> Result<(), String> {
        // PyTorch's RMSprop has momentum as a choice.
        let has_it = |row: &OptimizerRow| row.momentum > 0.0 || row.name == "rmsprop";
        if self.momentum == 0.0 || find_optimizer(&self.name).is_ok_and(has_it) {
            return Ok(());
        }
        let others = OPTIMIZERS.iter().filter(|row| has_it(row));
        let others: Vec<_> = others.map(|row| row.name).collect();
        Err(format!(
            "optimizer.momentum is {}, but {} has none; leave it out, or name one of {}",
            self.momentum,
            self.name,
            others.join(", ")
        ))
    }

    fn check_decay(&self) -> Result<(), String> {
        let pattern = match self.decay.as_str() {
            "weights" | "all" => return Ok(()),
            pattern => pattern,
        };
        let wrong = |why: &str| {
            Err(format!(
                "optimizer.decay is '{pattern}', but it must be weights, all or a regular expression over the parameters' paths{why}"
            ))
        };
        match ParamGroup::from_regex(pattern) {
            Ok(_) if pattern.is_empty() => wrong(""),
            // A path begins with the network's own names.
            Ok(_) if pattern.starts_with('^') => {
                wrong(", which is found anywhere in them; leave ^ away")
            }
            Ok(_) => Ok(()),
            Err(_) => wrong(", and this is none"),
        }
    }
}
