//! The table of a sweep: a line for each candidate, the best first.

use super::{Sweep, halving::by_score, state::SweepRun};
use crate::{LabError, Spread};
use kiln_store::atomic_write;
use serde::Serialize;
use std::path::PathBuf;
use toml::Value;

/// What a sweep came to.
#[derive(Clone, Debug, Serialize)]
pub struct SweepReport {
    /// The keys that were tried.
    pub keys: Vec<String>,
    /// The candidates: those of a later round before those of an earlier one,
    /// then by mean validation accuracy.
    pub rows: Vec<SweepRow>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// The same table as a file.
    pub table: PathBuf,
}

/// A candidate of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct SweepRow {
    /// Its number, from 1.
    pub candidate: usize,
    /// What it sets, in the order of the keys.
    pub values: Vec<Value>,
    /// The last round that it came to, from 1.
    pub round: usize,
    /// Epochs that it was given in it.
    pub epochs: usize,
    /// The best validation accuracy over its seeds, from 0 to 1; none where a
    /// run failed.
    pub val_accuracy: Option<Spread>,
    /// The loss in nats that goes with it.
    pub val_loss: Option<Spread>,
    /// Seconds of training and validation in all rounds.
    pub seconds: f64,
    /// The run folders of the last round.
    pub runs: Vec<String>,
    /// Why a run failed.
    pub error: Option<String>,
}

impl Sweep {
    /// Makes the table of what is done, and writes `results.csv`.
    pub(super) fn report(
        &self,
        reached: &[Option<(usize, usize)>],
        interrupted: bool,
    ) -> Result<SweepReport, LabError> {
        let mut ranked: Vec<_> = reached
            .iter()
            .enumerate()
            .filter_map(|(candidate, reached)| Some((candidate, (*reached)?)))
            .map(|(candidate, (round, epochs))| {
                (candidate, round, epochs, self.score(candidate, epochs))
            })
            .collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then(by_score(a.3, b.3)).then(a.0.cmp(&b.0)));
        let rows = ranked
            .into_iter()
            .map(|(candidate, round, epochs, _)| self.row(candidate, round, epochs));
        let keys = self.candidates.first().map(|(choices, _)| choices.iter());
        let report = SweepReport {
            keys: keys
                .into_iter()
                .flatten()
                .map(|(key, _)| key.clone())
                .collect(),
            rows: rows.collect(),
            interrupted,
            table: self.folder.join("results.csv"),
        };
        let table = report.csv()?;
        atomic_write(&report.table, &table)
            .map_err(|error| LabError::io("writing", &report.table, &error))?;
        Ok(report)
    }

    fn row(&self, candidate: usize, round: usize, epochs: usize) -> SweepRow {
        let runs = self.runs(candidate, epochs);
        let all = self.state.runs.iter();
        let seconds = all
            .filter(|run| run.candidate == candidate + 1)
            .filter_map(|run| Some(run.numbers.as_ref()?.seconds));
        let choices = self.candidates[candidate].0.iter();
        let numbers = |run: &&SweepRun| run.numbers.clone();
        SweepRow {
            candidate: candidate + 1,
            values: choices.map(|(_, value)| value.clone()).collect(),
            round: round + 1,
            epochs,
            val_accuracy: Spread::over(&runs, |run| numbers(run)?.val_accuracy),
            val_loss: Spread::over(&runs, |run| numbers(run)?.val_loss),
            seconds: seconds.fold(0.0, |sum, seconds| sum + seconds),
            runs: runs
                .iter()
                .filter_map(|run| Some(numbers(run)?.run))
                .collect(),
            error: runs.iter().find_map(|run| run.error.clone()),
        }
    }
}

impl SweepRow {
    /// What it sets, as text.
    pub fn choices(&self) -> impl Iterator<Item = String> {
        self.values.iter().map(|value| match value {
            Value::String(text) => text.clone(),
            // 1e30 and not thirty zeros.
            Value::Float(number) => format!("{number:?}"),
            other => other.to_string(),
        })
    }
}

impl SweepReport {
    fn csv(&self) -> Result<Vec<u8>, LabError> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let head = ["rank", "candidate"].into_iter();
        let head = head.chain(self.keys.iter().map(String::as_str)).chain([
            "round",
            "epochs",
            "seeds",
            "val_accuracy",
            "val_accuracy_std",
            "val_loss",
            "seconds",
            "runs",
            "error",
        ]);
        table.write_record(head).map_err(LabError::run)?;
        let optional =
            |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        for (rank, row) in self.rows.iter().enumerate() {
            let mut cells = vec![(rank + 1).to_string(), row.candidate.to_string()];
            cells.extend(row.choices());
            cells.extend([
                row.round.to_string(),
                row.epochs.to_string(),
                row.runs.len().to_string(),
                optional(row.val_accuracy.map(|spread| spread.mean)),
                optional(row.val_accuracy.and_then(|spread| spread.std)),
                optional(row.val_loss.map(|spread| spread.mean)),
                format!("{:.1}", row.seconds),
                row.runs.join(" "),
                row.error.clone().unwrap_or_default(),
            ]);
            table.write_record(cells).map_err(LabError::run)?;
        }
        table.into_inner().map_err(LabError::run)
    }
}
