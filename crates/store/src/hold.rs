//! One writer per data set: the lock that a fetch, an import and an unpacking
//! take, and the folder in which they prepare files.

use crate::{PinnedSet, Store, StoreError, error::failed_to, replace};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// The right to write a set's folder; ends when dropped, or with the process.
#[derive(Debug)]
pub(crate) struct Hold {
    _file: File,
}

impl Hold {
    /// Waits for the right to write the folder of `set`, and mends what an
    /// interrupted import left. Whoever has the right must not ask for it
    /// again: it would wait for itself.
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
        // A file system without locks: go on without one.
        let _ = file.lock();
        replace::settle(set, &store.folder(set))?;
        Ok(Self { _file: file })
    }
}

/// A folder for files that are not yet complete; removed when dropped.
#[derive(Debug)]
pub(crate) struct Fresh(PathBuf);

impl Fresh {
    /// An empty folder at `path`; what an interrupted process left there is
    /// removed. An error names `target`, for which the files are meant.
    pub(crate) fn create(path: PathBuf, target: &Path) -> Result<Self, StoreError> {
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(failed_to("create files for", target))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::{sync::mpsc, thread, time::Duration};

    #[test]
    fn a_second_writer_of_the_same_set_waits_for_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::locate(Some(dir.path()), true).unwrap();
        let set = PinnedSet {
            folder: "letters",
            files: &[],
            mirrors: &[],
            layout: None,
        };
        let first = Hold::take(&store, &set).unwrap();
        let (send, receive) = mpsc::channel();
        let second = thread::spawn(move || {
            let taken = Hold::take(&store, &set).is_ok();
            send.send(taken).unwrap();
        });
        assert!(receive.recv_timeout(Duration::from_millis(50)).is_err());
        drop(first);
        assert!(receive.recv().unwrap());
        second.join().unwrap();
    }

    #[test]
    fn a_fresh_folder_leaves_no_trace_and_begins_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".letters.new");
        fs::create_dir_all(path.join("left over")).unwrap();
        let fresh = Fresh::create(path.clone(), dir.path()).unwrap();
        assert_eq!(fs::read_dir(fresh.path()).unwrap().count(), 0);
        drop(fresh);
        assert!(!path.exists());
    }
}
