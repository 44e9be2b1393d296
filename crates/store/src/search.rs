//! Finding the files of a set in a folder that the user names.

use crate::{PinnedSet, StoreError, digest::hash_stream, error::failed_to};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// How many folders below the named one are looked into.
const LEVELS: usize = 2;

/// A folder that holds all files of a set.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The folder.
    pub folder: PathBuf,
    /// Whether these are the published files.
    pub official: bool,
    /// How many of the files are the published ones.
    pub matching: usize,
    /// The files: where each is, and its place in the set's folder.
    pub(crate) files: Vec<(PathBuf, String)>,
    set: &'static str,
    /// Whether the file is the archive.
    pub(crate) packed: bool,
    /// Why not official.
    pub(crate) objection: Option<(PathBuf, String)>,
}

impl Candidate {
    /// Why these are not the published files, if they are not.
    pub fn objection(&self) -> Option<StoreError> {
        let (path, reason) = self.objection.clone()?;
        let set = self.set;
        Some(match self.packed {
            true => StoreError::WrongArchive { set, path, reason },
            false => StoreError::NotOfficial { set, path, reason },
        })
    }
}

/// All complete copies of `set` in `dir` and up to two levels below, sorted by
/// folder. Of a set that is an archive, both the archive and a folder of what
/// it holds count.
///
/// # Errors
/// When `dir` cannot be read or holds no complete copy.
pub fn candidates(set: &PinnedSet, dir: &Path) -> Result<Vec<Candidate>, StoreError> {
    let mut folders = vec![dir.to_owned()];
    gather(dir, LEVELS, &mut folders)?;
    let mut found = Vec::new();
    let mut lacking = None;
    for folder in folders {
        if let Some(layout) = &set.layout {
            for file in set.files {
                if folder.join(file.name).is_file() {
                    found.extend(judge(set, &folder)?);
                }
            }
            let mut places = layout
                .required()
                .map(|member| (member.name, layout.place(member.name)));
            if places.all(|(name, _)| folder.join(name).is_file()) {
                let there = layout
                    .members
                    .iter()
                    .map(|member| (folder.join(member.name), layout.place(member.name)));
                let files = there.filter(|(path, _)| path.is_file()).collect();
                found.push(unpacked(set, &folder, files));
            } else {
                lacking = lacking
                    .or_else(|| partly(set, &folder, layout.required().map(|member| member.name)));
            }
        } else if let Some(candidate) = judge(set, &folder)? {
            found.push(candidate);
        } else {
            lacking =
                lacking.or_else(|| partly(set, &folder, set.files.iter().map(|file| file.name)));
        }
    }
    if found.is_empty() {
        return Err(lacking.unwrap_or_else(|| StoreError::NothingToImport {
            set: set.folder,
            dir: dir.to_owned(),
            file: set.files[0].name,
        }));
    }
    Ok(found)
}

fn gather(dir: &Path, levels: usize, folders: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    let entries = fs::read_dir(dir).map_err(failed_to("read the folder", dir))?;
    let mut below: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir() && !hidden(path))
        .collect();
    below.sort();
    for folder in below {
        folders.push(folder.clone());
        if levels > 1 {
            // A folder below that cannot be read holds nothing to import.
            let _ = gather(&folder, levels - 1, folders);
        }
    }
    Ok(())
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Names the first file that is missing from a folder that holds others of the
/// set.
fn partly(
    set: &PinnedSet,
    folder: &Path,
    names: impl Iterator<Item = &'static str>,
) -> Option<StoreError> {
    let plain = |name: &str| folder.join(name.strip_suffix(".gz").unwrap_or(name));
    let (there, missing): (Vec<_>, Vec<_>) =
        names.partition(|name| folder.join(name).is_file() || plain(name).is_file());
    match (there.is_empty(), missing.first()) {
        (false, Some(file)) => Some(StoreError::Incomplete {
            set: set.folder,
            folder: folder.to_owned(),
            file,
        }),
        _ => None,
    }
}

/// One form of every published file in `folder`, if all are there: the one
/// that is as published, else the compressed one.
fn judge(set: &PinnedSet, folder: &Path) -> Result<Option<Candidate>, StoreError> {
    let (mut files, mut objection, mut matching) = (Vec::new(), None, 0);
    for file in set.files {
        let forms = file.forms().map(|form| (folder.join(form.0), form));
        let there: Vec<_> = forms.filter(|(path, _)| path.is_file()).collect();
        let Some(first) = there.first() else {
            return Ok(None);
        };
        let objections = there
            .iter()
            .map(|(path, form)| object(path, form.1, form.2))
            .collect::<Result<Vec<_>, _>>()?;
        let right = objections.iter().position(Option::is_none);
        let (path, form) = right.map_or(first, |right| &there[right]);
        files.push((path.clone(), form.0.to_owned()));
        matching += usize::from(right.is_some());
        let mut reasons = objections.into_iter().flatten();
        if let (None, None, Some(reason)) = (right, &objection, reasons.next()) {
            objection = Some((path.clone(), reason));
        }
    }
    Ok(Some(Candidate {
        folder: folder.to_owned(),
        official: objection.is_none(),
        matching,
        files,
        set: set.folder,
        packed: set.layout.is_some(),
        objection,
    }))
}

/// Why the file at `path` is not the published one, if it is not.
fn object(path: &Path, bytes: u64, sha256: &str) -> Result<Option<String>, StoreError> {
    let file = File::open(path).map_err(failed_to("open", path))?;
    let length = file.metadata().map_err(failed_to("read", path))?.len();
    if length != bytes {
        return Ok(Some(format!(
            "is not the official file: it has {length} bytes, expected {bytes}"
        )));
    }
    let (found, _) = hash_stream(file).map_err(failed_to("read", path))?;
    Ok((found != sha256)
        .then(|| format!("is not the official file: its SHA-256 is {found}, expected {sha256}")))
}

fn unpacked(set: &PinnedSet, folder: &Path, files: Vec<(PathBuf, String)>) -> Candidate {
    let reason = format!(
        "holds unpacked files of {}, whose origin nothing proves (the official archive is '{}')",
        set.folder, set.files[0].name
    );
    Candidate {
        folder: folder.to_owned(),
        official: false,
        matching: 0,
        files,
        set: set.folder,
        packed: false,
        objection: Some((folder.to_owned(), reason)),
    }
}
