//! One writer per data set: the lock that a fetch, an import and an unpacking
//! take, and the folder in which they prepare files.

use crate::{PinnedSet, Store, StoreError, error::failed_to};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

/// The right to write a set's folder; ends when dropped, or with the process.
#[derive(Debug)]
pub(crate) struct Hold {
    _file: File,
}

impl Hold {
    /// Takes the right to write the folder of `set`, at once or not at all.
    pub(crate) fn take(store: &Store, set: &PinnedSet) -> Result<Self, StoreError> {
        let root = store.root();
        fs::create_dir_all(root).map_err(failed_to("create the data folder", root))?;
        let path = root.join(format!(".{}.lock", set.folder));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed_to("create", &path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy {
                set: set.folder,
                path,
            }),
            // A file system without locks: go on without one.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self { _file: file }),
        }
    }
}

/// A folder for files that are not yet complete; removed when dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    path: PathBuf,
    set_folder: PathBuf,
}

impl Staging {
    /// An empty staging folder in `set_folder`, which is created if need be.
    /// What an interrupted process left there is removed.
    pub(crate) fn create(set_folder: &Path) -> Result<Self, StoreError> {
        let path = set_folder.join(".staging");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(failed_to("create", &path))?;
        Ok(Self {
            path,
            set_folder: set_folder.to_owned(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        // Removes the set's folder only if nothing came to lie in it.
        let _ = fs::remove_dir(&self.set_folder);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_second_writer_of_the_same_set_is_told_to_wait() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::locate(Some(dir.path()), true).unwrap();
        let set = PinnedSet {
            folder: "letters",
            files: &[],
            mirrors: &[],
            layout: None,
        };
        let first = Hold::take(&store, &set).unwrap();
        let error = Hold::take(&store, &set).unwrap_err().to_string();
        assert!(
            error.contains("another kiln") && error.contains("letters"),
            "{error}"
        );
        drop(first);
        Hold::take(&store, &set).unwrap();
    }

    #[test]
    fn staging_leaves_no_trace_and_begins_empty() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("letters");
        fs::create_dir_all(folder.join(".staging/left over")).unwrap();
        let staging = Staging::create(&folder).unwrap();
        assert_eq!(fs::read_dir(staging.path()).unwrap().count(), 0);
        drop(staging);
        assert!(!folder.exists());
    }
}
