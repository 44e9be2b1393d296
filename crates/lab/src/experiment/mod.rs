//! Comparisons that are fair by construction: one shared training, arms that
//! change one thing, the same seeds for each, and one evaluation.

mod definition;
mod fairness;
mod outcome;
mod results;
mod running;
mod specimen;
mod table;

pub use definition::{Arm, Comparison, Equal, Measure, Measured, Search};
pub use outcome::{EpochPoint, Outcome, Score};
pub use results::{ArmResult, ComparisonResult, Difference};
pub use running::{OpenArm, OpenComparison, Try};
pub use specimen::Specimen;
pub use table::{EXPERIMENTS, ExperimentRow};
