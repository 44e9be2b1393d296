//! The only module that touches burn-train's builder and its traits, which
//! change with every release of Burn.

mod checkpoints;
mod fit;
mod learning;
mod ledger;
mod screen;
mod step;
mod strategy;

pub use checkpoints::{
    CheckpointError, CheckpointIndex, CheckpointState, read_index, read_state, save_weights,
};
pub use fit::{
    EpochRecord, FitError, HeadRate, Outcome, Phases, Plan, Reporter, Stop, StopReason, fit,
};
pub use screen::Screen;
pub use step::{StepOutput, Stepper};
