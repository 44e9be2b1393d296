//! Replacing a set's folder at once by a complete new one. The old folder
//! steps aside first, comes back if that fails, and what it holds besides the
//! set is kept.

use crate::{
    PinnedSet, StoreError,
    atomic::sync_folder,
    error::failed_to,
    memory,
    register::{UNOFFICIAL, UNPACKED},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The neighbour of a set's folder in which a new one is prepared.
pub(crate) fn new_beside(folder: &Path) -> PathBuf {
    beside(folder, "new")
}

/// Whether an import of the set in `folder` was interrupted, or goes on now.
pub(crate) fn is_unsettled(folder: &Path) -> bool {
    fs::symlink_metadata(beside(folder, "old")).is_ok()
}

fn beside(folder: &Path, ending: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{ending}"))
}

/// Makes `new`, a complete copy of `set`, the set's folder `folder`. Files of
/// the old folder that the copy replaces go; all others stay.
pub(crate) fn replace(set: &PinnedSet, folder: &Path, new: &Path) -> Result<(), StoreError> {
    let failed = failed_to("replace", folder);
    if let Some(clash) = clash(folder, new) {
        return Err(failed_to("replace", clash)(
            io::ErrorKind::IsADirectory.into(),
        ));
    }
    let old = beside(folder, "old");
    if fs::symlink_metadata(folder).is_ok()
        && let Err(cause) = fs::rename(folder, &old)
    {
        return Err(failed(cause));
    }
    if let Err(cause) = fs::rename(new, folder) {
        settle(set, folder)?;
        return Err(failed(cause));
    }
    if let Some(root) = folder.parent() {
        sync_folder(root);
    }
    merge(&old, folder, &|name| is_obsolete(set, name));
    Ok(())
}

/// Brings back the old folder of an interrupted [`replace`], or, if the new
/// one has come, what else the old one held.
pub(crate) fn settle(set: &PinnedSet, folder: &Path) -> Result<(), StoreError> {
    if !is_unsettled(folder) {
        return Ok(());
    }
    let old = beside(folder, "old");
    if fs::symlink_metadata(folder).is_err() {
        return fs::rename(&old, folder).map_err(|cause| StoreError::NotBroughtBack {
            folder: folder.to_owned(),
            old,
            cause,
        });
    }
    merge(&old, folder, &|name| is_obsolete(set, name));
    Ok(())
}

/// Whether a file of this name, directly in the old folder, says nothing once
/// there is a new copy: a record, or another form of a file of the set.
fn is_obsolete(set: &PinnedSet, name: &str) -> bool {
    let mut forms = set.files.iter().flat_map(|file| file.forms());
    [UNOFFICIAL, UNPACKED, memory::NAME].contains(&name)
        || set.layout.is_none() && forms.any(|form| form.0 == name)
}

/// A folder in the place of a file of `new`, or a file in that of a folder.
fn clash(folder: &Path, new: &Path) -> Option<PathBuf> {
    fs::read_dir(new).ok()?.find_map(|entry| {
        let new = entry.ok()?.path();
        let old = folder.join(new.file_name()?);
        (old.exists() && old.is_dir() != new.is_dir()).then_some(old)
    })
}

/// Moves what only `old` holds to `folder`, and removes the rest of `old`. What
/// can be neither moved nor told to be replaced stays in `old`.
fn merge(old: &Path, folder: &Path, obsolete: &dyn Fn(&str) -> bool) {
    if old.is_symlink() {
        // The files behind a link are not ours to tidy up.
        let _ = fs::remove_file(old);
        return;
    }
    for from in fs::read_dir(old).into_iter().flatten().flatten() {
        let (from, name) = (from.path(), from.file_name());
        let to = folder.join(&name);
        let is_folder = from.is_dir();
        let _ = match fs::symlink_metadata(&to) {
            Ok(there) if there.is_dir() && is_folder => {
                merge(&from, &to, &|_| false);
                continue;
            }
            Ok(there) if there.is_dir() || is_folder => continue,
            Ok(_) => fs::remove_file(&from),
            Err(_) if !is_folder && obsolete(&name.to_string_lossy()) => fs::remove_file(&from),
            Err(_) => fs::rename(&from, &to),
        };
    }
    let _ = fs::remove_dir(old);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SET: PinnedSet = PinnedSet {
        folder: "set",
        files: &[crate::PinnedFile {
            name: "a.gz",
            bytes: 0,
            sha256: "",
            plain: Some(crate::PinnedPlain {
                bytes: 0,
                sha256: "",
            }),
        }],
        mirrors: &[],
        layout: None,
    };

    /// A data folder with these files.
    fn data(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        for name in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let folder = dir.path().join("set");
        (dir, folder)
    }

    fn holds(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).unwrap_or_default()
    }

    #[test]
    fn the_new_files_come_and_what_is_not_of_the_set_stays() {
        let (dir, folder) = data(&[
            "set/a",
            "set/a.gz",
            "set/mine",
            "set/box/b",
            "set/box/mine",
            ".set.new/a",
            ".set.new/box/b",
        ]);
        replace(&SET, &folder, &new_beside(&folder)).unwrap();
        assert_eq!(holds(&folder, "a"), ".set.new/a");
        assert_eq!(holds(&folder, "box/b"), ".set.new/box/b");
        assert_eq!(holds(&folder, "mine"), "set/mine");
        assert_eq!(holds(&folder, "box/mine"), "set/box/mine");
        assert!(!folder.join("a.gz").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_replacement_that_fails_brings_the_old_folder_back() {
        let (_dir, folder) = data(&["set/a"]);
        assert!(replace(&SET, &folder, &new_beside(&folder)).is_err());
        assert_eq!(holds(&folder, "a"), "set/a");
    }

    #[test]
    fn a_process_killed_between_the_renames_loses_nothing() {
        let (_dir, folder) = data(&[".set.old/a", ".set.new/a"]);
        settle(&SET, &folder).unwrap();
        assert_eq!(holds(&folder, "a"), ".set.old/a");
        assert!(!is_unsettled(&folder));
    }

    #[test]
    fn a_process_killed_after_the_renames_is_carried_to_its_end() {
        let (_dir, folder) = data(&[
            ".set.old/a",
            ".set.old/mine",
            ".set.old/.kiln-unofficial.json",
            "set/a",
        ]);
        settle(&SET, &folder).unwrap();
        assert_eq!(holds(&folder, "a"), "set/a");
        assert_eq!(holds(&folder, "mine"), ".set.old/mine");
        assert!(!folder.join(UNOFFICIAL).exists());
        assert!(!is_unsettled(&folder));
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_is_not_replaced() {
        let (_dir, folder) = data(&["set/a/mine", ".set.new/a"]);
        assert!(replace(&SET, &folder, &new_beside(&folder)).is_err());
        assert_eq!(holds(&folder, "a/mine"), "set/a/mine");
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_behind_a_link_is_left_alone() {
        let (dir, folder) = data(&["elsewhere/a", ".set.new/a"]);
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &folder).unwrap();
        replace(&SET, &folder, &new_beside(&folder)).unwrap();
        assert_eq!(holds(&folder, "a"), ".set.new/a");
        assert_eq!(holds(dir.path(), "elsewhere/a"), "elsewhere/a");
    }
}
