//! What a sweep has done so far, in its folder: `state.json`, written after
//! every run, whole or not at all.

use crate::{LabError, RunNumbers};
use kiln_store::atomic_write;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// A run of a sweep that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRun {
    /// Number of the candidate, from 1.
    pub candidate: usize,
    /// Epochs that it was given.
    pub epochs: usize,
    /// Its seed.
    pub seed: u64,
    /// What it came to; none where its loss became infinite or NaN.
    pub numbers: Option<RunNumbers>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The file of a sweep's folder.
#[derive(Serialize, Deserialize)]
pub struct State {
    /// The sweep's file.
    definition: Value,
    /// SHA-256 of the resolved settings of all candidates.
    settings_sha256: String,
    /// Every run that is over.
    pub runs: Vec<SweepRun>,
    #[serde(skip)]
    file: PathBuf,
}

impl State {
    /// Goes on with the sweep in `folder`, or begins one there.
    ///
    /// # Errors
    /// When the folder holds another sweep or something else.
    pub fn open(
        folder: &Path,
        definition: Value,
        settings_sha256: String,
    ) -> Result<Self, LabError> {
        let file = folder.join("state.json");
        let wrong = |what: String| LabError::usage(format!("{} {what}", folder.display()));
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
                    return Err(wrong(
                        "is there already and holds no sweep; rename the sweep's file or choose another --output-dir".to_owned(),
                    ));
                }
                fs::create_dir_all(folder)
                    .map_err(|error| LabError::io("making", folder, &error))?;
                let state = Self {
                    definition,
                    settings_sha256,
                    runs: Vec::new(),
                    file,
                };
                state.save()?;
                return Ok(state);
            }
            Err(error) => return Err(LabError::io("reading", &file, &error)),
        };
        let mut state: Self = serde_json::from_str(&text)
            .map_err(|error| LabError::data(format!("{} is damaged: {error}", file.display())))?;
        let changed = match (
            state.definition == definition,
            state.settings_sha256 == settings_sha256,
        ) {
            (true, true) => {
                state.file = file;
                return Ok(state);
            }
            (false, _) => "the sweep's file has changed since",
            (true, false) => "the configuration or the recipes under it have changed since",
        };
        Err(wrong(format!(
            "holds this sweep as it was begun, but {changed}; change it back, or give the changed one another file name or --output-dir"
        )))
    }

    /// The run of a candidate, if it is over.
    pub fn find(&self, candidate: usize, epochs: usize, seed: u64) -> Option<&SweepRun> {
        self.runs
            .iter()
            .find(|run| (run.candidate, run.epochs, run.seed) == (candidate, epochs, seed))
    }

    /// Adds a run and writes the file.
    pub fn add(&mut self, run: SweepRun) -> Result<(), LabError> {
        self.runs.push(run);
        self.save()
    }

    fn save(&self) -> Result<(), LabError> {
        let text = serde_json::to_string_pretty(self).map_err(LabError::run)?;
        atomic_write(&self.file, (text + "\n").as_bytes())
            .map_err(|error| LabError::io("writing", &self.file, &error))
    }
}
