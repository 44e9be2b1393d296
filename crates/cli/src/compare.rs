//! `kiln compare`.

use crate::{
    arguments::{CompareArguments, Format},
    output,
};
use kiln_lab::{ComparedRun, Difference, LabError, RunComparison, RunFolder, Status, compare};
use serde_json::Value;
use std::process::ExitCode;

/// Characters of a hash that tell weights apart for people.
const SHORT: usize = 12;

/// Shows runs side by side.
pub fn run(arguments: &CompareArguments) -> Result<ExitCode, LabError> {
    let parent = arguments.output.folder();
    let folders = arguments
        .runs
        .iter()
        .map(|run| RunFolder::open(run, &parent));
    let comparison = compare(&folders.collect::<Result<Vec<_>, _>>()?)?;
    match arguments.format {
        Format::Json => output::json(&comparison)?,
        Format::Table => show(&comparison),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(comparison: &RunComparison) {
    let count = comparison.runs.len();
    let names: Vec<String> = (1..=count).map(|number| format!("#{number}")).collect();
    for (name, run) in names.iter().zip(&comparison.runs) {
        output::line(&format!("{name} {}", run.run));
    }
    let head = |first| -> Vec<&str> {
        let names = names.iter().map(String::as_str);
        std::iter::once(first).chain(names).collect()
    };
    let table = |title, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            output::text(&format!("\n{}", output::table(&head(title), &rows)));
        }
    };
    table("result", results(&comparison.runs));
    table("configuration", differences(&comparison.settings));
    table("circumstances", differences(&comparison.circumstances));
    if comparison.settings.is_empty() {
        output::line("\nthe configurations are the same");
    }
    for (number, reason) in comparison.unfair.iter().enumerate() {
        let head = match number {
            0 => "\nnot a fair comparison as it stands:\n",
            _ => "",
        };
        output::line(&format!("{head}- {reason}"));
    }
}

/// A quantity of a run.
type Quantity = (&'static str, fn(&ComparedRun) -> Option<String>);

const QUANTITIES: [Quantity; 18] = [
    ("status", |run| Some(status(run.status).to_owned())),
    ("network", |run| Some(run.model.clone())),
    ("data set", |run| Some(run.dataset.clone())),
    ("parameters", |run| {
        Some(output::thousands(run.parameters as u64))
    }),
    ("epochs", |run| Some(run.epochs?.to_string())),
    ("steps", |run| Some(output::thousands(run.steps? as u64))),
    ("best val accuracy", |run| {
        run.best_val_accuracy.map(output::percent)
    }),
    ("  its loss", |run| run.best_val_loss.map(nats)),
    ("  its epoch", |run| Some(run.best_epoch?.to_string())),
    ("last val accuracy", |run| {
        run.last_val_accuracy.map(output::percent)
    }),
    ("  its loss", |run| run.last_val_loss.map(nats)),
    ("last train loss", |run| run.last_train_loss.map(nats)),
    ("test accuracy, best weights", |run| {
        run.test_accuracy.map(output::percent)
    }),
    ("test accuracy, last weights", |run| {
        run.last_test_accuracy.map(output::percent)
    }),
    ("seconds", |run| Some(format!("{:.1}", run.seconds?))),
    ("images/s", |run| {
        run.images_per_second
            .map(|speed| output::thousands(speed.round() as u64))
    }),
    ("memory in MiB", |run| {
        Some(output::thousands(run.peak_memory_bytes? >> 20))
    }),
    ("weights", |run| Some(short(run.weights_sha256.as_ref()?))),
];

/// The quantities that at least one run has.
fn results(runs: &[ComparedRun]) -> Vec<Vec<String>> {
    let rows = QUANTITIES.iter().map(|(name, of)| {
        let cells: Vec<_> = runs.iter().map(of).collect();
        (name, cells)
    });
    rows.filter(|(_, cells)| cells.iter().any(Option::is_some))
        .map(|(name, cells)| {
            let cells = cells
                .into_iter()
                .map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
            std::iter::once((*name).to_owned()).chain(cells).collect()
        })
        .collect()
}

fn nats(loss: f64) -> String {
    format!("{loss:.4}")
}

fn short(hash: &str) -> String {
    hash.chars().take(SHORT).collect()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Imported => "imported",
        Status::Running => "running or killed",
        Status::Completed => "completed",
        Status::Interrupted => "interrupted",
        Status::Failed => "failed",
    }
}

fn differences(differences: &[Difference]) -> Vec<Vec<String>> {
    let rows = differences.iter().map(|difference| {
        let hash = difference.key.starts_with("data.files.");
        let cells = difference.values.iter().map(|value| match value {
            Value::Null => "-".to_owned(),
            Value::String(text) if hash => short(text),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        std::iter::once(difference.key.clone())
            .chain(cells)
            .collect()
    });
    rows.collect()
}
