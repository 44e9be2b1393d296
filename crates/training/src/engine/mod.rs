//! The only module that touches burn-train's builder and its traits, which
//! change with every release of Burn.

mod checkpoints;
mod fit;
mod ledger;
mod screen;
mod strategy;

pub(crate) use checkpoints::innermost;
pub use checkpoints::{CheckpointError, CheckpointIndex, CheckpointState, read_index, read_state};
pub use fit::{EpochRecord, FitError, Outcome, Phases, Plan, Reporter, Stop, StopReason, fit};
pub use screen::Screen;
