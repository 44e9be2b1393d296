//! Importing files from a folder, whose sets are found out from their names
//! and hashes.

use crate::{CatalogError, DATASETS, Row, choice::plain, find};
use kiln_store::{Candidate, Import, PinnedSet, Store, StoreError, candidates};
use kiln_vision::Source;
use std::path::{Path, PathBuf};

/// Takes over the files in `dir` and up to two levels below: those of `set`,
/// or of every data set whose files are there. Files other than the published
/// ones need a word on where they come from, `unofficial`. The sets imported,
/// and where each comes from.
///
/// # Errors
/// When no complete set is there, or not the published one and `unofficial` is
/// not given, or when it cannot be told which set the files are. The set that
/// fails stays as it was; of several sets, those before it are imported.
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
    // Those that may still be refused go first.
    let others = unofficial_sets(&found, unofficial.is_some())?;
    let others = others
        .into_iter()
        .map(|(row, folder)| one(row, folder.unwrap_or(dir)));
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
    let mut incomplete = Vec::new();
    for row in DATASETS {
        let Some(set) = row.pinned() else {
            continue;
        };
        match candidates(set, dir) {
            Ok(these) => found.extend(these.into_iter().map(|candidate| (row, candidate))),
            Err(StoreError::NothingToImport { .. }) => {}
            Err(StoreError::Incomplete { folder, file, .. }) => {
                incomplete.push((row, folder, file));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if found.is_empty() {
        return Err(nothing(dir, &incomplete));
    }
    Ok(found)
}

/// The error for a folder without any complete set.
fn nothing(dir: &Path, incomplete: &[(&'static Row, PathBuf, &'static str)]) -> CatalogError {
    let Some((first, folder, file)) = incomplete.first() else {
        let files = DATASETS.iter().filter(|row| !row.builtin);
        return CatalogError::NothingToImport {
            dir: dir.to_owned(),
            known: names(files, ", "),
        };
    };
    let alike = incomplete.iter().map(|(row, ..)| *row);
    let alike: Vec<_> = alike.filter(|row| are_alike(row, first)).collect();
    let named = alike.iter().find(|row| is_named(folder, row));
    CatalogError::Incomplete {
        folder: folder.clone(),
        file,
        sets: named.map_or_else(
            || names(alike.iter().copied(), " or "),
            |row| row.name.to_owned(),
        ),
    }
}

/// The sets of which only unofficial copies are there, each with its folder
/// unless there are several.
fn unofficial_sets(found: &Found, allowed: bool) -> Result<Vec<Place<'_>>, CatalogError> {
    let mut sets: Vec<Place<'_>> = Vec::new();
    for (row, candidate) in found {
        let rivals = found
            .iter()
            .filter(|(other, copy)| copy.folder == candidate.folder && are_alike(other, row));
        let rivals: Vec<_> = rivals.collect();
        let settled = |(other, copy): &(&Row, Candidate)| copy.official && other == row;
        if rivals.iter().any(|(_, copy)| copy.official) || found.iter().any(settled) {
            continue;
        }
        let matching = rivals.iter().map(|(row, copy)| (*row, copy.matching));
        if likeliest(&candidate.folder, &matching.collect::<Vec<_>>())? != *row {
            continue;
        }
        match candidate.objection() {
            Some(objection) if !allowed => return Err(objection.into()),
            _ => {}
        }
        match sets.iter_mut().find(|(known, _)| known == row) {
            Some((_, folder)) => *folder = folder.filter(|known| *known == candidate.folder),
            None => sets.push((row, Some(&candidate.folder))),
        }
    }
    Ok(sets)
}

type Place<'a> = (&'static Row, Option<&'a Path>);

/// Of sets whose files in `folder` have the same names, each with how many
/// hashes speak for it: the one with the most, else the one that the folder is
/// named after.
fn likeliest(
    folder: &Path,
    rivals: &[(&'static Row, usize)],
) -> Result<&'static Row, CatalogError> {
    let most = rivals.iter().map(|(_, matching)| matching).max();
    let best = rivals.iter().filter(|(_, matching)| Some(matching) == most);
    let mut best: Vec<_> = best.map(|(row, _)| *row).collect();
    best.dedup();
    let named = best.iter().find(|row| is_named(folder, row));
    match (best.as_slice(), named) {
        ([row], _) | (_, Some(row)) => Ok(row),
        _ => Err(CatalogError::SeveralSets {
            folder: folder.to_owned(),
            sets: names(best.into_iter(), " and "),
        }),
    }
}

fn names(rows: impl Iterator<Item = &'static Row>, between: &str) -> String {
    rows.map(|row| row.name).collect::<Vec<_>>().join(between)
}

/// Whether the files of both sets have the same names.
fn are_alike(one: &Row, other: &Row) -> bool {
    let contents = |row: &Row| row.pinned().map(PinnedSet::contents);
    contents(one) == contents(other)
}

/// Whether `folder` has the name of the set.
fn is_named(folder: &Path, row: &Row) -> bool {
    let name = folder.file_name().unwrap_or_default();
    let name = plain(&name.to_string_lossy());
    row.name == name || row.aliases.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hashes_tell_more_than_the_name_of_the_folder() {
        let row = |name| find(name).unwrap().row().unwrap();
        let (mnist, fashion) = (row("mnist"), row("fashion-mnist"));
        let chosen = |folder: &str, hashes: [usize; 2]| {
            likeliest(
                Path::new(folder),
                &[(fashion, hashes[0]), (mnist, hashes[1])],
            )
        };
        assert_eq!(chosen("fashion", [0, 3]).unwrap(), mnist);
        assert_eq!(chosen("downloads", [3, 0]).unwrap(), fashion);
        assert_eq!(chosen("data/MNIST", [0, 0]).unwrap(), mnist);
        assert!(chosen("downloads", [0, 0]).unwrap_err().is_usage());
    }
}
