//! What every optimizer goes through before it is Burn's: lookahead around it,
//! constraints around that, and which parameters decay.

use super::{OptimizerSettings, lookahead::Lookahead};
use crate::regularization::{Constrained, Constraints};
use burn::{
    module::ParamGroup,
    optim::{ModuleOptimizer, Optimizer},
};

/// The factor of the weight decay, and what it is for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decay {
    factor: f32,
    everything: bool,
}

impl Decay {
    /// The factor for tensors of `D` dimensions.
    pub fn of<const D: usize>(self) -> f32 {
        match D >= 2 || self.everything {
            true => self.factor,
            false => 0.0,
        }
    }
}

/// An optimizer that is told what decays; before, nothing does.
pub trait Rule: Optimizer {
    /// The same with this weight decay.
    fn decaying(self, decay: Decay) -> Self;
}

/// Burn's optimizer for `rule`, which every row of the table passes through.
pub fn wrapped<O: Rule>(
    rule: O,
    settings: &OptimizerSettings,
    constraints: Constraints,
) -> ModuleOptimizer {
    match settings.lookahead {
        0 => grouped(rule, settings, constraints),
        every => grouped(
            Lookahead::new(rule, every, settings.lookahead_alpha),
            settings,
            constraints,
        ),
    }
}

/// Divides the parameters into those that decay and are constrained and those
/// that are not.
fn grouped<O: Rule>(
    rule: O,
    settings: &OptimizerSettings,
    constraints: Constraints,
) -> ModuleOptimizer {
    /// The biases of locally connected layers have three dimensions.
    const BIASES: &str = r"(^|\.)bias$";
    let factor = settings.weight_decay as f32;
    // Also without constraints: a second form of every optimizer would make
    // the program larger by megabytes.
    let under = |constraints, factor, everything| Constrained {
        inner: rule.clone().decaying(Decay { factor, everything }),
        constraints,
    };
    let weights = |factor, everything| under(constraints, factor, everything);
    let biases = |factor| under(constraints.of_gradients(), factor, true);
    let (base, pattern, others) = match settings.decay.as_str() {
        "all" => (weights(factor, true), BIASES, biases(factor)),
        "weights" => (weights(factor, false), BIASES, biases(0.0)),
        pattern => (weights(0.0, false), pattern, weights(factor, true)),
    };
    if factor == 0.0 && constraints.are_off() {
        return base.into();
    }
    match ParamGroup::from_regex(pattern) {
        Ok(group) => ModuleOptimizer::from(base).with_group(group, others, None),
        Err(error) => unreachable!("OptimizerSettings::check passed {pattern}: {error:?}"),
    }
}
