//! The two records that make files count without a pinned hash of their own:
//! those unpacked from a verified archive, and those of an unofficial copy
//! that the user vouches for.

use crate::{PinnedSet, StoreError, atomic_write, error::failed_to};
use kiln_vision::SourceFile;
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// Name of the record of an unofficial copy.
pub(crate) const UNOFFICIAL: &str = ".kiln-unofficial.json";
/// Name of the record of what was unpacked.
pub(crate) const UNPACKED: &str = ".kiln-unpacked.json";

/// Files and where they come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Register {
    /// The user's words, or the SHA-256 of the archive.
    pub(crate) origin: String,
    /// The files, named relative to the set's folder.
    pub(crate) files: Vec<SourceFile>,
}

impl Register {
    /// The record of an unofficial copy in `folder`, if there is one.
    pub(crate) fn unofficial(folder: &Path) -> Result<Option<Self>, StoreError> {
        Self::read(&folder.join(UNOFFICIAL))
    }

    /// The record of the files of `set` in `folder` that were unpacked from
    /// its official archive, whether they are still there or not.
    pub(crate) fn unpacked(set: &PinnedSet, folder: &Path) -> Result<Option<Self>, StoreError> {
        let (Some(_), Some(archive)) = (&set.layout, set.files.first()) else {
            return Ok(None);
        };
        let register = Self::read(&folder.join(UNPACKED))?;
        Ok(register.filter(|register| register.origin == archive.sha256))
    }

    /// Whether all files are there, be they right or not.
    pub(crate) fn is_complete(&self, folder: &Path) -> bool {
        let mut files = self.files.iter();
        files.all(|file| folder.join(&file.name).exists())
    }

    fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(cause)
                if matches!(
                    cause.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(cause) => return Err(failed_to("read", path)(cause)),
        };
        let register = serde_json::from_slice(&text).map_err(|cause| StoreError::Register {
            path: path.to_owned(),
            reason: cause.to_string(),
        })?;
        Ok(Some(register))
    }

    /// Writes the record `name` of the files in `folder`; an error names
    /// `shown` instead.
    pub(crate) fn write(&self, folder: &Path, name: &str, shown: &Path) -> Result<(), StoreError> {
        // Strings and numbers always serialise.
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        atomic_write(&folder.join(name), &text).map_err(failed_to("write", shown.join(name)))
    }
}
