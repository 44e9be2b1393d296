//! What one training of a comparison came to, kept in its run folder.

use super::{Comparison, Measured, OpenArm};
use crate::{
    CheckpointName, EvalRequest, EvalSplit, LabError, Report, RunFolder, evaluate::evaluate_images,
};
use kiln_store::Store;
use kiln_training::{EpochRecord, read_index, read_state};
use serde::{Deserialize, Serialize};

/// The file of a run folder that holds it.
const FILE: &str = "outcome.json";
/// Images evaluated at a time.
const BATCH: usize = 500;

/// What one training came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The arm.
    pub arm: String,
    /// The seed.
    pub seed: u64,
    /// Name of the run folder.
    pub run: String,
    /// What was evaluated, the test images first; nothing where it diverged.
    pub scores: Vec<Score>,
    /// Places of the test images that it gets wrong, rising.
    pub wrong: Vec<u32>,
    /// Epoch by epoch.
    pub curve: Vec<EpochPoint>,
    /// The epoch with the best validation result.
    pub best_epoch: Option<usize>,
    /// Optimizer steps.
    pub steps: usize,
    /// Seconds of training and validation.
    pub seconds: f64,
    /// Training images per second, over all epochs.
    pub images_per_second: f64,
    /// The most memory in use, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// SHA-256 of the evaluated weights.
    pub weights_sha256: Option<String>,
    /// What else was measured.
    pub measured: Measured,
    /// Names of the measures behind it.
    measures: Vec<String>,
    /// Why the training ended, where its loss became infinite or NaN.
    pub diverged: Option<String>,
}

/// An evaluation in two numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The images.
    pub split: EvalSplit,
    /// The weights.
    pub checkpoint: CheckpointName,
    /// Share that was recognised, from 0 to 1.
    pub accuracy: f64,
    /// Mean cross entropy in nats.
    pub loss: f64,
}

/// An epoch of a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochPoint {
    /// Its number, from 1.
    pub epoch: usize,
    /// Accuracy on the training images while they were learned.
    pub train_accuracy: f64,
    /// Their loss in nats.
    pub train_loss: f64,
    /// Accuracy on the validation images after the epoch.
    pub val_accuracy: Option<f64>,
    /// Their loss in nats.
    pub val_loss: Option<f64>,
    /// Share of the weights that are exactly zero.
    pub zeros: f64,
    /// Seconds of training.
    pub seconds: f64,
}

impl From<&EpochRecord> for EpochPoint {
    fn from(record: &EpochRecord) -> Self {
        Self {
            epoch: record.epoch,
            train_accuracy: record.train_accuracy,
            train_loss: record.train_loss,
            val_accuracy: record.val_accuracy,
            val_loss: record.val_loss,
            zeros: record.zeros,
            seconds: record.seconds,
        }
    }
}

impl Outcome {
    /// Accuracy on the images of `split`, from 0 to 1, where it was evaluated.
    pub fn accuracy(&self, split: EvalSplit) -> Option<f64> {
        let score = self.scores.iter().find(|score| score.split == split)?;
        Some(score.accuracy)
    }

    /// What was measured under this name.
    pub fn measured(&self, name: &str) -> Option<f64> {
        let (_, value) = self.measured.iter().find(|(other, _)| other == name)?;
        Some(*value)
    }

    /// The best validation accuracy of any epoch, from 0 to 1.
    pub fn best_val_accuracy(&self) -> Option<f64> {
        let accuracies = self.curve.iter().filter_map(|point| point.val_accuracy);
        accuracies.max_by(f64::total_cmp)
    }

    /// Of a training that ended because its loss became infinite or NaN.
    pub(super) fn of_divergence(arm: &OpenArm, seed: u64, error: &LabError) -> Self {
        Self {
            arm: arm.name.clone(),
            seed,
            run: String::new(),
            scores: Vec::new(),
            wrong: Vec::new(),
            curve: Vec::new(),
            best_epoch: None,
            steps: 0,
            seconds: 0.0,
            images_per_second: 0.0,
            peak_memory_bytes: None,
            weights_sha256: None,
            measured: Vec::new(),
            measures: Vec::new(),
            diverged: Some(error.to_string()),
        }
    }

    /// Of a training that is done: as it was kept, or evaluated and measured
    /// now.
    pub(super) fn of(
        comparison: &Comparison,
        arm: &OpenArm,
        report: &Report,
        store: &Store,
    ) -> Result<Self, LabError> {
        let folder = &report.folder;
        if let Some(kept) = kept(folder, comparison) {
            return Ok(Self {
                arm: arm.name.clone(),
                ..kept
            });
        }
        let manifest = &report.manifest;
        let result = manifest.result.as_ref();
        let seconds = result.map_or(0.0, |result| result.seconds);
        let index = read_index(folder.path())?;
        let last = folder.path().join("checkpoints").join(&index.last);
        let epochs = read_state(&last)?.epochs;
        let learning: f64 = epochs.iter().map(|record| record.seconds).sum();
        let mut outcome = Self {
            arm: arm.name.clone(),
            seed: manifest.settings.train.seed,
            run: manifest.run.clone(),
            scores: Vec::new(),
            wrong: Vec::new(),
            curve: epochs.iter().map(EpochPoint::from).collect(),
            best_epoch: result.and_then(|result| Some(result.best.as_ref()?.epoch)),
            steps: result.map_or(0, |result| result.steps),
            seconds,
            images_per_second: (epochs.len() * manifest.train_images) as f64 / learning,
            peak_memory_bytes: result.and_then(|result| result.peak_memory_bytes),
            weights_sha256: None,
            measured: Vec::new(),
            measures: comparison.measure_names(),
            diverged: None,
        };
        for split in comparison.evaluated() {
            let request = EvalRequest {
                split,
                checkpoint: comparison.checkpoint,
                backend: None,
                batch_size: BATCH,
                tta: 0,
            };
            let (report, wrong) = evaluate_images(folder, &request, store)?;
            if split == EvalSplit::Test {
                outcome.wrong = wrong;
            }
            outcome.weights_sha256 = Some(report.weights_sha256);
            outcome.scores.push(Score {
                split,
                checkpoint: report.checkpoint,
                accuracy: report.accuracy,
                loss: report.loss,
            });
        }
        for measure in &comparison.measures {
            outcome.measured.extend((measure.of)(folder, store)?);
        }
        folder.write_json(FILE, &outcome)?;
        Ok(outcome)
    }
}

impl Comparison {
    /// Which images are evaluated, the test images first.
    fn evaluated(&self) -> impl Iterator<Item = EvalSplit> {
        let others = self.splits.iter().copied();
        std::iter::once(EvalSplit::Test).chain(others.filter(|split| *split != EvalSplit::Test))
    }

    fn measure_names(&self) -> Vec<String> {
        let names = self.measures.iter().map(|measure| measure.name.to_owned());
        names.collect()
    }
}

/// What was kept of an earlier evaluation, if it is what is asked for now.
fn kept(folder: &RunFolder, comparison: &Comparison) -> Option<Outcome> {
    let text = std::fs::read_to_string(folder.path().join(FILE)).ok()?;
    let kept: Outcome = serde_json::from_str(&text).ok()?;
    let same = kept.measures == comparison.measure_names()
        && kept
            .scores
            .iter()
            .map(|score| (score.split, score.checkpoint))
            .eq(comparison
                .evaluated()
                .map(|split| (split, comparison.checkpoint)));
    same.then_some(kept)
}
