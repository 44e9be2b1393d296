//! Reading a checkpoint back, after a look at the SHA-256 of each of its files.

use super::{
    CheckpointError, CheckpointIndex, CheckpointState, MODEL, OPTIMIZER, RAW, REPLACED, SCHEDULER,
    STATE, STATE_SHA256, innermost, read_state, remove, step_name,
};
use crate::regularization::Monitor;
use burn::{lr_scheduler::LrSchedulerRecord, module::Module, optim::OptimizerRecord};
use kiln_store::sha256_hex;
use kiln_weights::load_checkpoint_weights;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A checkpoint that a training goes on from.
pub struct Resume {
    /// Where it stood.
    pub state: CheckpointState,
    folder: PathBuf,
    /// Its name, and that of the one before it.
    names: (String, Option<String>),
}

/// The newest checkpoint of a run that is whole, and a sentence for each newer
/// one that is damaged; none where the run has none yet.
///
/// # Errors
/// When all of them are damaged.
pub fn find_resume(run: &Path) -> Result<(Option<Resume>, Vec<String>), CheckpointError> {
    let folder = run.join("checkpoints");
    restore(&folder).map_err(|error| CheckpointError::Write {
        path: folder.clone(),
        cause: error.to_string(),
    })?;
    let steps = saved_steps(&folder);
    if steps.is_empty() {
        return Ok((None, Vec::new()));
    }
    let mut damaged = Vec::new();
    for (at, name) in steps.iter().enumerate() {
        match whole(&folder.join(name)) {
            Ok(state) => {
                let resume = Resume {
                    state,
                    folder: folder.join(name),
                    names: (name.clone(), steps.get(at + 1).cloned()),
                };
                return Ok((Some(resume), damaged));
            }
            Err(cause) => damaged.push(format!("the checkpoint {name} is damaged: {cause}")),
        }
    }
    Err(CheckpointError::Read {
        path: folder,
        cause: format!("{}; no other is left, train again", damaged.join(", ")),
    })
}

/// Brings folders back that were to be replaced, where the process ended
/// before the new one was there, and removes the others.
fn restore(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(step) = name.strip_suffix(REPLACED) else {
            continue;
        };
        match folder.join(step).exists() {
            true => remove(&path)?,
            false => fs::rename(&path, folder.join(step))?,
        }
    }
    Ok(())
}

/// Names of the folders of saved steps, the newest first.
fn saved_steps(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut steps: Vec<String> = names
        .filter(|name| name.starts_with("step-") && !name.ends_with(".unfinished"))
        .collect();
    steps.sort_by(|a, b| b.cmp(a));
    steps
}

/// The state of a checkpoint all of whose files are as they were written.
fn whole(folder: &Path) -> Result<CheckpointState, String> {
    let state = state(folder)?;
    for name in [MODEL, OPTIMIZER, SCHEDULER] {
        if !state.files.contains_key(name) {
            return Err(format!("{} names no {name}", folder.display()));
        }
    }
    for (name, sha256) in &state.files {
        unchanged(&folder.join(name), sha256)?;
    }
    Ok(state)
}

/// The state of a checkpoint as it was written.
fn state(folder: &Path) -> Result<CheckpointState, String> {
    if let Ok(sha256) = fs::read_to_string(folder.join(STATE_SHA256)) {
        unchanged(&folder.join(STATE), &sha256)?;
    }
    read_state(folder).map_err(|error| error.to_string())
}

/// That a file is what was written.
fn unchanged(file: &Path, sha256: &str) -> Result<(), String> {
    let bytes =
        fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    match sha256_hex(&bytes) == sha256 {
        true => Ok(()),
        false => Err(format!("{} is not what was written", file.display())),
    }
}

/// That the weights of a checkpoint are what was written.
fn has_weights(folder: &Path) -> Result<(), String> {
    let state = state(folder)?;
    let sha256 = state.files.get(MODEL).map_or("", String::as_str);
    unchanged(&folder.join(MODEL), sha256)
}

impl Resume {
    /// The checkpoints to keep, from their folders: `index.json` may be damaged
    /// or from before the last one.
    ///
    /// # Errors
    /// When the weights of that epoch are damaged.
    pub(crate) fn index(&self, monitor: Monitor) -> Result<CheckpointIndex, CheckpointError> {
        let (last, previous) = self.names.clone();
        let best = |state: &CheckpointState| {
            let record = monitor.best(&state.epochs)?;
            Some(step_name(record.step))
        };
        let before = previous
            .as_ref()
            .map(|name| self.folder.with_file_name(name));
        let best_before = before.and_then(|folder| best(&state(&folder).ok()?));
        let best = best(&self.state);
        if let Some(name) = best.as_ref().filter(|name| **name != last) {
            let folder = self.folder.with_file_name(name);
            has_weights(&folder).map_err(|cause| CheckpointError::Read {
                path: folder,
                cause: format!(
                    "it has the best weights so far, but {cause}; bring it back, or train again"
                ),
            })?;
        }
        Ok(CheckpointIndex {
            last,
            previous,
            best,
            best_before,
        })
    }

    /// The network of the training, and the average of its weights if there
    /// is one, in the form of `networks`: two, because clones of a network
    /// share its running statistics.
    ///
    /// # Errors
    /// When the files hold another network.
    pub fn networks<N: Module>(
        &self,
        [raw, average]: [N; 2],
    ) -> Result<(N, Option<N>), CheckpointError> {
        let load = |network: N, name: &str| {
            let file = self.folder.join(name);
            load_checkpoint_weights(network, &file).map_err(|error| CheckpointError::Read {
                path: file,
                cause: error.to_string(),
            })
        };
        match self.state.files.contains_key(RAW) {
            true => Ok((load(raw, RAW)?, Some(load(average, MODEL)?))),
            false => Ok((load(raw, MODEL)?, None)),
        }
    }

    pub(crate) fn records(&self) -> Result<(OptimizerRecord, LrSchedulerRecord), CheckpointError> {
        let file = |name: &str| self.folder.join(name);
        let error = |name: &str, cause: String| CheckpointError::Read {
            path: file(name),
            cause: innermost(&cause),
        };
        let optimizer = OptimizerRecord::load(file(OPTIMIZER))
            .map_err(|cause| error(OPTIMIZER, cause.to_string()))?;
        let scheduler = LrSchedulerRecord::load(file(SCHEDULER))
            .map_err(|cause| error(SCHEDULER, cause.to_string()))?;
        Ok((optimizer, scheduler))
    }
}
