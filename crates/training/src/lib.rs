//! How a network learns: the recipe, optimizers, schedules, and the loop that
//! runs on burn-train.
//!
//! This crate knows no network and no data set by name. Burn-train's builder,
//! renderer, logger and strategy are touched in `engine` alone.

mod classifier;
mod engine;
mod evaluation;
mod feed;
mod optimizer;
mod random;
mod regularization;
mod schedule;
mod views;

pub use classifier::{Forward, Trainable};
pub use engine::{
    CheckpointError, CheckpointIndex, CheckpointState, EpochRecord, Every, FitError, HeadRate,
    MODEL as CHECKPOINT_MODEL, Outcome, Pace, Phases, Plan, Probe, Reporter, Resume, Screen,
    StepObserver, StepOutput, Stepper, Stop, StopReason, find_resume, fit, read_index, read_state,
    remove_learning_state, save_weights,
};
pub use evaluation::{Evaluation, evaluate, evaluate_and_keep, evaluate_each};
pub use feed::{Batch, Feed};
pub use optimizer::{OPTIMIZERS, OptimizerRow, OptimizerSettings, find_optimizer};
pub use regularization::{EarlyStop, Monitor, Regularization, class_scores};
pub use schedule::{SCHEDULES, Schedule, ScheduleRow, ScheduleSettings, find_schedule};
pub use views::Views;

/// A name in the recipe that no table knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} '{name}'{suggestion}; the {what}s are {known}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    suggestion: String,
    known: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, name: &str, known: &[&str]) -> Self {
        Self {
            what,
            name: name.to_owned(),
            suggestion: kiln_names::suggestion(name, known.iter().copied()),
            known: known.join(", "),
        }
    }
}
