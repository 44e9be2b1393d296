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
    /// The files: where each is, and its place in the set's folder.
    pub(crate) files: Vec<(PathBuf, String)>,
    /// Whether the file is the archive.
    pub(crate) packed: bool,
    /// Why not official.
    pub(crate) objection: Option<(PathBuf, String)>,
}

impl Candidate {
    /// Why these are not the published files, if they are not.
    pub fn objection(&self) -> Option<StoreError> {
        let (path, reason) = self.objection.clone()?;
        Some(StoreError::NotOfficial { path, reason })
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
    let mut lacking: Option<String> = None;
    for folder in folders {
        if let Some(layout) = &set.layout {
            for file in set.files {
                let path = folder.join(file.name);
                if path.is_file() {
                    found.push(judge(set, &folder, vec![(path, file.name.to_owned())])?);
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
                    .or_else(|| partly(&folder, layout.required().map(|member| member.name)));
            }
        } else if let Some(files) = published(set, &folder) {
            found.push(judge(set, &folder, files)?);
        } else {
            lacking = lacking.or_else(|| partly(&folder, set.files.iter().map(|file| file.name)));
        }
    }
    if found.is_empty() {
        return Err(StoreError::NothingToImport {
            set: set.folder,
            dir: dir.to_owned(),
            reason: lacking.unwrap_or_else(|| {
                format!(
                    "holds no file of {} such as '{}'",
                    set.folder, set.files[0].name
                )
            }),
        });
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

/// The first file that is missing from a folder that holds others of the set.
fn partly(folder: &Path, names: impl Iterator<Item = &'static str>) -> Option<String> {
    let plain = |name: &str| folder.join(name.strip_suffix(".gz").unwrap_or(name));
    let (there, missing): (Vec<_>, Vec<_>) =
        names.partition(|name| folder.join(name).is_file() || plain(name).is_file());
    match (there.is_empty(), missing.first()) {
        (false, Some(name)) => Some(format!("lacks '{name}'")),
        _ => None,
    }
}

/// One form of every published file in `folder`: the compressed one, unless
/// only the plain one is there.
fn published(set: &PinnedSet, folder: &Path) -> Option<Vec<(PathBuf, String)>> {
    let one = |file: &crate::PinnedFile| {
        let mut forms = file
            .forms()
            .map(|(name, ..)| (folder.join(name), name.to_owned()));
        forms.find(|(path, _)| path.is_file())
    };
    set.files.iter().map(one).collect()
}

/// Compares lengths and hashes with the published ones.
fn judge(
    set: &PinnedSet,
    folder: &Path,
    files: Vec<(PathBuf, String)>,
) -> Result<Candidate, StoreError> {
    let mut objection = None;
    for (path, name) in &files {
        let mut forms = set.files.iter().flat_map(|file| file.forms());
        let Some((_, bytes, sha256)) = forms.find(|form| form.0 == name) else {
            continue;
        };
        let file = File::open(path).map_err(failed_to("open", path))?;
        let found = file.metadata().map_err(failed_to("read", path))?.len();
        if found != bytes {
            let reason =
                format!("is not the official file: it has {found} bytes, expected {bytes}");
            objection = Some((path.clone(), reason));
            break;
        }
        let (found, _) = hash_stream(file).map_err(failed_to("read", path))?;
        if found != sha256 {
            let reason =
                format!("is not the official file: its SHA-256 is {found}, expected {sha256}");
            objection = Some((path.clone(), reason));
            break;
        }
    }
    Ok(Candidate {
        folder: folder.to_owned(),
        official: objection.is_none(),
        files,
        packed: set.layout.is_some(),
        objection,
    })
}

fn unpacked(set: &PinnedSet, folder: &Path, files: Vec<(PathBuf, String)>) -> Candidate {
    let reason = format!(
        "holds unpacked files of {}, whose origin nothing proves (the official archive is '{}')",
        set.folder, set.files[0].name
    );
    Candidate {
        folder: folder.to_owned(),
        official: false,
        files,
        packed: false,
        objection: Some((folder.to_owned(), reason)),
    }
}
