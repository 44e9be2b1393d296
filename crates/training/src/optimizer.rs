//! The table of optimizers, with the definitions and defaults of PyTorch.

pub(crate) mod rules;

use crate::{
    UnknownName,
    regularization::{Constrained, Constraints},
};
use burn::optim::{ModuleOptimizer, Optimizer};
use rules::{Adam, Sgd};
use serde::{Deserialize, Serialize};

/// The numbers of an optimizer. One that has no use for a number ignores it;
/// [`OptimizerSettings::check`] refuses those that no optimizer can use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerSettings {
    /// Name in [`OPTIMIZERS`].
    pub name: String,
    /// Learning rate, above 0.
    pub lr: f64,
    /// Learning rate of the layer that gives the class scores; 0 is the same
    /// as for the others.
    #[serde(default)]
    pub head_lr: f64,
    /// Momentum of SGD, from 0 to below 1.
    pub momentum: f64,
    /// Decay of Adam's first moment, from 0 to below 1.
    pub beta1: f64,
    /// Decay of Adam's second moment, from 0 to below 1.
    pub beta2: f64,
    /// Adam's addition to the denominator, above 0.
    pub epsilon: f64,
    /// Coupled (L2) for SGD and Adam, decoupled for AdamW; at least 0.
    pub weight_decay: f64,
}

/// An optimizer by name.
pub struct OptimizerRow {
    /// Name on the command line.
    pub name: &'static str,
    /// One line for lists, with the source.
    pub summary: &'static str,
    /// Learning rate when none is given.
    pub lr: f64,
    /// Momentum when none is given.
    pub momentum: f64,
    /// Weight decay when none is given.
    pub weight_decay: f64,
    build: fn(&OptimizerSettings, Constraints) -> ModuleOptimizer,
}

/// Every optimizer, sorted by year.
pub const OPTIMIZERS: &[OptimizerRow] = &[
    OptimizerRow {
        name: "sgd",
        summary: "stochastic gradient descent (Robbins & Monro 1951)",
        lr: 0.01,
        momentum: 0.0,
        weight_decay: 0.0,
        build: |settings, constraints| sgd(settings, constraints, None),
    },
    OptimizerRow {
        name: "momentum",
        summary: "SGD with momentum 0.9 (Polyak 1964)",
        lr: 0.01,
        momentum: 0.9,
        weight_decay: 0.0,
        build: |settings, constraints| sgd(settings, constraints, Some(false)),
    },
    OptimizerRow {
        name: "nesterov",
        summary: "SGD with Nesterov's momentum 0.9 (Nesterov 1983, Sutskever et al. 2013)",
        lr: 0.01,
        momentum: 0.9,
        weight_decay: 0.0,
        build: |settings, constraints| sgd(settings, constraints, Some(true)),
    },
    OptimizerRow {
        name: "adam",
        summary: "adaptive moments (Kingma & Ba 2015)",
        lr: 1e-3,
        momentum: 0.0,
        weight_decay: 0.0,
        build: |settings, constraints| adam(settings, constraints, false),
    },
    OptimizerRow {
        name: "adamw",
        summary: "Adam with decoupled weight decay 0.01 (Loshchilov & Hutter 2019)",
        lr: 1e-3,
        momentum: 0.0,
        weight_decay: 1e-2,
        build: |settings, constraints| adam(settings, constraints, true),
    },
];

fn sgd(
    settings: &OptimizerSettings,
    constraints: Constraints,
    momentum: Option<bool>,
) -> ModuleOptimizer {
    let optimizer = Sgd {
        momentum: momentum.map(|_| settings.momentum as f32),
        nesterov: momentum == Some(true),
        weight_decay: settings.weight_decay as f32,
    };
    wrapped(optimizer, constraints)
}

fn adam(
    settings: &OptimizerSettings,
    constraints: Constraints,
    decoupled: bool,
) -> ModuleOptimizer {
    let optimizer = Adam {
        beta1: settings.beta1 as f32,
        beta2: settings.beta2 as f32,
        epsilon: settings.epsilon as f32,
        weight_decay: settings.weight_decay as f32,
        decoupled,
    };
    wrapped(optimizer, constraints)
}

/// The optimizer of a module, under constraints where there are any.
fn wrapped(optimizer: impl Optimizer, constraints: Constraints) -> ModuleOptimizer {
    match constraints.are_off() {
        true => optimizer.into(),
        false => Constrained {
            inner: optimizer,
            constraints,
        }
        .into(),
    }
}

/// The row of the optimizer called `name`.
///
/// # Errors
/// When there is none: the message lists all names and the nearest.
pub fn find_optimizer(name: &str) -> Result<&'static OptimizerRow, UnknownName> {
    let names: Vec<_> = OPTIMIZERS.iter().map(|row| row.name).collect();
    OPTIMIZERS
        .iter()
        .find(|row| row.name == name.to_lowercase())
        .ok_or_else(|| UnknownName::new("optimizer", name, &names))
}

impl OptimizerRow {
    /// PyTorch's defaults for this optimizer; where PyTorch has none (SGD's
    /// learning rate and momentum), the usual ones.
    pub fn defaults(&self) -> OptimizerSettings {
        OptimizerSettings {
            name: self.name.to_owned(),
            lr: self.lr,
            head_lr: 0.0,
            momentum: self.momentum,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: self.weight_decay,
        }
    }
}

impl OptimizerSettings {
    /// Builds Burn's optimizer.
    ///
    /// # Errors
    /// When there is no optimizer of that name.
    pub fn build(&self) -> Result<ModuleOptimizer, UnknownName> {
        self.constrained(Constraints::default())
    }

    /// Builds it under constraints.
    pub(crate) fn constrained(
        &self,
        constraints: Constraints,
    ) -> Result<ModuleOptimizer, UnknownName> {
        Ok((find_optimizer(&self.name)?.build)(self, constraints))
    }

    /// The first number that no optimizer can use, as a sentence.
    ///
    /// # Errors
    /// That sentence.
    pub fn check(&self) -> Result<(), String> {
        let below_one = |value: f64| (0.0..1.0).contains(&value);
        let finite = |value: f64| value.is_finite();
        let rules = [
            ("lr", self.lr, finite(self.lr) && self.lr > 0.0, "above 0"),
            (
                "head_lr",
                self.head_lr,
                finite(self.head_lr) && self.head_lr >= 0.0,
                "at least 0",
            ),
            (
                "momentum",
                self.momentum,
                below_one(self.momentum),
                "from 0 to below 1",
            ),
            (
                "beta1",
                self.beta1,
                below_one(self.beta1),
                "from 0 to below 1",
            ),
            (
                "beta2",
                self.beta2,
                below_one(self.beta2),
                "from 0 to below 1",
            ),
            (
                "epsilon",
                self.epsilon,
                finite(self.epsilon) && self.epsilon > 0.0,
                "above 0",
            ),
            (
                "weight_decay",
                self.weight_decay,
                finite(self.weight_decay) && self.weight_decay >= 0.0,
                "at least 0",
            ),
        ];
        match rules.iter().find(|(_, _, holds, _)| !holds) {
            Some((name, value, _, allowed)) => Err(format!(
                "optimizer.{name} is {value}, but it must be {allowed}"
            )),
            None => Ok(()),
        }
    }
}
