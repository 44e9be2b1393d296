//! Where the data folder is, and the state of a set in it.

use crate::{
    PinnedSet, StoreError,
    check::Depth,
    hold::Hold,
    plan::{Plan, plan},
    replace::is_unsettled,
};
use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

/// The environment variable that names the data folder.
pub const DATA_DIR_VARIABLE: &str = "KILN_DATA_DIR";

/// The data folder; each data set has a subfolder of it.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    offline: bool,
}

/// What can be said of a set without reading its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetState {
    /// Not all files are there.
    Missing,
    /// All files are there, and their hashes will be compared on first use.
    Unchecked,
    /// All files are there and are the published ones.
    Official,
    /// An imported copy that is not the published one; its origin.
    Unofficial(String),
    /// Something is wrong; what, without advice.
    Damaged(String),
}

impl fmt::Display for SetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "missing"),
            Self::Unchecked => write!(f, "there, not yet checked"),
            Self::Official => write!(f, "official files"),
            Self::Unofficial(origin) => write!(f, "unofficial copy: {origin}"),
            Self::Damaged(reason) => write!(f, "damaged: {reason}"),
        }
    }
}

impl Store {
    /// The data folder: `flag` if given, else what `KILN_DATA_DIR` names, else
    /// `kiln` in the system's cache folder. It need not exist yet. With
    /// `offline`, nothing is ever downloaded.
    ///
    /// # Errors
    /// When there is no such folder to name, or it is something else.
    pub fn locate(flag: Option<&Path>, offline: bool) -> Result<Self, StoreError> {
        let root = choose(flag, std::env::var_os(DATA_DIR_VARIABLE), dirs::cache_dir())?;
        if root.exists() && !root.is_dir() {
            return Err(StoreError::NotAFolder { path: root });
        }
        Ok(Self { root, offline })
    }

    /// The data folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether downloads are switched off.
    pub fn offline(&self) -> bool {
        self.offline
    }

    /// The subfolder of `set`.
    pub fn folder(&self, set: &PinnedSet) -> PathBuf {
        self.root.join(set.folder)
    }

    /// The state of `set`, from lengths and remembered hashes alone.
    pub fn state(&self, set: &PinnedSet) -> SetState {
        match self.glance(set) {
            Ok(state) => state,
            Err(StoreError::Missing { .. }) => SetState::Missing,
            Err(error) => SetState::Damaged(error.reason()),
        }
    }

    /// Mends what an interrupted import left, once none goes on.
    pub(crate) fn settle(&self, set: &PinnedSet) -> Result<(), StoreError> {
        if is_unsettled(&self.folder(set)) {
            Hold::take(self, set)?;
        }
        Ok(())
    }

    fn glance(&self, set: &PinnedSet) -> Result<SetState, StoreError> {
        self.settle(set)?;
        let Plan {
            source,
            mut items,
            packed,
        } = plan(set, &self.folder(set), &set.contents())?;
        let mut memory = self.memory(set);
        let mut checked = !packed;
        for item in &mut items {
            checked &= item.check(&mut memory, Depth::Glance)?.is_some();
        }
        Ok(match (source.official, checked) {
            (false, _) => SetState::Unofficial(source.note),
            (true, true) => SetState::Official,
            (true, false) => SetState::Unchecked,
        })
    }
}

fn choose(
    flag: Option<&Path>,
    variable: Option<OsString>,
    cache: Option<PathBuf>,
) -> Result<PathBuf, StoreError> {
    flag.map(Path::to_owned)
        .or_else(|| variable.filter(|name| !name.is_empty()).map(PathBuf::from))
        .or_else(|| cache.map(|cache| cache.join("kiln")))
        .ok_or(StoreError::NoCacheFolder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_flag_wins_over_the_variable_and_that_over_the_cache_folder() {
        let cache = || Some(PathBuf::from("/cache"));
        let chosen = |flag: Option<&str>, variable: Option<&str>| {
            choose(flag.map(Path::new), variable.map(OsString::from), cache()).unwrap()
        };
        assert_eq!(chosen(Some("/flag"), Some("/env")), Path::new("/flag"));
        assert_eq!(chosen(None, Some("/env")), Path::new("/env"));
        assert_eq!(chosen(None, Some("")), Path::new("/cache/kiln"));
        assert_eq!(chosen(None, None), Path::new("/cache/kiln"));
    }

    #[test]
    fn without_any_folder_the_variable_is_named() {
        let error = choose(None, None, None).unwrap_err();
        assert!(error.to_string().contains("KILN_DATA_DIR"), "{error}");
    }

    #[test]
    fn a_file_as_data_folder_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Store::locate(Some(file.path()), false).unwrap_err();
        assert!(error.to_string().contains("not a folder"), "{error}");
    }
}
