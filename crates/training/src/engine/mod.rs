//! The only module that touches burn-train's builder and its traits, which
//! change with every release of Burn.

mod account;
mod checkpoints;
mod fit;
mod learning;
mod ledger;
mod output;
mod probe;
mod reading;
mod saving;
mod screen;
mod session;
mod step;
mod strategy;
mod weights;

pub use checkpoints::{
    CheckpointError, CheckpointIndex, CheckpointState, MODEL, Resume, find_resume, read_index,
    read_state, remove_learning_state, save_weights,
};
pub use fit::{
    EpochRecord, Every, FitError, HeadRate, Outcome, Pace, Phases, Plan, Reporter, StepObserver,
    Stop, StopReason, fit,
};
pub(crate) use output::Output;
pub use probe::Probe;
pub use screen::Screen;
pub use step::{StepOutput, Stepper};
