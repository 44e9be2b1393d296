//! Handing out the files of a set, once their hashes have been compared.

use crate::{
    Fault, PinnedSet, Store, StoreError,
    check::{Depth, Item},
    error::failed_to,
    hold::Hold,
    memory::Memory,
    plan::{Plan, plan},
};
use flate2::read::MultiGzDecoder;
use kiln_vision::Source;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

/// Checked files, in the order asked for, and where they come from.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Where the files come from.
    pub source: Source,
    /// The files.
    pub files: Vec<VerifiedFile>,
}

/// A file whose hash has been compared.
#[derive(Clone, Debug)]
pub struct VerifiedFile {
    pub(crate) item: Item,
    pub(crate) path: PathBuf,
}

impl VerifiedFile {
    /// The content's name, as asked for.
    pub fn name(&self) -> &str {
        &self.item.wanted
    }

    /// Folder name of the set it belongs to.
    pub fn set(&self) -> &'static str {
        self.item.set
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes [`VerifiedFile::read`] may yield, where that is pinned.
    pub fn plain_bytes(&self) -> Option<u64> {
        let packed = self.path.extension().is_some_and(|end| end == "gz");
        if packed {
            self.item.plain
        } else {
            Some(self.item.file.bytes)
        }
    }

    /// At most `limit` bytes of the content, decompressed if the file's name
    /// ends in `.gz`; more than that is never held in memory.
    ///
    /// # Errors
    /// When the file cannot be read or decompressed.
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, StoreError> {
        let file = File::open(&self.path).map_err(failed_to("open", &self.path))?;
        let length = self.plain_bytes().unwrap_or_default().min(limit);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        if self.path.extension().is_some_and(|end| end == "gz") {
            let plain = MultiGzDecoder::new(BufReader::new(file));
            plain.take(limit).read_to_end(&mut bytes).map_err(|cause| {
                let cause = cause.to_string();
                self.item.damaged(&self.path, Fault::Compression { cause })
            })?;
        } else {
            file.take(limit)
                .read_to_end(&mut bytes)
                .map_err(failed_to("read", &self.path))?;
        }
        Ok(bytes)
    }
}

impl Store {
    /// Compares the hashes of the files of `set` that hold the contents
    /// `wanted` (names from [`PinnedSet::contents`]), and hands them out. An
    /// archive that is there but not unpacked is unpacked first.
    ///
    /// # Errors
    /// When a file is missing or is not what it must be.
    pub fn verify(&self, set: &PinnedSet, wanted: &[&str]) -> Result<Verified, StoreError> {
        self.settle(set)?;
        self.verify_held(set, wanted, None)
    }

    /// As [`Store::verify`], by whoever may hold the set already.
    pub(crate) fn verify_held(
        &self,
        set: &PinnedSet,
        wanted: &[&str],
        hold: Option<&Hold>,
    ) -> Result<Verified, StoreError> {
        let folder = self.folder(set);
        let mut planned = plan(set, &folder, wanted)?;
        if planned.packed {
            match hold {
                Some(hold) => self.unpack(set, hold)?,
                None => self.unpack(set, &Hold::take(self, set)?)?,
            }
            planned = plan(set, &folder, wanted)?;
        }
        let Plan {
            mut source, items, ..
        } = planned;
        let mut memory = self.memory(set);
        let mut files = Vec::new();
        for mut item in items {
            source.files.extend(item.check(&mut memory, Depth::Full)?);
            let path = folder.join(&item.file.name);
            files.push(VerifiedFile { item, path });
        }
        Ok(Verified { source, files })
    }

    /// Compares the hashes of all files of `set`.
    ///
    /// # Errors
    /// As [`Store::verify`].
    pub fn verify_all(&self, set: &PinnedSet) -> Result<Source, StoreError> {
        Ok(self.verify(set, &set.contents())?.source)
    }

    /// Compares the hashes of all files of `set`, reading every byte again
    /// even of files that were found right before.
    ///
    /// # Errors
    /// As [`Store::verify`].
    pub fn reverify(&self, set: &PinnedSet) -> Result<Source, StoreError> {
        self.memory(set).forget();
        self.verify_all(set)
    }

    pub(crate) fn memory(&self, set: &PinnedSet) -> Memory {
        Memory::of(&self.folder(set))
    }
}
