//! The table of optimizers, with the definitions and defaults of PyTorch where
//! it has them.

mod adaptive;
mod lookahead;
mod muon;
mod paths;
pub(crate) mod rules;
mod settings;
#[cfg(test)]
mod tests;
pub(crate) mod wrap;

use crate::{UnknownName, regularization::Constraints};
use adaptive::{AdaGrad, Lion, RmsProp};
use burn::optim::ModuleOptimizer;
use muon::Muon;
use rules::{Adam, Sgd, Velocity};
pub use settings::OptimizerSettings;
use wrap::wrapped;

/// An optimizer by name.
pub struct OptimizerRow {
    /// Name on the command line.
    pub name: &'static str,
    /// One line for lists, with the source.
    pub summary: &'static str,
    /// Whether a step is taken once per epoch, with the gradient of all images.
    pub full_batch: bool,
    /// Learning rate when none is given.
    pub lr: f64,
    /// Momentum when none is given.
    pub momentum: f64,
    /// Decay of the second moment when none is given.
    pub beta2: f64,
    /// Addition to the denominator when none is given.
    pub epsilon: f64,
    /// Weight decay when none is given.
    pub weight_decay: f64,
    /// Steps between two slow steps of lookahead when none are given.
    pub lookahead: usize,
    build: fn(&OptimizerSettings, Constraints) -> ModuleOptimizer,
}

/// What rows have that say nothing else.
const ROW: OptimizerRow = OptimizerRow {
    name: "",
    summary: "",
    full_batch: false,
    lr: 0.01,
    momentum: 0.0,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.0,
    lookahead: 0,
    build: |settings, bounds| wrapped(Sgd::new(settings, None), settings, bounds),
};

/// Every optimizer, sorted by year, variants behind what they vary.
pub const OPTIMIZERS: &[OptimizerRow] = &[
    OptimizerRow {
        name: "gd",
        summary: "gradient descent: one step per epoch, with the gradient of all images (Cauchy 1847)",
        full_batch: true,
        lr: 0.1,
        ..ROW
    },
    OptimizerRow {
        name: "sgd",
        summary: "stochastic gradient descent (Robbins & Monro 1951)",
        ..ROW
    },
    OptimizerRow {
        name: "momentum",
        summary: "SGD with momentum 0.9 (Polyak 1964)",
        momentum: 0.9,
        build: |settings, bounds| {
            wrapped(Sgd::new(settings, Some(Velocity::Sum)), settings, bounds)
        },
        ..ROW
    },
    OptimizerRow {
        name: "momentum-ema",
        summary: "SGD along the running mean of the gradients: v = 0.9 v + 0.1 g, w -= lr v",
        // The rate of "momentum" at the same length of step.
        lr: 0.1,
        momentum: 0.9,
        build: |settings, bounds| {
            wrapped(Sgd::new(settings, Some(Velocity::Mean)), settings, bounds)
        },
        ..ROW
    },
    OptimizerRow {
        name: "nesterov",
        summary: "SGD with Nesterov's momentum 0.9 (Nesterov 1983, Sutskever et al. 2013)",
        momentum: 0.9,
        build: |settings, bounds| {
            wrapped(
                Sgd::new(settings, Some(Velocity::Nesterov)),
                settings,
                bounds,
            )
        },
        ..ROW
    },
    OptimizerRow {
        name: "adagrad",
        summary: "steps over the root of the sum of squared gradients (Duchi et al. 2011)",
        epsilon: 1e-10,
        build: |settings, bounds| wrapped(AdaGrad::new(settings), settings, bounds),
        ..ROW
    },
    OptimizerRow {
        name: "rmsprop",
        summary: "steps over the root of the running mean of squared gradients (Hinton 2012)",
        build: |settings, bounds| wrapped(RmsProp::new(settings), settings, bounds),
        ..ROW
    },
    OptimizerRow {
        name: "adam",
        summary: "adaptive moments (Kingma & Ba 2015)",
        lr: 1e-3,
        build: |settings, bounds| wrapped(Adam::new(settings), settings, bounds),
        ..ROW
    },
    OptimizerRow {
        name: "adam-uncorrected",
        summary: "Adam without the correction of the moments' biases",
        lr: 1e-3,
        build: |settings, bounds| wrapped(Adam::new(settings).uncorrected(), settings, bounds),
        ..ROW
    },
    OptimizerRow {
        name: "adamw",
        summary: "Adam with decoupled weight decay 0.01 (Loshchilov & Hutter 2019)",
        lr: 1e-3,
        weight_decay: 1e-2,
        build: |settings, bounds| wrapped(Adam::new(settings).decoupled(), settings, bounds),
        ..ROW
    },
    OptimizerRow {
        name: "lookahead",
        summary: "Adam with slow weights that go half of the way every 5 steps (Zhang et al. 2019)",
        lr: 1e-3,
        lookahead: 5,
        build: |settings, bounds| wrapped(Adam::new(settings), settings, bounds),
        ..ROW
    },
    OptimizerRow {
        name: "lion",
        summary: "the sign of an interpolated momentum (Chen et al. 2023)",
        lr: 1e-4,
        beta2: 0.99,
        build: |settings, bounds| wrapped(Lion::new(settings), settings, bounds),
        ..ROW
    },
    OptimizerRow {
        name: "muon",
        summary: "orthogonalised momentum for matrices and kernels, AdamW for the rest (Jordan 2024)",
        lr: 1e-3,
        momentum: 0.95,
        weight_decay: 0.1,
        build: |settings, bounds| wrapped(Muon::new(settings), settings, bounds),
        ..ROW
    },
];

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
            momentum: self.momentum,
            beta2: self.beta2,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
            lookahead: self.lookahead,
            ..OptimizerSettings::usual()
        }
    }
}

impl OptimizerSettings {
    /// Builds Burn's optimizer. The numbers must pass [`Self::check`].
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
}
