//! `kiln runs`.

use crate::{
    arguments::{Format, RunsArguments, RunsVerb},
    output,
};
use kiln_lab::{LabError, Status, list_runs, remove_run};
use std::process::ExitCode;

/// Lists and removes run folders.
pub fn run(arguments: &RunsArguments) -> Result<ExitCode, LabError> {
    let parent = arguments.output.folder();
    match &arguments.verb {
        RunsVerb::List => {
            let runs = list_runs(&parent)?;
            if arguments.format == Format::Json {
                output::json(&runs)?;
                return Ok(ExitCode::SUCCESS);
            }
            let rows = runs.into_iter().map(|run| {
                let status = match run.status {
                    Status::Imported => "imported",
                    Status::Running => "running or killed",
                    Status::Completed => "completed",
                    Status::Interrupted => "interrupted",
                    Status::Failed => "failed",
                };
                let accuracy = run
                    .val_accuracy
                    .map_or_else(|| "-".to_owned(), output::percent);
                vec![
                    run.run,
                    status.to_owned(),
                    run.seed.to_string(),
                    run.epochs.to_string(),
                    accuracy,
                ]
            });
            let head = ["run", "status", "seed", "epochs", "val accuracy"];
            output::text(&output::table(&head, &rows.collect::<Vec<_>>()));
        }
        RunsVerb::Rm { runs } => {
            for run in runs {
                let removed = remove_run(run, &parent)?;
                output::note(&format!("removed {}", removed.display()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
