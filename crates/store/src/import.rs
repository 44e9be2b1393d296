//! Taking over files that the user has: the published ones as they are, any
//! others only with a word on where they come from and a look at their
//! structure. An import that fails changes nothing.

use crate::{
    Candidate, PinnedSet, Store, StoreError, VerifiedFile,
    archive::unpack,
    candidates,
    check::{Basis, Item},
    digest::{CopyError, copy_hashed, hash_stream},
    error::failed_to,
    hold::{Fresh, Hold},
    register::{Register, UNOFFICIAL, UNPACKED},
    replace::{new_beside, replace},
};
use kiln_vision::{Source, SourceFile};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Looks at the structure of unofficial files; the error says what is wrong.
pub type Check = dyn Fn(&[VerifiedFile]) -> Result<(), String>;

/// What to import.
pub struct Import<'a> {
    /// The set that the files shall be.
    pub set: &'a PinnedSet,
    /// The folder that holds them, or one up to two levels above.
    pub from: &'a Path,
    /// Where the files come from, if they may be others than the published.
    pub unofficial: Option<&'a str>,
    /// How an unofficial copy is looked at; it is given
    /// [`PinnedSet::contents`] in that order.
    pub check: &'a Check,
}

impl Store {
    /// Takes over the files of a set. Files that already lie in their place
    /// stay there and are only checked and registered.
    ///
    /// # Errors
    /// When the files are not there, are not the published ones and no origin
    /// is given, or cannot be copied.
    pub fn import(&self, import: &Import<'_>) -> Result<Source, StoreError> {
        let set = import.set;
        let origin = import.unofficial.map(one_line).transpose()?;
        self.settle(set)?;
        let found = candidates(set, import.from)?;
        let hold = Hold::take(self, set)?;
        if let Some(official) = found.iter().find(|candidate| candidate.official) {
            if !self.is_official(set, &hold) {
                self.import_official(set, official)?;
            }
        } else {
            let Some(origin) = origin else {
                let objection = found.iter().find_map(Candidate::objection);
                return Err(objection.unwrap_or(StoreError::NoOrigin));
            };
            let copy = only(set, import.from, &found)?;
            if self.is_official(set, &hold) {
                return Err(StoreError::OfficialThere {
                    set: set.folder,
                    folder: self.folder(set),
                });
            }
            self.import_unofficial(import, copy, origin)?;
        }
        Ok(self.verify_held(set, &set.contents(), Some(&hold))?.source)
    }

    /// Whether the set is there already, as published.
    fn is_official(&self, set: &PinnedSet, hold: &Hold) -> bool {
        let verified = self.verify_held(set, &set.contents(), Some(hold));
        verified.is_ok_and(|verified| verified.source.official)
    }

    fn import_official(&self, set: &PinnedSet, found: &Candidate) -> Result<(), StoreError> {
        let folder = self.folder(set);
        if set.layout.is_none() && in_place(found, &folder) {
            let record = folder.join(UNOFFICIAL);
            return match fs::remove_file(&record) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    Err(failed_to("remove", record)(cause))
                }
                _ => Ok(()),
            };
        }
        let fresh = Fresh::create(new_beside(&folder), &folder)?;
        let files = copy_all(found, fresh.path(), &folder)?;
        for (file, (path, _)) in files.iter().zip(&found.files) {
            let mut forms = set.files.iter().flat_map(|file| file.forms());
            if !forms.any(|form| form.0 == file.name && form.2 == file.sha256) {
                return Err(StoreError::Changed { path: path.clone() });
            }
        }
        if let (Some(layout), Some(archive)) = (&set.layout, set.files.first()) {
            let packed = fresh.path().join(archive.name);
            let shown = &found.files[0].0;
            let files = unpack(set, layout, (&packed, shown), (fresh.path(), &folder))?;
            let register = Register {
                origin: archive.sha256.to_owned(),
                files,
            };
            register.write(fresh.path(), UNPACKED, &folder)?;
        }
        replace(set, &folder, fresh.path())
    }

    fn import_unofficial(
        &self,
        import: &Import<'_>,
        found: &Candidate,
        origin: String,
    ) -> Result<(), StoreError> {
        let set = import.set;
        let folder = self.folder(set);
        (import.check)(&views(set, found)).map_err(|reason| StoreError::Structure {
            set: set.folder,
            folder: found.folder.clone(),
            reason,
        })?;
        if in_place(found, &folder) {
            let hash = |(path, name): &(PathBuf, String)| hash_file(path, name);
            let files = found.files.iter().map(hash).collect::<Result<_, _>>()?;
            return Register { origin, files }.write(&folder, UNOFFICIAL, &folder);
        }
        let fresh = Fresh::create(new_beside(&folder), &folder)?;
        let files = copy_all(found, fresh.path(), &folder)?;
        Register { origin, files }.write(fresh.path(), UNOFFICIAL, &folder)?;
        replace(set, &folder, fresh.path())
    }
}

