//! Writing checkpoints, so that at every instant a complete one is there.

use super::{
    CheckpointError, CheckpointIndex, CheckpointState, INDEX, MODEL, OPTIMIZER, RAW, REPLACED,
    SCHEDULER, STATE, STATE_SHA256, innermost, remove, step_name, sync, write_json,
};
use burn::{
    lr_scheduler::LrSchedulerRecord,
    optim::OptimizerRecord,
    store::{ModuleRecord, RecordError},
};
use kiln_store::sha256_hex;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Removes from the checkpoints of a run that is done what only going on with it
/// would need: several times the size of the weights, which stay.
///
/// # Errors
/// When the file system refuses.
pub fn remove_learning_state(run: &Path) -> Result<(), CheckpointError> {
    let folder = run.join("checkpoints");
    let removed = (|| {
        for checkpoint in fs::read_dir(&folder)? {
            let checkpoint = checkpoint?.path();
            for name in [OPTIMIZER, SCHEDULER, RAW] {
                let file = checkpoint.join(name);
                if file.is_file() {
                    fs::remove_file(file)?;
                }
            }
        }
        Ok(())
    })();
    removed.map_err(|error: io::Error| CheckpointError::Write {
        path: folder,
        cause: error.to_string(),
    })
}

/// What a checkpoint holds beside its state.
pub struct Saved {
    /// The validated weights.
    pub model: ModuleRecord,
    /// The weights of the training, where those are others.
    pub raw: Option<ModuleRecord>,
    pub optimizer: OptimizerRecord,
    pub scheduler: LrSchedulerRecord,
}

/// Writes the checkpoints of a run.
pub struct Writer {
    folder: PathBuf,
    index: CheckpointIndex,
}

impl Writer {
    /// Of a run that begins, or goes on from a checkpoint in `index`. What an
    /// earlier process left that the index does not name is removed.
    pub fn new(run: &Path, index: CheckpointIndex) -> Result<Self, CheckpointError> {
        let folder = run.join("checkpoints");
        let writer = Self { folder, index };
        let begun = match writer.index.last.is_empty() {
            true => writer.tidy(),
            false => writer.write_index(),
        };
        begun.map_err(|error| writer.error(error.to_string()))?;
        Ok(writer)
    }

    fn error(&self, cause: String) -> CheckpointError {
        CheckpointError::Write {
            path: self.folder.clone(),
            cause,
        }
    }

    /// Removes the folders that the index does not name.
    fn tidy(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder).into_iter().flatten() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("step-") && !self.index.names().any(|kept| *kept == name) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Saves a checkpoint, and removes those that are neither among the last
    /// two nor the best any more.
    pub fn save(
        &mut self,
        saved: Saved,
        state: CheckpointState,
        is_best: bool,
    ) -> Result<(), CheckpointError> {
        let name = step_name(state.step);
        self.write(&name, saved, state)
            .and_then(|()| self.point(name, is_best).map_err(|error| error.to_string()))
            .map_err(|cause| self.error(cause))
    }

    /// Writes a new folder beside the old ones.
    fn write(&self, name: &str, saved: Saved, mut state: CheckpointState) -> Result<(), String> {
        let folder = &self.folder;
        let unfinished = folder.join(format!("{name}.unfinished"));
        let io = |error: io::Error| error.to_string();
        let record = |error: RecordError| innermost(&error.to_string());
        let written = (|| {
            remove(&unfinished).map_err(io)?;
            fs::create_dir_all(&unfinished).map_err(io)?;
            let file = |name: &str| unfinished.join(name);
            saved.model.save(file(MODEL)).map_err(record)?;
            let mut files = vec![MODEL, OPTIMIZER, SCHEDULER];
            if let Some(raw) = saved.raw {
                raw.save(file(RAW)).map_err(record)?;
                files.push(RAW);
            }
            saved.optimizer.save(file(OPTIMIZER)).map_err(record)?;
            saved.scheduler.save(file(SCHEDULER)).map_err(record)?;
            for name in files {
                let bytes = fs::read(file(name)).map_err(io)?;
                state.files.insert(name.to_owned(), sha256_hex(&bytes));
                sync(&file(name)).map_err(io)?;
            }
            write_json(&file(STATE), &state).map_err(io)?;
            let bytes = fs::read(file(STATE)).map_err(io)?;
            fs::write(file(STATE_SHA256), sha256_hex(&bytes)).map_err(io)?;
            sync(&file(STATE_SHA256)).map_err(io)?;
            sync(&unfinished).map_err(io)?;
            // The same step may be there already, from within its epoch or
            // from a process that was killed. It stays until this one is.
            let replaced = folder.join(format!("{name}{REPLACED}"));
            remove(&replaced).map_err(io)?;
            if folder.join(name).exists() {
                fs::rename(folder.join(name), &replaced).map_err(io)?;
            }
            fs::rename(&unfinished, folder.join(name)).map_err(io)?;
            sync(folder).map_err(io)
        })();
        if written.is_err() {
            let _ = remove(&unfinished);
        }
        written
    }

    /// Names the new folder in the index.
    fn point(&mut self, name: String, is_best: bool) -> io::Result<()> {
        let old = std::mem::take(&mut self.index);
        let before = Some(old.last).filter(|last| !last.is_empty() && *last != name);
        self.index = CheckpointIndex {
            best_before: match before {
                Some(_) => old.best.clone(),
                None => old.best_before,
            },
            best: match is_best {
                true => Some(name.clone()),
                false => old.best,
            },
            previous: before.or(old.previous),
            last: name,
        };
        self.write_index()
    }

    /// Writes the index, then removes what it does not name.
    fn write_index(&self) -> io::Result<()> {
        let unfinished = self.folder.join(format!("{INDEX}.unfinished"));
        write_json(&unfinished, &self.index)?;
        fs::rename(&unfinished, self.folder.join(INDEX))?;
        sync(&self.folder)?;
        self.tidy()
    }
}
