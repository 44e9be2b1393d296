//! The frame of every experiment: a question, comparisons that answer it, and a
//! folder of results that anyone can make again. Each binary in `bin/` says
//! what is compared; everything else is here.

mod arguments;
mod arm_table;
mod arms;
mod check;
pub mod equivariance;
mod figures;
pub mod low_pass;
mod print;
mod provenance;
mod report;
mod run;
mod scale;
mod tables;
mod trajectory;

pub use arms::{accuracies, accuracy_table, rising, short};
pub use figures::{band, curves, over};
pub use report::{Figure, Section, moved, points, signed_points};
pub use scale::Scale;
pub use trajectory::trajectory;

use kiln_lab::{Comparison, ComparisonResult, LabError};
use kiln_store::Store;
use std::process::ExitCode;

/// Training allocates and frees the same large buffers in every step, which
/// the system's allocator would give back to the kernel each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A question and the way to its answer.
#[derive(Clone, Copy)]
pub struct Experiment {
    /// Name in [`kiln_lab::EXPERIMENTS`], which has the question.
    pub name: &'static str,
    /// What is compared and why, in a paragraph of Markdown.
    pub about: &'static str,
    /// The trainings.
    pub comparisons: fn(Scale) -> Vec<Comparison>,
    /// The answer in a sentence, from the numbers.
    pub answer: fn(&Ran) -> String,
    /// What is shown beyond the tables and curves that every comparison has.
    pub sections: fn(&Ran) -> Result<Vec<Section>, LabError>,
}

/// An experiment that was carried out.
pub struct Ran<'a> {
    /// In which form.
    pub scale: Scale,
    /// What its comparisons came to, in their order.
    pub results: Vec<ComparisonResult>,
    /// The data folder.
    pub store: &'a Store,
}

impl Ran<'_> {
    /// The comparison called `name`.
    pub fn result(&self, name: &str) -> Option<&ComparisonResult> {
        self.results.iter().find(|result| result.name == name)
    }
}

/// The whole program of an experiment.
pub fn main(experiment: Experiment) -> ExitCode {
    kiln_kernels::keep_buffers();
    let done = arguments::parse(experiment).and_then(|arguments| match arguments {
        Err(code) => Ok(code),
        Ok(arguments) if arguments.check => check::check(experiment, &arguments),
        Ok(arguments) => run::run(experiment, &arguments),
    });
    done.unwrap_or_else(|error| {
        print::note(&format!("error: {error}"));
        ExitCode::from(error.exit_code())
    })
}
