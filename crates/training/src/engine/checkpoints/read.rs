//! Reading a checkpoint back, after a look at the SHA-256 of each of its files.

use super::{
    CheckpointError, CheckpointIndex, CheckpointState, MODEL, OPTIMIZER, RAW, SCHEDULER, innermost,
    read_index, read_state,
};
use burn::{lr_scheduler::LrSchedulerRecord, module::Module, optim::OptimizerRecord};
use kiln_store::sha256_hex;
use kiln_weights::load_checkpoint_weights;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A checkpoint that a training goes on from.
pub struct Resume {
    /// Where it stood.
    pub state: CheckpointState,
    /// What the index keeps.
    pub index: CheckpointIndex,
    folder: PathBuf,
}

/// The newest checkpoint of a run that is whole, and a sentence for each newer
/// one that is damaged; none where the run has none yet.
///
/// # Errors
/// When all of them are damaged.
pub fn find_resume(run: &Path) -> Result<(Option<Resume>, Vec<String>), CheckpointError> {
    let folder = run.join("checkpoints");
    let steps = saved_steps(&folder);
    if steps.is_empty() {
        return Ok((None, Vec::new()));
    }
    // Without its index a run still has its folders.
    let index = read_index(run).unwrap_or_default();
    let mut damaged = Vec::new();
    for name in steps {
        match whole(&folder.join(&name)) {
            Ok(state) => {
                let index = index.up_to(&name);
                let resume = Resume {
                    state,
                    index,
                    folder: folder.join(name),
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
    let state = read_state(folder).map_err(|error| error.to_string())?;
    for name in [MODEL, OPTIMIZER, SCHEDULER] {
        if !state.files.contains_key(name) {
            return Err(format!("{} names no {name}", folder.display()));
        }
    }
    for (name, sha256) in &state.files {
        let file = folder.join(name);
        let bytes = fs::read(&file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        if sha256_hex(&bytes) != *sha256 {
            return Err(format!("{} is not what was written", file.display()));
        }
    }
    Ok(state)
}

impl Resume {
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
