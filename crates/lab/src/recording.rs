//! What a run writes down after each epoch.

use crate::{LabError, RunFolder, TensorBoard};
use kiln_training::{EpochRecord, Reporter};
use std::fmt::{Display, Write as _};

/// The columns of `metrics.csv`.
const COLUMNS: &str = "epoch,step,lr,train_loss,train_accuracy,train_top5,val_loss,val_accuracy,val_top5,gradient_norm,weight_norm,zeros,seconds,images_per_second,memory_mb";

/// The tables of a run.
struct Tables {
    folder: RunFolder,
    metrics: String,
    zeros: String,
}

/// A reporter that also writes `metrics.csv`, with the epochs that are known
/// from before, `zeros.csv` where L1 is on, and TensorBoard's events.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn recording(
    (folder, mut board): (RunFolder, Option<TensorBoard>),
    known: &[EpochRecord],
    mut next: Reporter,
) -> Result<Reporter, LabError> {
    let mut tables = Tables {
        folder,
        metrics: format!("{COLUMNS}\n"),
        zeros: String::new(),
    };
    for record in known {
        add(&mut tables.metrics, &mut tables.zeros, record);
    }
    if !known.is_empty() {
        // The process before may have been killed before it wrote the last.
        tables.write()?;
    }
    Ok(Box::new(move |record| {
        add(&mut tables.metrics, &mut tables.zeros, record);
        let validated = record.val_accuracy.map_or_else(String::new, |accuracy| {
            format!(", validation accuracy {accuracy:.4}")
        });
        let line = format!(
            "epoch {} done, training loss {:.4}{validated}",
            record.epoch, record.train_loss
        );
        let written = tables
            .write()
            .and_then(|()| tables.folder.log(&line))
            .and_then(|()| board.as_mut().map_or(Ok(()), |board| board.epoch(record)));
        written.map_err(|error| error.to_string())?;
        next(record)
    }))
}

impl Tables {
    fn write(&self) -> Result<(), LabError> {
        self.folder.write("metrics.csv", self.metrics.as_bytes())?;
        match self.zeros.is_empty() {
            true => Ok(()),
            false => self.folder.write("zeros.csv", self.zeros.as_bytes()),
        }
    }
}

fn add(metrics: &mut String, zeros: &mut String, record: &EpochRecord) {
    let memory = record.memory_bytes.map(|bytes| bytes / 1_000_000);
    let _ = writeln!(
        metrics,
        "{},{},{},{},{},{},{},{},{},{},{},{},{:.3},{:.1},{}",
        record.epoch,
        record.step,
        record.lr,
        record.train_loss,
        record.train_accuracy,
        optional(record.train_top5),
        optional(record.val_loss),
        optional(record.val_accuracy),
        optional(record.val_top5),
        optional(record.gradient_norm),
        record.weight_norm,
        record.zeros,
        record.seconds,
        record.images_per_second,
        optional(memory),
    );
    if zeros.is_empty() && !record.zeros_by_layer.is_empty() {
        let layers = record
            .zeros_by_layer
            .iter()
            .map(|(layer, _)| layer.as_str());
        let _ = writeln!(zeros, "epoch,{}", layers.collect::<Vec<_>>().join(","));
    }
    if !record.zeros_by_layer.is_empty() {
        let shares = record.zeros_by_layer.iter();
        let shares: Vec<_> = shares.map(|(_, share)| share.to_string()).collect();
        let _ = writeln!(zeros, "{},{}", record.epoch, shares.join(","));
    }
}

fn optional(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
