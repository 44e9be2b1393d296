//! The SHA-256 of files already hashed, so that a large file is hashed once
//! and not on every start. It remembers bytes, not approvals: whether a hash
//! is the right one is decided anew each time.

use crate::{StoreError, atomic_write, digest::hash_stream, error::failed_to};
use kiln_vision::SourceFile;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// Name of the record.
pub(crate) const NAME: &str = ".kiln-verified.json";

/// Hashes of the files in one folder.
#[derive(Debug)]
pub(crate) struct Memory {
    folder: PathBuf,
    known: BTreeMap<String, Known>,
    changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    bytes: u64,
    modified_ns: u64,
    sha256: String,
}

impl Memory {
    /// What is known of the files in `folder`; nothing, if there is no record
    /// or it is broken.
    pub(crate) fn of(folder: &Path) -> Self {
        let known = fs::read(folder.join(NAME))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        Self {
            folder: folder.to_owned(),
            known,
            changed: false,
        }
    }

    /// Forgets everything, so that each file is hashed anew.
    pub(crate) fn forget(&mut self) {
        self.changed |= !self.known.is_empty();
        self.known.clear();
    }

    /// The hash of the file `name`, if it was hashed before and its length and
    /// time of change are still the same.
    pub(crate) fn recall(&self, name: &str, now: &Metadata) -> Option<&str> {
        let known = self.known.get(name)?;
        (known.bytes == now.len() && Some(known.modified_ns) == modified_ns(now))
            .then_some(known.sha256.as_str())
    }

    /// The length and hash of the file `name`, hashed now unless known.
    pub(crate) fn hash(&mut self, name: &str) -> Result<SourceFile, StoreError> {
        let path = self.folder.join(name);
        let file = File::open(&path).map_err(failed_to("open", &path))?;
        let now = file.metadata().map_err(failed_to("read", &path))?;
        if let Some(sha256) = self.recall(name, &now) {
            return Ok(SourceFile {
                name: name.to_owned(),
                bytes: now.len(),
                sha256: sha256.to_owned(),
            });
        }
        let (sha256, bytes) = hash_stream(file).map_err(failed_to("read", &path))?;
        // The time is the one from before reading: a change meanwhile shows.
        if let Some(modified_ns) = modified_ns(&now) {
            let known = Known {
                bytes,
                modified_ns,
                sha256: sha256.clone(),
            };
            self.known.insert(name.to_owned(), known);
            self.changed = true;
        }
        Ok(SourceFile {
            name: name.to_owned(),
            bytes,
            sha256,
        })
    }
}

impl Drop for Memory {
    /// Writes the record if it grew; a folder that cannot be written only
    /// means hashing again next time.
    fn drop(&mut self) {
        if self.changed
            && let Ok(text) = serde_json::to_vec_pretty(&self.known)
        {
            let _ = atomic_write(&self.folder.join(NAME), &text);
        }
    }
}

fn modified_ns(file: &Metadata) -> Option<u64> {
    let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sha256_hex;
    use std::time::{Duration, SystemTime};

    fn write(dir: &Path, bytes: &[u8], time: SystemTime) {
        fs::write(dir.join("a"), bytes).unwrap();
        let file = File::options().write(true).open(dir.join("a")).unwrap();
        file.set_modified(time).unwrap();
    }

    fn hash(dir: &Path) -> String {
        Memory::of(dir).hash("a").unwrap().sha256
    }

    #[test]
    fn a_file_is_hashed_again_only_when_its_length_or_time_changed() {
        let dir = tempfile::tempdir().unwrap();
        let then = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        write(dir.path(), b"one", then);
        assert_eq!(hash(dir.path()), sha256_hex(b"one"));
        write(dir.path(), b"two", then);
        assert_eq!(hash(dir.path()), sha256_hex(b"one"), "same length and time");
        write(dir.path(), b"two", then + Duration::from_nanos(1));
        assert_eq!(hash(dir.path()), sha256_hex(b"two"));
        write(dir.path(), b"three", then + Duration::from_nanos(1));
        assert_eq!(hash(dir.path()), sha256_hex(b"three"));
    }

    #[test]
    fn a_broken_record_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), b"one", SystemTime::now());
        fs::write(dir.path().join(NAME), b"{").unwrap();
        assert_eq!(hash(dir.path()), sha256_hex(b"one"));
    }

    #[test]
    fn a_record_that_cannot_be_written_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), b"one", SystemTime::now());
        fs::create_dir_all(dir.path().join(NAME).join("in the way")).unwrap();
        assert_eq!(hash(dir.path()), sha256_hex(b"one"));
    }
}
