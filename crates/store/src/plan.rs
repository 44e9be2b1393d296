//! Which files of a set's folder count, and what says how each must be: a
//! published hash, or one of the two records. Reads no data.

use crate::{
    PinnedFile, PinnedSet, StoreError,
    check::{Basis, Item},
    register::{Register, UNOFFICIAL, UNPACKED},
};
use kiln_vision::{Source, SourceFile};
use std::path::Path;

/// What the files of a set in its folder must be.
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) items: Vec<Item>,
    /// Whether `items` is the archive, still to be unpacked.
    pub(crate) packed: bool,
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
            Some(register) if register.is_complete(folder) => {
                let items = registered(set, folder, wanted, (&register, Basis::Unpacked))?;
                (items, false)
            }
            _ => {
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
    if loose && Register::unpacked(set, folder)?.is_none() {
        return Err(StoreError::Unregistered {
            set: set.folder,
            folder: folder.join(layout.folder),
        });
    }
    Ok(())
}

/// What a published file must be: as those of its forms that are there.
pub(crate) fn published(set: &PinnedSet, folder: &Path, file: &PinnedFile) -> Item {
    let source = |(name, bytes, sha256): (&str, u64, &str)| SourceFile {
        name: name.to_owned(),
        bytes,
        sha256: sha256.to_owned(),
    };
    let forms = file.forms().map(source);
    let mut there = forms.filter(|form| folder.join(&form.name).exists());
    Item {
        set: set.folder,
        folder: folder.to_owned(),
        wanted: file.name.to_owned(),
        file: there
            .next()
            .unwrap_or_else(|| source((file.name, file.bytes, file.sha256))),
        other_form: there.next(),
        plain: file.plain.map(|plain| plain.bytes),
        basis: match set.layout {
            None => Basis::Published,
            Some(_) => Basis::Archive,
        },
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
                Basis::Imported => UNOFFICIAL,
                _ => UNPACKED,
            }),
            reason: format!("it does not name '{name}'"),
        })?;
        Ok(Item {
            set: set.folder,
            folder: folder.to_owned(),
            wanted: (*name).to_owned(),
            file: file.clone(),
            other_form: None,
            plain: None,
            basis,
            others: Vec::new(),
        })
    };
    wanted.iter().map(item).collect()
}
