//! Taking over files that the user has: the published ones as they are, any
//! others only with a word on where they come from and a look at their
//! structure. An import that fails changes nothing.

use crate::{
    Candidate, PinnedSet, Store, StoreError, VerifiedFile,
    archive::unpack,
    check::{Basis, Item},
    error::failed_to,
    hold::{Hold, Staging},
    register::{Register, UNOFFICIAL, UNPACKED},
    search::candidates,
    stage::locate,
    swap::Swap,
};
use kiln_vision::{Source, SourceFile};
use std::{
    fs,
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
        let found = candidates(set, import.from)?;
        let _hold = Hold::take(self, set)?;
        if let Some(official) = found.iter().find(|candidate| candidate.official) {
            self.import_official(set, official)?;
        } else {
            let Some(origin) = origin else {
                let objection = found.iter().find_map(Candidate::objection);
                return Err(objection.unwrap_or(StoreError::NoOrigin));
            };
            let copy = only(set, import.from, &found)?;
            self.import_unofficial(import, copy, origin)?;
        }
        self.verify_all(set)
    }

    fn import_official(&self, set: &PinnedSet, found: &Candidate) -> Result<(), StoreError> {
        if self.verify_all(set).is_ok_and(|source| source.official) {
            return Ok(());
        }
        let folder = self.folder(set);
        let staging = Staging::create(&folder)?;
        let (mut swap, staged) = self.stage(set, found, &staging)?;
        for (file, (path, _)) in staged.iter().zip(&found.files) {
            let mut forms = set.files.iter().flat_map(|file| file.forms());
            if !forms.any(|form| form.0 == file.name && form.2 == file.sha256) {
                return Err(StoreError::NotOfficial {
                    path: path.clone(),
                    reason: "changed while it was being copied".to_owned(),
                });
            }
        }
        if let (Some(layout), Some(archive)) = (&set.layout, set.files.first()) {
            let packed = locate(&folder, &staging, archive.name);
            let files = unpack(set, layout, &packed, staging.path())?;
            let moves = files
                .iter()
                .map(|file| (staging.path().join(&file.name), folder.join(&file.name)));
            swap.moves.extend(moves);
            let register = Register {
                origin: archive.sha256.to_owned(),
                files,
            };
            write_register(&mut swap, &register, &staging, folder.join(UNPACKED))?;
        }
        swap.removals.push(folder.join(UNOFFICIAL));
        swap.perform(&staging.path().join("backup"))
    }

    fn import_unofficial(
        &self,
        import: &Import<'_>,
        found: &Candidate,
        origin: String,
    ) -> Result<(), StoreError> {
        let set = import.set;
        let folder = self.folder(set);
        if self.verify_all(set).is_ok_and(|source| source.official) {
            return Err(StoreError::OfficialThere {
                set: set.folder,
                folder,
            });
        }
        let staging = Staging::create(&folder)?;
        let (mut swap, files) = self.stage(set, found, &staging)?;
        let structure = |reason| StoreError::Structure {
            set: set.folder,
            folder: found.folder.clone(),
            reason,
        };
        let views = views(set, &folder, &staging, &files);
        (import.check)(&views).map_err(structure)?;
        let register = Register { origin, files };
        write_register(&mut swap, &register, &staging, folder.join(UNOFFICIAL))?;
        swap.removals.push(folder.join(UNPACKED));
        swap.perform(&staging.path().join("backup"))
    }
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
        [] => {
            let (path, reason) = found[0].objection.clone().unwrap_or_default();
            Err(StoreError::NotOfficial {
                path,
                reason: format!("{reason}, and only its unpacked files can be an unofficial copy"),
            })
        }
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

fn views(
    set: &PinnedSet,
    folder: &Path,
    staging: &Staging,
    files: &[SourceFile],
) -> Vec<VerifiedFile> {
    let view = |wanted: &str| {
        let places = set.places(wanted);
        let file = files.iter().find(|file| places.contains(&file.name))?;
        let path = locate(folder, staging, &file.name);
        let item = Item {
            set: set.folder,
            folder: folder.to_owned(),
            wanted: wanted.to_owned(),
            file: file.clone(),
            plain: None,
            basis: Basis::Imported,
            others: Vec::new(),
        };
        Some(VerifiedFile { item, path })
    };
    set.contents().into_iter().filter_map(view).collect()
}

fn write_register(
    swap: &mut Swap,
    register: &Register,
    staging: &Staging,
    target: PathBuf,
) -> Result<(), StoreError> {
    let staged = staging.path().join("register.json");
    fs::write(&staged, register.to_json()).map_err(failed_to("write", &staged))?;
    swap.moves.push((staged, target));
    Ok(())
}
