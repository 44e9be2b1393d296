//! Run folders: made, found, listed, removed.

use crate::{LabError, Manifest, Status};
use kiln_store::atomic_write;
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// One line of a list of runs.
#[derive(Clone, Debug, Serialize)]
pub struct RunSummary {
    /// Name of the folder.
    pub run: String,
    /// How it stands.
    pub status: Status,
    /// The network.
    pub model: String,
    /// The data set.
    pub dataset: String,
    /// The seed.
    pub seed: u64,
    /// Completed epochs.
    pub epochs: usize,
    /// Best validation accuracy from 0 to 1.
    pub val_accuracy: Option<f64>,
}

/// The weights of a run that is done: the best, or the last where nothing was
/// validated.
pub(crate) const MODEL_FILE: &str = "model.safetensors";

impl RunFolder {
    /// Makes a new folder under `parent`, never one that is there already.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn create(parent: &Path, name: &str) -> Result<Self, LabError> {
        let refused = |error: &io::Error| {
            LabError::run(format!(
                "no run folder can be made in {}: {error}; name another folder with --output-dir",
                parent.display()
            ))
        };
        fs::create_dir_all(parent).map_err(|error| refused(&error))?;
        for attempt in 1.. {
            let path = match attempt {
                1 => parent.join(name),
                attempt => parent.join(format!("{name}-{attempt}")),
            };
            match fs::create_dir(&path) {
                Ok(()) => {
                    let folder = Self { path };
                    fs::create_dir(folder.path.join("checkpoints"))
                        .map_err(|error| refused(&error))?;
                    return Ok(folder);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(refused(&error)),
            }
        }
        unreachable!("one of the names is free")
    }

    /// Finds a run: a path, a name under `parent`, or `latest`.
    ///
    /// # Errors
    /// When there is no such folder or it holds no run.
    pub fn open(text: &str, parent: &Path) -> Result<Self, LabError> {
        let given = PathBuf::from(text);
        let under = parent.join(text);
        // Where links are not to be had, `latest` is a file that holds a name.
        let named = fs::read_to_string(&under).ok();
        let named = named
            .filter(|_| text == "latest")
            .map(|name| parent.join(name.trim()));
        let found = [Some(given), Some(under), named]
            .into_iter()
            .flatten()
            .find(|path| path.is_dir());
        let Some(path) = found else {
            return Err(LabError::usage(format!(
                "there is no run '{text}', neither as a path nor in {}; `kiln runs list` shows those there",
                parent.display()
            )));
        };
        if !path.join("run.json").is_file() {
            let newest = path.join("latest");
            let hint = match newest.exists() {
                true => format!("; the newest run in it is {}", newest.display()),
                false => String::new(),
            };
            return Err(LabError::usage(format!(
                "{} is no run folder: it has no run.json{hint}",
                path.display()
            )));
        }
        // A link such as `latest` gives the run its own name.
        let path = fs::canonicalize(&path).unwrap_or(path);
        Ok(Self { path })
    }

    /// Points `latest` at this run.
    ///
    /// # Errors
    /// When neither a link nor a file can be written.
    pub fn make_latest(&self) -> Result<(), LabError> {
        match self.path.parent() {
            Some(parent) => point_latest(parent, &self.name()),
            None => Ok(()),
        }
    }

    /// Appends a line to `log.txt`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn log(&self, line: &str) -> Result<(), LabError> {
        let path = self.path.join("log.txt");
        let time = jiff::Zoned::now()
            .strftime("%Y-%m-%d %H:%M:%S%z")
            .to_string();
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| {
                io::Write::write_all(&mut file, format!("{time} {line}\n").as_bytes())
            })
            .map_err(|error| LabError::io("writing", &path, &error))
    }

    /// Takes the run for this process, until the lock is dropped or the
    /// process ends in whatever way.
    ///
    /// # Errors
    /// When a living process has it.
    pub fn lock(&self) -> Result<fs::File, LabError> {
        let path = self.path.join("lock");
        let file =
            fs::File::create(&path).map_err(|error| LabError::io("writing", &path, &error))?;
        match file.try_lock() {
            // A file system without locks is no reason not to train.
            Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(LabError::run(format!(
                "the run {} is being trained by another process; wait for it or stop it",
                self.name()
            ))),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the folder.
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), LabError> {
        self.write_json("run.json", manifest)
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn manifest(&self) -> Result<Manifest, LabError> {
        let path = self.path.join("run.json");
        let text =
            fs::read_to_string(&path).map_err(|error| LabError::io("reading", &path, &error))?;
        serde_json::from_str(&text)
            .map_err(|error| LabError::data(format!("{} is damaged: {error}", path.display())))
    }

    /// Writes a value as JSON to a file of the folder.
    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), LabError> {
        let text = serde_json::to_string_pretty(value).map_err(LabError::run)?;
        self.write(name, (text + "\n").as_bytes())
    }

    /// Writes a file of the folder, whole or not at all.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), LabError> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| LabError::io("making", parent, &error))?;
        }
        atomic_write(&path, bytes).map_err(|error| LabError::io("writing", &path, &error))
    }
}

/// Makes `latest` name the newest run: a link, or a file where links are not
/// to be had.
fn point_latest(parent: &Path, name: &str) -> Result<(), LabError> {
    let latest = parent.join("latest");
    #[cfg(unix)]
    {
        let link = parent.join(format!(".latest-{}", std::process::id()));
        let _ = fs::remove_file(&link);
        if std::os::unix::fs::symlink(name, &link).is_ok() {
            if fs::rename(&link, &latest).is_ok() {
                return Ok(());
            }
            let _ = fs::remove_file(&link);
        }
    }
    if latest.is_dir() {
        return Ok(()); // somebody's folder; it is not ours to replace
    }
    atomic_write(&latest, name.as_bytes()).map_err(|error| LabError::io("writing", &latest, &error))
}

/// Every run under `parent`, oldest first; folders that hold no run are left out.
///
/// # Errors
/// When `parent` cannot be read.
pub fn list_runs(parent: &Path) -> Result<Vec<RunSummary>, LabError> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LabError::io("reading", parent, &error)),
    };
    let mut runs: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| RunFolder { path: entry.path() })
        .filter_map(|folder| {
            folder
                .manifest()
                .ok()
                .map(|manifest| (folder.name(), manifest))
        })
        .collect();
    runs.sort_by_key(|(name, manifest)| (manifest.started.timestamp(), name.clone()));
    Ok(runs
        .into_iter()
        .map(|(run, manifest)| RunSummary {
            run,
            status: manifest.status,
            model: manifest.settings.model.name,
            dataset: manifest.settings.data.dataset,
            seed: manifest.settings.train.seed,
            epochs: manifest.result.as_ref().map_or(0, |result| result.epochs),
            val_accuracy: manifest.result.and_then(|result| result.best?.val_accuracy),
        })
        .collect())
}

/// Removes a run folder and, if it was the newest, points `latest` at the one
/// before.
///
/// # Errors
/// When there is no such run or it cannot be removed.
pub fn remove_run(text: &str, parent: &Path) -> Result<PathBuf, LabError> {
    let folder = RunFolder::open(text, parent)?;
    let path = folder.path().to_owned();
    fs::remove_dir_all(&path).map_err(|error| LabError::io("removing", &path, &error))?;
    let latest = parent.join("latest");
    if fs::symlink_metadata(&latest).is_ok_and(|data| !data.is_dir()) && !latest.is_dir() {
        let _ = fs::remove_file(&latest);
        if let Some(newest) = list_runs(parent)?.last() {
            point_latest(parent, &newest.run)?;
        }
    }
    Ok(path)
}
