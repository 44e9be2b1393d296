//! The curves of a run for TensorBoard: `tensorboard --logdir runs`.

use crate::LabError;
use kiln_events::{EventWriter, now};
use kiln_training::EpochRecord;
use std::path::{Path, PathBuf};

/// Writes every epoch of a run as scalars over the number of steps.
///
/// A run has one event file, with the epochs of its `metrics.csv`.
pub struct TensorBoard(EventWriter);

/// How the name of an event file begins.
const PREFIX: &str = "events.out.tfevents";

impl TensorBoard {
    /// Makes an event file with the epochs that are `known` in the folder of a
    /// run; one that was there goes.
    ///
    /// # Errors
    /// When it cannot be written, or the other cannot be removed.
    pub fn create(run_folder: &Path, known: &[EpochRecord]) -> Result<Self, LabError> {
        let failed = |error| LabError::io("making an event file in", run_folder, &error);
        let before: Vec<_> = files(run_folder).collect();
        let mut board = EventWriter::create(run_folder).map(Self).map_err(failed)?;
        let mut left: f64 = known.iter().map(|record| record.seconds).sum();
        let now = now();
        for record in known {
            left -= record.seconds;
            board.write(record, now - left)?;
        }
        for file in before {
            std::fs::remove_file(file).map_err(failed)?;
        }
        Ok(board)
    }

    /// Whether the folder of a run has an event file already.
    pub fn is_in(run_folder: &Path) -> bool {
        files(run_folder).next().is_some()
    }

    /// Writes every number of the epoch that is known.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn epoch(&mut self, record: &EpochRecord) -> Result<(), LabError> {
        self.write(record, now())
    }

    fn write(&mut self, record: &EpochRecord, time: f64) -> Result<(), LabError> {
        let written = scalars(record).try_for_each(|(tag, value)| {
            self.0.scalar(tag, record.step as u64, value as f32, time)
        });
        written
            .and_then(|()| self.0.flush())
            .map_err(|error| LabError::io("writing", self.0.path(), &error))
    }
}

/// The event files of a run.
fn files(run_folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(run_folder).into_iter().flatten();
    let files = entries.flatten().map(|entry| entry.path());
    files.filter(|file| {
        let name = file.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(PREFIX)
    })
}

fn scalars(record: &EpochRecord) -> impl Iterator<Item = (&'static str, f64)> {
    let scalars = [
        ("train/loss", Some(record.train_loss)),
        ("train/accuracy", Some(record.train_accuracy)),
        ("train/top5", record.train_top5),
        ("val/loss", record.val_loss),
        ("val/accuracy", record.val_accuracy),
        ("val/top5", record.val_top5),
        ("lr", Some(record.lr)),
        ("gradient_norm", record.gradient_norm),
        ("weight_norm", Some(record.weight_norm)),
        ("zeros", Some(record.zeros)),
        ("images_per_second", Some(record.images_per_second)),
        (
            "memory_mb",
            record.memory_bytes.map(|bytes| bytes as f64 / 1e6),
        ),
    ];
    scalars
        .into_iter()
        .filter_map(|(tag, value)| Some((tag, value?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_without_validation_has_no_scalars_of_it() {
        let mut record = EpochRecord {
            epoch: 1,
            step: 8,
            lr: 0.1,
            train_loss: 2.0,
            train_accuracy: 0.5,
            val_loss: Some(2.5),
            val_accuracy: Some(0.25),
            seconds: 1.0,
            images_per_second: 256.0,
            ..EpochRecord::default()
        };
        assert_eq!(scalars(&record).count(), 8);
        (record.val_loss, record.val_accuracy) = (None, None);
        let tags: Vec<_> = scalars(&record).map(|(tag, _)| tag).collect();
        assert_eq!(
            tags,
            [
                "train/loss",
                "train/accuracy",
                "lr",
                "weight_norm",
                "zeros",
                "images_per_second"
            ]
        );
    }
}
