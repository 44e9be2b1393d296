//! Importing files from a folder, whose sets are found out from their names
//! and hashes.

use crate::{CatalogError, DATASETS, Row, find};
use kiln_store::{Candidate, Import, Store, StoreError, candidates};
use kiln_vision::Source;
use std::path::Path;

/// Takes over the files in `dir` and up to two levels below: those of `set`,
/// or of every data set whose files are there. Files other than the published
/// ones need a word on where they come from, `unofficial`. The sets imported,
/// and where each comes from.
///
/// # Errors
/// When no complete set is there, or not the published one and `unofficial` is
/// not given, or when it cannot be told which set the files are. Nothing is
/// imported then.
pub fn import(
    dir: &Path,
    set: Option<&str>,
    unofficial: Option<&str>,
    store: &Store,
) -> Result<Vec<(String, Source)>, CatalogError> {
    let one = |row: &'static Row, from: &Path| {
        let set = row
            .pinned()
            .ok_or_else(|| CatalogError::NoFiles(row.name.to_owned()))?;
        let source = store.import(&Import {
            set,
            from,
            unofficial,
            check: row.check(),
        })?;
        Ok((row.name.to_owned(), source))
    };
    if let Some(name) = set {
        let choice = find(name)?;
        let row = choice
            .row()
            .ok_or_else(|| CatalogError::NoFiles(choice.name()))?;
        return Ok(vec![one(row, dir)?]);
    }
    let found = discover(dir)?;
    let others = unofficial_sets(&found, unofficial.is_some())?;
    // Those that may still be refused go first.
    let others = others.into_iter().map(|row| one(row, dir));
    let official = found.iter().filter(|(_, candidate)| candidate.official);
    let official = official.map(|(row, candidate)| one(row, &candidate.folder));
    let mut imported = others
        .chain(official)
        .collect::<Result<Vec<_>, CatalogError>>()?;
    imported.sort_by(|one, other| one.0.cmp(&other.0));
    imported.dedup_by(|one, other| one.0 == other.0);
    Ok(imported)
}

type Found = Vec<(&'static Row, Candidate)>;

/// Every folder that has all files of a set, by name.
fn discover(dir: &Path) -> Result<Found, CatalogError> {
    let mut found = Vec::new();
    let mut incomplete = None;
    for row in DATASETS {
        let Some(set) = row.pinned() else {
            continue;
        };
        match candidates(set, dir) {
            Ok(these) => found.extend(these.into_iter().map(|candidate| (row, candidate))),
            Err(StoreError::NothingToImport { reason, .. }) if !reason.starts_with("lacks") => {}
            Err(error @ StoreError::NothingToImport { .. }) => {
                incomplete.get_or_insert(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if found.is_empty() {
        let known: Vec<_> = DATASETS
            .iter()
            .filter(|row| !row.builtin)
            .map(|row| row.name)
            .collect();
        return Err(match incomplete {
            Some(error) => error.into(),
            None => CatalogError::NothingToImport {
                dir: dir.to_owned(),
                known: known.join(", "),
            },
        });
    }
    Ok(found)
}

/// The sets of which only unofficial copies are there.
fn unofficial_sets(found: &Found, allowed: bool) -> Result<Vec<&'static Row>, CatalogError> {
    let explained = |folder: &Path| {
        found
            .iter()
            .any(|(_, other)| other.official && other.folder == folder)
    };
    let mut sets: Vec<&'static Row> = Vec::new();
    for (row, candidate) in found {
        if candidate.official || explained(&candidate.folder) || sets.contains(row) {
            continue;
        }
        let alike: Vec<_> = found
            .iter()
            .filter(|(_, other)| other.folder == candidate.folder)
            .map(|(row, _)| row.name)
            .collect();
        let unambiguous = alike.iter().all(|name| *name == row.name);
        if unambiguous
            && found
                .iter()
                .any(|(other, copy)| other == row && copy.official)
        {
            continue;
        }
        match candidate.objection() {
            Some(objection) if !allowed => return Err(objection.into()),
            _ if !unambiguous => {
                return Err(CatalogError::SeveralSets {
                    folder: candidate.folder.clone(),
                    sets: alike.join(" and "),
                });
            }
            _ => sets.push(row),
        }
    }
    Ok(sets)
}
