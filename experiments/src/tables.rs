//! Outcomes as CSV: one row for each training, and one for each epoch.

use crate::provenance::save;
use kiln_lab::{ArmResult, ComparisonResult, EvalSplit, LabError, Outcome};
use serde::{Deserialize, Serialize};
use std::path::Path;

const RESULTS: &str = "results.csv";

/// A training in `results.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The comparison.
    pub comparison: String,
    /// The arm.
    pub arm: String,
    /// The seed.
    pub seed: u64,
    /// From 0 to 1; empty where the training diverged.
    pub test_accuracy: Option<f64>,
    /// In nats.
    pub test_loss: Option<f64>,
    /// From 0 to 1, where it was evaluated.
    pub train_accuracy: Option<f64>,
    /// The best of any epoch, from 0 to 1.
    pub val_accuracy: Option<f64>,
    /// The epoch of the best validation result.
    pub best_epoch: Option<usize>,
    /// Epochs asked for.
    pub epochs: usize,
    /// Optimizer steps.
    pub steps: usize,
    /// What the search multiplied the arm's number with.
    pub factor: Option<f64>,
    /// Training images.
    pub train_images: usize,
    /// Learnable parameters.
    pub parameters: usize,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Of training and validation.
    pub seconds: f64,
    /// Over all epochs.
    pub images_per_second: f64,
    /// The most memory in use.
    pub peak_memory_mb: Option<u64>,
    /// SHA-256 of the evaluated weights.
    pub weights_sha256: Option<String>,
}

impl Row {
    /// Of a training.
    pub fn of(comparison: &str, arm: &ArmResult, outcome: &Outcome) -> Self {
        let score = |split| {
            outcome
                .scores
                .iter()
                .find(move |score| score.split == split)
        };
        let arm = &arm.arm;
        Self {
            comparison: comparison.to_owned(),
            arm: arm.name.clone(),
            seed: outcome.seed,
            test_accuracy: score(EvalSplit::Test).map(|score| score.accuracy),
            test_loss: score(EvalSplit::Test).map(|score| score.loss),
            train_accuracy: score(EvalSplit::Train).map(|score| score.accuracy),
            val_accuracy: outcome.best_val_accuracy(),
            best_epoch: outcome.best_epoch,
            epochs: arm.settings.train.epochs,
            steps: outcome.steps,
            factor: arm.factor,
            train_images: arm.train_images,
            parameters: arm.parameters,
            macs: arm.macs,
            seconds: (outcome.seconds * 1e3).round() / 1e3,
            images_per_second: outcome.images_per_second.round(),
            peak_memory_mb: outcome.peak_memory_bytes.map(|bytes| bytes / 1_000_000),
            weights_sha256: outcome.weights_sha256.clone(),
        }
    }
}

#[derive(Serialize)]
struct Epoch<'a> {
    comparison: &'a str,
    arm: &'a str,
    seed: u64,
    epoch: usize,
    train_loss: f64,
    train_accuracy: f64,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
    zeros: f64,
}

#[derive(Serialize)]
struct Number<'a> {
    comparison: &'a str,
    arm: &'a str,
    seed: u64,
    name: &'a str,
    value: f64,
}

/// Writes `results.csv`, `curves.csv` and, where something was measured,
/// `measured.csv`; gives whether `results.csv` has changed by it.
///
/// # Errors
/// When one cannot be written.
pub fn write(results: &[ComparisonResult], folder: &Path) -> Result<bool, LabError> {
    let (mut rows, mut epochs, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for result in results {
        let comparison = result.name.as_str();
        for arm in &result.arms {
            for outcome in &arm.outcomes {
                rows.push(Row::of(comparison, arm, outcome));
                let (arm, seed) = (outcome.arm.as_str(), outcome.seed);
                epochs.extend(outcome.curve.iter().map(|point| Epoch {
                    comparison,
                    arm,
                    seed,
                    epoch: point.epoch,
                    train_loss: point.train_loss,
                    train_accuracy: point.train_accuracy,
                    val_loss: point.val_loss,
                    val_accuracy: point.val_accuracy,
                    zeros: point.zeros,
                }));
                numbers.extend(outcome.measured.iter().map(|(name, value)| Number {
                    comparison,
                    arm,
                    seed,
                    name,
                    value: *value,
                }));
            }
        }
    }
    let text = || std::fs::read(folder.join(RESULTS)).ok();
    let before = text();
    save_csv(&folder.join(RESULTS), &rows)?;
    save_csv(&folder.join("curves.csv"), &epochs)?;
    if !numbers.is_empty() {
        save_csv(&folder.join("measured.csv"), &numbers)?;
    }
    Ok(text() != before)
}

fn save_csv(file: &Path, rows: &[impl Serialize]) -> Result<(), LabError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(LabError::run)?;
    }
    let bytes = writer.into_inner().map_err(LabError::run)?;
    save(file, &String::from_utf8_lossy(&bytes))
}

/// The trainings that are stored in `folder`.
///
/// # Errors
/// When the table is missing or damaged.
pub fn read(folder: &Path) -> Result<Vec<Row>, LabError> {
    let file = folder.join(RESULTS);
    let damaged =
        |error: csv::Error| LabError::data(format!("{} cannot be read: {error}", file.display()));
    let mut reader = csv::Reader::from_path(&file).map_err(damaged)?;
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(damaged)
}
