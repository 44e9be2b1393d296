//! Which files a set is read from, and handing them out once checked.

use crate::{
    Fault, PinnedFile, PinnedSet, Store, StoreError,
    check::{Basis, Depth, Item},
    error::failed_to,
    memory::Memory,
    register::Register,
};
use flate2::read::MultiGzDecoder;
use kiln_vision::{Source, SourceFile};
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

/// What the files of a set in its folder must be.
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) items: Vec<Item>,
    /// Whether `items` is the archive, still to be unpacked.
    pub(crate) packed: bool,
}

impl VerifiedFile {
    /// The content's name, as asked for.
    pub fn name(&self) -> &str {
        &self.item.wanted
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
        let mut bytes = Vec::new();
        if self.path.extension().is_some_and(|end| end == "gz") {
            let plain = MultiGzDecoder::new(BufReader::new(file));
            plain.take(limit).read_to_end(&mut bytes).map_err(|cause| {
                self.item.damaged(Fault::Compression {
                    cause: cause.to_string(),
                })
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
        let folder = self.folder(set);
        let mut plan = plan(set, &folder, wanted)?;
        if plan.packed {
            self.unpack(set)?;
            plan = self::plan(set, &folder, wanted)?;
        }
        let Plan {
            mut source, items, ..
        } = plan;
        let mut memory = self.memory(set);
        let mut files = Vec::new();
        for item in items {
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

/// What the contents `wanted` of `set` must be in `folder`.
pub(crate) fn plan(set: &PinnedSet, folder: &Path, wanted: &[&str]) -> Result<Plan, StoreError> {
    if let Some(register) = Register::unofficial(folder)? {
        let items = registered(set, folder, wanted, (&register, Basis::Imported))?;
        let source = Source {
            official: false,
            note: register.origin,
            files: Vec::new(),
        };
        return Ok(Plan {
            source,
            items,
            packed: false,
        });
    }
    let (items, packed) = match (&set.layout, set.files.first()) {
        (Some(_), Some(archive)) => match Register::unpacked(set, folder)? {
            Some(register) => {
                let items = registered(set, folder, wanted, (&register, Basis::Unpacked))?;
                (items, false)
            }
            None => {
                refuse_loose(set, folder)?;
                let item = published(set, folder, archive);
                (vec![item], true)
            }
        },
        _ => {
            let files = wanted
                .iter()
                .filter_map(|name| set.files.iter().find(|file| file.name == *name));
            (
                files.map(|file| published(set, folder, file)).collect(),
                false,
            )
        }
    };
    let source = Source {
        official: true,
        note: "official files".to_owned(),
        files: Vec::new(),
    };
    Ok(Plan {
        source,
        items,
        packed,
    })
}

/// Files that lie where the archive would be unpacked, without a record.
pub(crate) fn refuse_loose(set: &PinnedSet, folder: &Path) -> Result<(), StoreError> {
    let Some(layout) = &set.layout else {
        return Ok(());
    };
    let loose = layout
        .members
        .iter()
        .any(|member| folder.join(layout.place(member.name)).exists());
    if loose {
        return Err(StoreError::Unregistered {
            set: set.folder,
            folder: folder.join(layout.folder),
        });
    }
    Ok(())
}

/// What a published file must be: as the first of its forms that is there.
pub(crate) fn published(set: &PinnedSet, folder: &Path, file: &PinnedFile) -> Item {
    let source = |(name, bytes, sha256): (&str, u64, &str)| SourceFile {
        name: name.to_owned(),
        bytes,
        sha256: sha256.to_owned(),
    };
    let mut forms = file.forms().map(source);
    let there = forms.find(|form| folder.join(&form.name).exists());
    Item {
        set: set.folder,
        folder: folder.to_owned(),
        wanted: file.name.to_owned(),
        file: there.unwrap_or_else(|| source((file.name, file.bytes, file.sha256))),
        plain: file.plain.map(|plain| plain.bytes),
        basis: Basis::Published,
        others: set
            .files
            .iter()
            .filter(|other| other.name != file.name)
            .flat_map(|other| other.forms().map(source))
            .collect(),
    }
}

fn registered(
    set: &PinnedSet,
    folder: &Path,
    wanted: &[&str],
    (register, basis): (&Register, Basis),
) -> Result<Vec<Item>, StoreError> {
    let item = |name: &&str| {
        let places = set.places(name);
        let file = register
            .files
            .iter()
            .find(|file| places.contains(&file.name));
        let file = file.ok_or_else(|| StoreError::Register {
            path: folder.join(match basis {
                Basis::Imported => crate::register::UNOFFICIAL,
                _ => crate::register::UNPACKED,
            }),
            reason: format!("it does not name '{name}'"),
        })?;
        Ok(Item {
            set: set.folder,
            folder: folder.to_owned(),
            wanted: (*name).to_owned(),
            file: file.clone(),
            plain: None,
            basis,
            others: Vec::new(),
        })
    };
    wanted.iter().map(item).collect()
}
