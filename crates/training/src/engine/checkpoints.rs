//! Checkpoints: a folder per saved step, complete or absent, and an index that
//! names the last and the best.

use burn::{
    lr_scheduler::LrSchedulerRecord,
    optim::OptimizerRecord,
    store::{ModuleRecord, RecordError},
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where a training stood when a checkpoint was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointState {
    /// Optimizer steps done.
    pub step: usize,
    /// Epochs completed.
    pub epoch: usize,
    /// Batches of the running epoch done, 0 at its end.
    pub batch: usize,
    /// Mean validation loss after the last completed epoch.
    pub val_loss: Option<f64>,
    /// Validation accuracy from 0 to 1 after the last completed epoch.
    pub val_accuracy: Option<f64>,
    /// SHA-256 of the weights.
    pub weights_sha256: String,
}

/// Which folders under `checkpoints/` are the last and the best.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointIndex {
    /// The most recent one.
    pub last: String,
    /// The one with the highest validation accuracy, then the lowest loss.
    pub best: Option<String>,
}

/// Why a checkpoint cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system refused.
    #[error(
        "a checkpoint in {path} could not be written: {cause}; make room there or name another folder with --output-dir, what was saved before is intact"
    )]
    Write {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// There is no checkpoint or it cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
}

/// Reads `checkpoints/index.json` of a run folder.
///
/// # Errors
/// When it is not there or is damaged.
pub fn read_index(run: &Path) -> Result<CheckpointIndex, CheckpointError> {
    read_json(&run.join("checkpoints/index.json"))
}

/// Reads the state of a checkpoint folder.
///
/// # Errors
/// When it is not there or is damaged.
pub fn read_state(checkpoint: &Path) -> Result<CheckpointState, CheckpointError> {
    read_json(&checkpoint.join("state.json"))
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, CheckpointError> {
    let error = |cause: String| CheckpointError::Read {
        path: path.to_owned(),
        cause,
    };
    let text = fs::read_to_string(path).map_err(|cause| error(cause.to_string()))?;
    serde_json::from_str(&text).map_err(|cause| error(cause.to_string()))
}

/// Writes the checkpoints of a run.
pub(super) struct Writer {
    folder: PathBuf,
    index: CheckpointIndex,
    best: Option<(f64, f64)>,
}

impl Writer {
    pub fn new(run: &Path) -> Self {
        Self {
            folder: run.join("checkpoints"),
            index: CheckpointIndex::default(),
            best: None,
        }
    }

    /// Saves a checkpoint, and removes those that are neither the last nor the
    /// best any more.
    pub fn save(
        &mut self,
        model: ModuleRecord,
        optimizer: OptimizerRecord,
        scheduler: LrSchedulerRecord,
        state: CheckpointState,
    ) -> Result<(), CheckpointError> {
        self.write((model, optimizer, scheduler), &state)
            .map_err(|cause| CheckpointError::Write {
                path: self.folder.clone(),
                cause,
            })
    }

    /// Writes a new folder beside the old ones, then the index that names it,
    /// then removes what the index no longer names.
    fn write(
        &mut self,
        (model, optimizer, scheduler): (ModuleRecord, OptimizerRecord, LrSchedulerRecord),
        state: &CheckpointState,
    ) -> Result<(), String> {
        let folder = &self.folder;
        let name = format!("step-{:08}", state.step);
        let unfinished = folder.join(format!("{name}.unfinished"));
        let io = |error: io::Error| error.to_string();
        let record = |error: RecordError| innermost(&error.to_string());
        let written = (|| {
            remove(&unfinished).map_err(io)?;
            fs::create_dir_all(&unfinished).map_err(io)?;
            model.save(unfinished.join("model.bpk")).map_err(record)?;
            optimizer
                .save(unfinished.join("optimizer.bpk"))
                .map_err(record)?;
            scheduler
                .save(unfinished.join("scheduler.bpk"))
                .map_err(record)?;
            write_json(&unfinished.join("state.json"), state).map_err(io)?;
            for file in ["model.bpk", "optimizer.bpk", "scheduler.bpk"] {
                sync(&unfinished.join(file)).map_err(io)?;
            }
            remove(&folder.join(&name)).map_err(io)?;
            fs::rename(&unfinished, folder.join(&name)).map_err(io)?;
            sync(folder).map_err(io)
        })();
        if let Err(cause) = written {
            let _ = remove(&unfinished);
            return Err(cause);
        }
        let mut index = self.index.clone();
        index.last.clone_from(&name);
        // Only a completed epoch has a validation result of its own.
        if let (Some(accuracy), Some(loss), 0) = (state.val_accuracy, state.val_loss, state.batch)
            && self.best.is_none_or(|best| (accuracy, -loss) > best)
        {
            self.best = Some((accuracy, -loss));
            index.best = Some(name);
        }
        let file = folder.join("index.json");
        let unfinished = folder.join("index.json.unfinished");
        write_json(&unfinished, &index).map_err(io)?;
        fs::rename(&unfinished, &file).map_err(io)?;
        for old in [Some(&self.index.last), self.index.best.as_ref()] {
            let old = old.filter(|old| !old.is_empty());
            if let Some(old) =
                old.filter(|old| **old != index.last && Some(*old) != index.best.as_ref())
            {
                remove(&folder.join(old)).map_err(io)?;
            }
        }
        self.index = index;
        Ok(())
    }
}

/// Writes weights that were not trained here as the one checkpoint of a run.
///
/// # Errors
/// When the file system refuses.
pub fn save_weights(
    run: &Path,
    model: ModuleRecord,
    weights_sha256: String,
) -> Result<(), CheckpointError> {
    let folder = run.join("checkpoints");
    let error = |cause: String| CheckpointError::Write {
        path: folder.clone(),
        cause,
    };
    let last = "step-00000000".to_owned();
    let state = CheckpointState {
        step: 0,
        epoch: 0,
        batch: 0,
        val_loss: None,
        val_accuracy: None,
        weights_sha256,
    };
    let io = |cause: io::Error| error(cause.to_string());
    fs::create_dir_all(folder.join(&last)).map_err(io)?;
    model
        .save(folder.join(&last).join("model.bpk"))
        .map_err(|cause| error(innermost(&cause.to_string())))?;
    write_json(&folder.join(&last).join("state.json"), &state).map_err(io)?;
    let index = CheckpointIndex { last, best: None };
    write_json(&folder.join("index.json"), &index).map_err(io)
}

/// What the system said, without the layers that Burn wraps around it.
fn innermost(error: &str) -> String {
    let text = error.rsplit("I/O error: ").next().unwrap_or(error);
    let words: Vec<_> = text.trim_end_matches('`').split_whitespace().collect();
    words.join(" ")
}

fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    let mut file = fs::File::create(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()
}

/// Makes a file or, where the system can, a folder last through a power cut.
fn sync(path: &Path) -> io::Result<()> {
    match cfg!(unix) || path.is_file() {
        true => fs::File::open(path)?.sync_all(),
        false => Ok(()),
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
