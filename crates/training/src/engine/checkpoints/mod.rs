//! Checkpoints: a folder per saved step, complete or absent, and an index that
//! names the last, the one before and the best.

mod read;
mod write;

pub use read::{Resume, find_resume};
pub use write::remove_learning_state;
pub(super) use write::{Saved, Writer};

use super::{
    account::Account,
    fit::{EpochRecord, Phases},
};
use burn::store::ModuleRecord;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The weights that were validated: those of the training, or their average.
pub const MODEL: &str = "model.bpk";
/// The weights of the training, where the validated ones are their average.
const RAW: &str = "raw.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const SCHEDULER: &str = "scheduler.bpk";
const STATE: &str = "state.json";
/// The SHA-256 of the state's file.
const STATE_SHA256: &str = "state.sha256";
const INDEX: &str = "index.json";

/// Where a training stood when a checkpoint was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// SHA-256 of the validated weights.
    pub weights_sha256: String,
    /// Every completed epoch.
    #[serde(default)]
    pub epochs: Vec<EpochRecord>,
    /// The metrics of the running epoch so far.
    #[serde(default)]
    pub account: Account,
    /// Seconds of training in the running epoch so far.
    #[serde(default)]
    pub epoch_seconds: f64,
    /// Where the time went.
    #[serde(default)]
    pub phases: Phases,
    /// SHA-256 of the other files of the folder.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// Which folders under `checkpoints/` are the last and the best.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointIndex {
    /// The most recent one.
    pub last: String,
    /// The one before it.
    #[serde(default)]
    pub previous: Option<String>,
    /// The one of the best epoch so far.
    pub best: Option<String>,
    /// The best one when the one before was the last.
    #[serde(default)]
    pub best_before: Option<String>,
}

impl CheckpointIndex {
    /// Every folder that is kept.
    fn names(&self) -> impl Iterator<Item = &String> {
        let others = self.previous.iter().chain(&self.best);
        std::iter::once(&self.last)
            .chain(others)
            .chain(&self.best_before)
    }
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
    read_json(&run.join("checkpoints").join(INDEX))
}

/// Reads the state of a checkpoint folder.
///
/// # Errors
/// When it is not there or is damaged.
pub fn read_state(checkpoint: &Path) -> Result<CheckpointState, CheckpointError> {
    read_json(&checkpoint.join(STATE))
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, CheckpointError> {
    let error = |cause: String| CheckpointError::Read {
        path: path.to_owned(),
        cause,
    };
    let text = fs::read_to_string(path).map_err(|cause| error(cause.to_string()))?;
    serde_json::from_str(&text).map_err(|cause| error(cause.to_string()))
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
    let last = step_name(0);
    let state = CheckpointState {
        weights_sha256,
        ..CheckpointState::default()
    };
    let io = |cause: io::Error| error(cause.to_string());
    fs::create_dir_all(folder.join(&last)).map_err(io)?;
    model
        .save(folder.join(&last).join(MODEL))
        .map_err(|cause| error(innermost(&cause.to_string())))?;
    write_json(&folder.join(&last).join(STATE), &state).map_err(io)?;
    let index = CheckpointIndex {
        last,
        ..CheckpointIndex::default()
    };
    write_json(&folder.join(INDEX), &index).map_err(io)
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

/// What the name of a folder ends in that another of its step is to replace.
const REPLACED: &str = ".replaced";

/// The folder of a step.
fn step_name(step: usize) -> String {
    format!("step-{step:08}")
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
