//! The check of one file: is it there, a file, of the right length, with the
//! right hash; and if not, what exactly is wrong and what helps.

use crate::{Fault, StoreError, error::failed_to, memory::Memory};
use kiln_vision::SourceFile;
use std::{fs, io, path::Path};

/// One file and what it must be.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The set's folder name, for advice.
    pub(crate) set: &'static str,
    /// The set's folder.
    pub(crate) folder: std::path::PathBuf,
    /// The content's name, as asked for.
    pub(crate) wanted: String,
    /// The file's place in the set's folder, its length and hash.
    pub(crate) file: SourceFile,
    /// Another form of the file that is there and as good, if it is right.
    pub(crate) other_form: Option<SourceFile>,
    /// Length once decompressed, where pinned.
    pub(crate) plain: Option<u64>,
    /// What says how the file must be.
    pub(crate) basis: Basis,
    /// Other files of the set that may lie here by mistake.
    pub(crate) others: Vec<SourceFile>,
}

/// What says how a file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// A published hash.
    Published,
    /// The published hash of an archive.
    Archive,
    /// The record made while unpacking.
    Unpacked,
    /// The record made by an import.
    Imported,
}

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Lengths and remembered hashes.
    Glance,
    /// Every byte, unless remembered.
    Full,
}

impl Item {
    /// Checks the file, or its other form if only that is right, which then
    /// counts; none when only a closer look would tell.
    pub(crate) fn check(
        &mut self,
        memory: &mut Memory,
        depth: Depth,
    ) -> Result<Option<SourceFile>, StoreError> {
        let first = self.check_form(memory, depth);
        let (Err(_), Some(other)) = (&first, self.other_form.take()) else {
            return first;
        };
        let file = std::mem::replace(&mut self.file, other);
        let second = self.check_form(memory, depth);
        if second.is_err() {
            self.file = file;
            return first;
        }
        second
    }

    fn check_form(
        &self,
        memory: &mut Memory,
        depth: Depth,
    ) -> Result<Option<SourceFile>, StoreError> {
        let path = self.folder.join(&self.file.name);
        let now = match fs::metadata(&path) {
            Ok(now) => now,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::Missing {
                    set: self.set,
                    path,
                });
            }
            Err(cause) => return Err(failed_to("read", path)(cause)),
        };
        if !now.is_file() {
            return Err(self.damaged(&path, Fault::NotAFile));
        }
        let (expected, found) = (self.file.bytes, now.len());
        let length = match found.cmp(&expected) {
            _ if found == 0 => Some(Fault::Empty),
            std::cmp::Ordering::Less => Some(Fault::Truncated { expected, found }),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Fault::TooLong { expected, found }),
        };
        let like_another = self.others.iter().any(|other| other.bytes == found);
        match length {
            Some(fault) if depth == Depth::Glance || !like_another => {
                return Err(self.damaged(&path, fault));
            }
            _ => {}
        }
        if depth == Depth::Glance && memory.recall(&self.file.name, &now).is_none() {
            return Ok(None);
        }
        let actual = memory.hash(&self.file.name)?;
        if actual.sha256 == self.file.sha256 {
            return Ok(Some(actual));
        }
        Err(self.damaged(&path, self.difference(actual, length)))
    }

    fn difference(&self, actual: SourceFile, length: Option<Fault>) -> Fault {
        let other = self
            .others
            .iter()
            .find(|other| other.sha256 == actual.sha256);
        match (other, length) {
            (Some(other), _) => Fault::Swapped {
                other: other.name.clone(),
            },
            (None, Some(fault)) => fault,
            (None, None) => Fault::Hash {
                what: match self.basis {
                    Basis::Published | Basis::Archive => "is not the official file",
                    Basis::Unpacked => "has changed since kiln unpacked it",
                    Basis::Imported => "has changed since it was imported as an unofficial copy",
                },
                expected: self.file.sha256.clone(),
                found: actual.sha256,
            },
        }
    }

    /// The error for this file, which lies at `path`, with advice that fits its
    /// origin.
    pub(crate) fn damaged(&self, path: &Path, fault: Fault) -> StoreError {
        let set = self.set;
        let folder = path.parent().unwrap_or(Path::new(".")).display();
        let origin = "--unofficial \"where it comes from\"";
        let advice = match self.basis {
            Basis::Published => format!(
                "delete it and run `kiln data fetch {set}`, or, if you trust this copy, run `kiln data import '{folder}' --dataset {set} {origin}`"
            ),
            Basis::Archive => format!("delete it and run `kiln data fetch {set}`"),
            Basis::Unpacked => {
                format!("delete the folder '{folder}' and run `kiln data fetch {set}`")
            }
            Basis::Imported => format!(
                "import it again with `kiln data import DIR --dataset {set} {origin}`, or delete the folder '{}'",
                self.folder.display()
            ),
        };
        StoreError::Damaged {
            path: path.to_owned(),
            fault,
            advice,
        }
    }
}
