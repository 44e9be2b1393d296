//! From a name that a user types to a data set.

use crate::{CatalogError, DATASETS, Row};
use kiln_store::{SetState, Store};
use kiln_vision::Look;
use std::path::PathBuf;

/// The most training images that a built-in set draws.
const MOST: usize = 1_000_000;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A data set of the table.
    Named(&'static Row),
    /// A built-in set with this number of training images.
    Counted(&'static Row, usize),
    /// A folder of pictures.
    Folder(PathBuf),
}

/// What `name` stands for: a name or alias of the table (capitals do not
/// matter, and `_` is as good as `-`), `digits:N` and its like, or
/// `folder:PATH`.
///
/// # Errors
/// When it stands for nothing; the error lists all names.
pub fn find(name: &str) -> Result<Choice, CatalogError> {
    let (word, rest) = match name.split_once(':') {
        Some((word, rest)) => (plain(word), Some(rest)),
        None => (plain(name), None),
    };
    if word == "folder" {
        return match rest {
            Some(path) if !path.is_empty() => Ok(Choice::Folder(path.into())),
            _ => Err(CatalogError::NoPath),
        };
    }
    let row = DATASETS
        .iter()
        .find(|row| row.name == word || row.aliases.contains(&word.as_str()))
        .ok_or_else(|| unknown(name, &word))?;
    match rest {
        None => Ok(Choice::Named(row)),
        Some(_) if !row.builtin => Err(CatalogError::NotCounted {
            name: row.name,
            images: row.train,
        }),
        Some(count) => match count.parse() {
            Ok(count @ 1..=MOST) => Ok(Choice::Counted(row, count)),
            _ => Err(CatalogError::Count {
                name: row.name,
                count: count.to_owned(),
                most: MOST,
            }),
        },
    }
}

/// The spelling in which names are compared.
pub(crate) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace('_', "-")
}

fn unknown(name: &str, word: &str) -> CatalogError {
    let names = DATASETS
        .iter()
        .flat_map(|row| row.aliases.iter().chain([&row.name]))
        .chain([&"folder"]);
    let suggestion = kiln_names::nearest(word, names.copied());
    let known: Vec<_> = DATASETS.iter().map(|row| row.name).collect();
    CatalogError::Unknown {
        name: name.to_owned(),
        suggestion,
        known: known.join(", "),
    }
}

impl Choice {
    /// The name as the user may type it again.
    pub fn name(&self) -> String {
        match self {
            Self::Named(row) => row.name.to_owned(),
            Self::Counted(row, count) => format!("{}:{count}", row.name),
            Self::Folder(path) => format!("folder:{}", path.display()),
        }
    }

    /// The row of the table, unless it is a folder of pictures. Its number of
    /// training images is the usual one even where another was asked for.
    pub fn row(&self) -> Option<&'static Row> {
        match self {
            Self::Named(row) | Self::Counted(row, _) => Some(row),
            Self::Folder(_) => None,
        }
    }

    /// What its images have in common; pictures in a folder count as
    /// photographs.
    pub fn look(&self) -> Look {
        self.row().map_or(Look::Photos, |row| row.look)
    }

    /// Whether nothing has to be fetched: it is there, perhaps damaged, or
    /// built in. Reads no file of it.
    pub fn is_ready(&self, store: &Store) -> bool {
        self.state(store) != SetState::Missing
    }

    /// Whether there are published files of it.
    pub fn can_fetch(&self) -> bool {
        self.row().is_some_and(|row| row.pinned().is_some())
    }

    /// What can be said of its files without reading them.
    pub fn state(&self, store: &Store) -> SetState {
        match self {
            Self::Named(row) | Self::Counted(row, _) => match row.pinned() {
                Some(set) => store.state(set),
                None => SetState::Official,
            },
            Self::Folder(path) if path.is_dir() => SetState::Unchecked,
            Self::Folder(_) => SetState::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[track_caller]
    fn is_refused(name: &str, words: &[&str]) {
        let error = find(name).unwrap_err();
        assert!(error.is_usage());
        for word in words {
            assert!(
                error.to_string().contains(word),
                "'{word}' is not in: {error}"
            );
        }
    }

    #[test]
    fn every_name_and_alias_is_found_however_it_is_spelt() {
        for row in DATASETS {
            assert_eq!(find(row.name).unwrap(), Choice::Named(row));
            for alias in row.aliases {
                assert_eq!(find(alias).unwrap(), Choice::Named(row));
            }
        }
        for (spelling, name) in [
            ("Fashion_MNIST", "fashion-mnist"),
            ("CIFAR_10", "cifar10"),
            (" MNIST ", "mnist"),
        ] {
            assert_eq!(find(spelling).unwrap().name(), name);
        }
    }

    #[test]
    fn names_survive_being_typed_again() {
        for name in [
            "mnist",
            "digits",
            "digits:500",
            "shapes:1",
            "folder:a/b: c",
            "folder:X",
        ] {
            assert_eq!(find(name).unwrap().name(), name);
            assert_eq!(
                find(&find(name).unwrap().name()).unwrap(),
                find(name).unwrap()
            );
        }
    }

    #[test]
    fn an_unknown_name_brings_the_list_and_the_nearest_name() {
        is_refused("minst", &["'minst'", "did you mean 'mnist'"]);
        is_refused(
            "cifar100",
            &[
                "did you mean 'cifar10'",
                "cifar10, digits, fashion-mnist, mnist, shapes, signals, signals-long",
                "folder:PATH",
            ],
        );
        assert!(
            !find("qqq")
                .unwrap_err()
                .to_string()
                .contains("did you mean")
        );
        is_refused("", &["no data set ''"]);
    }

    #[test]
    fn numbers_and_paths_are_checked() {
        is_refused("folder:", &["path of a folder"]);
        is_refused("folder", &["path of a folder"]);
        is_refused("digits:", &["digits:N"]);
        is_refused("digits:0", &["'0'", "from 1"]);
        is_refused("shapes:many", &["'many'", "shapes:N"]);
        is_refused("digits:1000001", &["1000000"]);
        is_refused("mnist:5", &["always has 60000", "digits:500"]);
    }

    #[test]
    fn digits_are_known_as_such() {
        let look = |name| find(name).unwrap().look();
        for name in ["mnist", "digits", "digits:50"] {
            assert!(!look(name).may_be_mirrored(), "{name}");
        }
        for name in ["fashion-mnist", "cifar10", "shapes", "folder:x"] {
            assert!(look(name).may_be_mirrored(), "{name}");
        }
    }

    #[test]
    fn only_sets_with_published_files_can_be_fetched() {
        let can = |name| find(name).unwrap().can_fetch();
        assert!(can("mnist") && can("fashion") && can("cifar10"));
        assert!(!can("digits") && !can("shapes:5") && !can("folder:x"));
    }
}
