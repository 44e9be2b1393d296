//! The curves of a run for TensorBoard: `tensorboard --logdir runs`.

use crate::LabError;
use kiln_events::{EventWriter, now};
use kiln_training::EpochRecord;
use std::path::Path;

/// Writes every epoch of a run as scalars over the number of steps.
///
/// Each one that is made writes a new event file, so a run that goes on after
/// an interruption has several, which TensorBoard shows as one.
pub struct TensorBoard(EventWriter);

impl TensorBoard {
    /// Makes a new event file in the folder of a run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(run_folder: &Path) -> Result<Self, LabError> {
        EventWriter::create(run_folder)
            .map(Self)
            .map_err(|error| LabError::io("making an event file in", run_folder, &error))
    }

    /// Whether the folder of a run has an event file already.
    pub fn is_in(run_folder: &Path) -> bool {
        let names = std::fs::read_dir(run_folder)
            .into_iter()
            .flatten()
            .flatten();
        let mut names = names.map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with("events.out.tfevents"))
    }

    /// Writes every number of the epoch that is known.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn epoch(&mut self, record: &EpochRecord) -> Result<(), LabError> {
        let written = scalars(record).try_for_each(|(tag, value)| {
            self.0.scalar(tag, record.step as u64, value as f32, now())
        });
        written
            .and_then(|()| self.0.flush())
            .map_err(|error| LabError::io("writing", self.0.path(), &error))
    }
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
