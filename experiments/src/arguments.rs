//! The flags that every experiment has.

use crate::{Experiment, Scale, print};
use clap::{CommandFactory, FromArgMatches, Parser};
use kiln_lab::{EXPERIMENTS, LabError};
use std::{path::PathBuf, process::ExitCode};

/// The flags of an experiment.
#[derive(Parser)]
#[command(
    version,
    after_help = "Runs that are done are kept beside the results and count when the same command is given again; Ctrl-C saves and stops."
)]
pub struct Arguments {
    /// Built-in data, seconds: to see that everything runs
    #[arg(long, conflicts_with_all = ["quick", "long"])]
    pub smoke: bool,
    /// A smaller form, minutes on two cores
    #[arg(long, conflicts_with = "long")]
    pub quick: bool,
    /// The form that needs a GPU
    #[arg(long)]
    pub long: bool,
    /// Trainings of each arm, with the seeds 1 to K [default: the experiment's]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,
    /// Folder of the results [default: experiments/results/NAME; with --smoke a folder that is removed]
    #[arg(long, short, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Say what would be trained and how long it would take, by a measurement of seconds
    #[arg(long, conflicts_with = "check")]
    pub dry_run: bool,
    /// Train one of the stored results again and compare
    #[arg(long, conflicts_with_all = ["smoke", "quick", "long", "seeds"])]
    pub check: bool,
    /// Backend to compute on
    #[arg(long, value_name = "NAME", alias = "device", default_value = "flex")]
    pub backend: String,
    /// Threads that the CPU backends compute with; without influence on the result [default: $RAYON_NUM_THREADS, or all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Data folder [default: $KILN_DATA_DIR, or the platform's cache folder]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Never use the network
    #[arg(long)]
    pub offline: bool,
}

impl Arguments {
    /// The form that was asked for.
    pub fn scale(&self) -> Scale {
        match (self.smoke, self.quick, self.long) {
            (true, ..) => Scale::Smoke,
            (_, true, _) => Scale::Quick,
            (.., true) => Scale::Long,
            _ => Scale::Full,
        }
    }

    /// The folder of the results, unless it is to be a temporary one.
    pub fn folder(&self, name: &str) -> Option<PathBuf> {
        let usual = || PathBuf::from("experiments/results").join(name);
        match (&self.output_dir, self.smoke) {
            (Some(folder), _) => Some(folder.clone()),
            (None, true) => None,
            (None, false) => Some(usual()),
        }
    }
}

/// The experiment's question.
///
/// # Errors
/// When it has no row.
pub fn question(experiment: Experiment) -> Result<&'static str, LabError> {
    let row = EXPERIMENTS.iter().find(|row| row.name == experiment.name);
    row.map(|row| row.question).ok_or_else(|| {
        LabError::run(format!(
            "{} is not among the experiments of the workspace",
            experiment.name
        ))
    })
}

/// Reads the command line; an exit code where help was shown or it is wrong.
pub fn parse(experiment: Experiment) -> Result<Result<Arguments, ExitCode>, LabError> {
    let command = Arguments::command()
        .name(experiment.name)
        .bin_name(format!("just experiment {}", experiment.name))
        .about(question(experiment)?);
    let parsed = command
        .try_get_matches()
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(shown) => {
            let code = u8::try_from(shown.exit_code()).unwrap_or(2);
            match shown.use_stderr() {
                true => print::note(shown.to_string().trim_end()),
                false => print::text(&shown.to_string()),
            }
            return Ok(Err(ExitCode::from(code)));
        }
    };
    if let Some(code) = kiln_backend::settle(&arguments.backend)? {
        return Ok(Err(code));
    }
    if let Some(threads) = arguments.threads {
        kiln_backend::set_threads(threads)?;
    }
    Ok(Ok(arguments))
}