/// Whether all files lie where the data folder has them anyway.
fn in_place(found: &Candidate, folder: &Path) -> bool {
    let mut files = found.files.iter();
    files.all(|(path, name)| {
        let place = folder.join(name).canonicalize();
        place.is_ok_and(|place| path.canonicalize().is_ok_and(|path| path == place))
    })
}

fn hash_file(path: &Path, name: &str) -> Result<SourceFile, StoreError> {
    let file = File::open(path).map_err(failed_to("open", path))?;
    let (sha256, bytes) = hash_stream(file).map_err(failed_to("read", path))?;
    Ok(SourceFile {
        name: name.to_owned(),
        bytes,
        sha256,
    })
}

/// Copies the files into the folder `into`; errors name them as in `target`,
/// for which they are meant.
fn copy_all(found: &Candidate, into: &Path, target: &Path) -> Result<Vec<SourceFile>, StoreError> {
    let copy = |(from, name): &(PathBuf, String)| {
        let (to, shown) = (into.join(name), target.join(name));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed_to("write", &shown))?;
        }
        let source = File::open(from).map_err(failed_to("open", from))?;
        let mut copy = File::create_new(to).map_err(failed_to("write", &shown))?;
        let (sha256, bytes) = copy_hashed(source, &mut copy).map_err(|error| match error {
            CopyError::Read(cause) => failed_to("read", from)(cause),
            CopyError::Write(cause) => failed_to("write", &shown)(cause),
        })?;
        copy.sync_all().map_err(failed_to("write", &shown))?;
        Ok(SourceFile {
            name: name.clone(),
            bytes,
            sha256,
        })
    };
    found.files.iter().map(copy).collect()
}

fn one_line(origin: &str) -> Result<String, StoreError> {
    let line = origin.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return Err(StoreError::NoOrigin);
    }
    Ok(line)
}

fn only<'a>(
    set: &PinnedSet,
    dir: &Path,
    found: &'a [Candidate],
) -> Result<&'a Candidate, StoreError> {
    // An archive with another hash is no copy: nothing says what it holds.
    let copies: Vec<_> = found.iter().filter(|candidate| !candidate.packed).collect();
    match copies.as_slice() {
        [copy] => Ok(copy),
        [] => Err(found[0].objection().unwrap_or(StoreError::NoOrigin)),
        _ => Err(StoreError::Ambiguous {
            set: set.folder,
            dir: dir.to_owned(),
            folders: copies
                .iter()
                .map(|copy| format!("'{}'", copy.folder.display()))
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// The files where the user has them, in the order of the set's contents.
fn views(set: &PinnedSet, found: &Candidate) -> Vec<VerifiedFile> {
    let view = |wanted: &str| {
        let places = set.places(wanted);
        let mut files = found.files.iter();
        let (path, name) = files.find(|(_, name)| places.contains(name))?;
        let file = SourceFile {
            name: name.clone(),
            bytes: fs::metadata(path).map_or(0, |file| file.len()),
            sha256: String::new(),
        };
        let item = Item {
            set: set.folder,
            folder: found.folder.clone(),
            wanted: wanted.to_owned(),
            file,
            other_form: None,
            plain: None,
            basis: Basis::Imported,
            others: Vec::new(),
        };
        let path = path.clone();
        Some(VerifiedFile { item, path })
    };
    set.contents().into_iter().filter_map(view).collect()
}
