//! Compared runs as rows of a table.

use super::{ComparedRun, Difference, RunComparison};
use crate::Status;
use kiln_figures::{percent, thousands};
use serde_json::Value;

/// Characters of a hash that are shown.
const SHORT: usize = 12;

/// A quantity of a run.
type Quantity = (&'static str, fn(&ComparedRun) -> Option<String>);

const QUANTITIES: [Quantity; 18] = [
    ("status", |run| Some(status(run.status).to_owned())),
    ("network", |run| Some(run.model.clone())),
    ("data set", |run| Some(run.dataset.clone())),
    ("parameters", |run| Some(thousands(run.parameters as u64))),
    ("epochs", |run| Some(run.epochs?.to_string())),
    ("steps", |run| Some(thousands(run.steps? as u64))),
    ("best val accuracy", |run| {
        run.best_val_accuracy.map(percent)
    }),
    ("  its loss", |run| run.best_val_loss.map(nats)),
    ("  its epoch", |run| Some(run.best_epoch?.to_string())),
    ("last val accuracy", |run| {
        run.last_val_accuracy.map(percent)
    }),
    ("  its loss", |run| run.last_val_loss.map(nats)),
    ("last train loss", |run| run.last_train_loss.map(nats)),
    ("test accuracy, best weights", |run| {
        run.test_accuracy.map(percent)
    }),
    ("test accuracy, last weights", |run| {
        run.last_test_accuracy.map(percent)
    }),
    ("seconds", |run| Some(format!("{:.1}", run.seconds?))),
    ("images/s", |run| {
        run.images_per_second
            .map(|speed| thousands(speed.round() as u64))
    }),
    ("memory in MiB", |run| {
        Some(thousands(run.peak_memory_bytes? >> 20))
    }),
    ("weights", |run| Some(short(run.weights_sha256.as_ref()?))),
];

impl RunComparison {
    /// Rows of a table of what came out: a quantity, and its value for each run.
    /// Quantities that no run has are left out.
    pub fn results(&self) -> Vec<Vec<String>> {
        let runs = &self.runs;
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

/// Rows of a table of differences: a key, and its value for each run.
pub fn difference_rows(differences: &[Difference]) -> Vec<Vec<String>> {
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
