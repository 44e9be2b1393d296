//! Which pictures of a folder train, validate and test: as its subfolders say,
//! or by a seeded draw when they are the classes themselves.

use crate::{
    FolderError,
    scan::{Classes, Picture, classes, subfolders},
};
use kiln_vision::draw::{Draw, Purpose};
use std::path::Path;

/// Names of the folder of validation pictures.
const VALIDATION: [&str; 3] = ["val", "valid", "validation"];

/// One picture in so many of a class becomes a test picture.
const ONE_IN: usize = 5;

/// Sets the draw of the test pictures apart from other draws of this seed.
const TEST_DRAW: u64 = u64::from_le_bytes(*b"foldtest");

/// All pictures of a data set.
#[derive(Debug)]
pub(crate) struct Halves {
    /// The names of the classes, by label.
    pub(crate) names: Vec<String>,
    /// Pictures to train with.
    pub(crate) training: Vec<Picture>,
    /// Pictures to validate with, if the folder brings its own.
    pub(crate) validation: Option<Vec<Picture>>,
    /// Pictures to test with.
    pub(crate) test: Vec<Picture>,
}

/// Finds the pictures in `path` and divides them.
pub(crate) fn divide(path: &Path, seed: u64) -> Result<Halves, FolderError> {
    let folders = subfolders(path)?;
    let has = |name: &str| folders.iter().any(|folder| folder == name);
    let is_half = |name: &String| {
        ["train", "test"].contains(&name.as_str()) || VALIDATION.contains(&name.as_str())
    };
    let (train, test) = (has("train"), has("test"));
    let all_halves = !folders.is_empty() && folders.iter().all(is_half);
    match (train, test) {
        (true, true) => from_folders(path, &has),
        // The only class with such a name beside other classes is a class.
        _ if !all_halves => drawn(path, seed),
        _ => Err(FolderError::MissingHalf {
            path: path.to_owned(),
            half: if train { "test" } else { "train" },
        }),
    }
}

/// The halves that the folders `train`, `test` and perhaps `val` hold.
fn from_folders(path: &Path, has: &dyn Fn(&str) -> bool) -> Result<Halves, FolderError> {
    let training = classes(&path.join("train"))?;
    let same = |half: &str| {
        let found = classes(&path.join(half))?;
        compare(path, ("train", &training), (half, &found))?;
        Ok::<_, FolderError>(found.pictures)
    };
    let test = same("test")?;
    let present: Vec<&'static str> = VALIDATION.into_iter().filter(|name| has(name)).collect();
    let validation = match present[..] {
        [] => None,
        [only] => Some(same(only)?),
        [first, second, ..] => {
            return Err(FolderError::TwoValidations {
                path: path.to_owned(),
                first,
                second,
            });
        }
    };
    Ok(Halves {
        names: training.names,
        training: training.pictures,
        validation,
        test,
    })
}

/// Refuses two halves whose classes differ.
fn compare(
    path: &Path,
    (one, ours): (&str, &Classes),
    (other, theirs): (&str, &Classes),
) -> Result<(), FolderError> {
    let missing = |present: &Classes, absent: &Classes| {
        let mut names = present.names.iter();
        names.find(|name| !absent.names.contains(name)).cloned()
    };
    let error = |class, present: &str, absent: &str| FolderError::Classes {
        class,
        present: path.join(present),
        absent: path.join(absent),
    };
    match (missing(ours, theirs), missing(theirs, ours)) {
        (Some(class), _) => Err(error(class, one, other)),
        (None, Some(class)) => Err(error(class, other, one)),
        (None, None) => Ok(()),
    }
}

/// The halves drawn from folders that are the classes themselves: in every
/// class a fifth of the pictures, at least one and never all, is for testing.
fn drawn(path: &Path, seed: u64) -> Result<Halves, FolderError> {
    let Classes { names, pictures } = classes(path)?;
    let (mut training, mut test) = (Vec::new(), Vec::new());
    for class in pictures.chunk_by(|one, other| one.label == other.label) {
        let label = class[0].label;
        if class.len() < 2 {
            return Err(FolderError::SinglePicture(
                path.join(&names[usize::from(label)]),
            ));
        }
        let mut order: Vec<usize> = (0..class.len()).collect();
        Draw::keyed(seed, Purpose::Split, TEST_DRAW, u64::from(label)).shuffle(&mut order);
        let count = ((class.len() + ONE_IN / 2) / ONE_IN).max(1);
        let mut tests = vec![false; class.len()];
        for &index in &order[..count] {
            tests[index] = true;
        }
        for (picture, is_test) in class.iter().zip(tests) {
            let half = if is_test { &mut test } else { &mut training };
            half.push(picture.clone());
        }
    }
    Ok(Halves {
        names,
        training,
        validation: None,
        test,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::fs;
    use tempfile::{TempDir, tempdir};

    /// A folder described as `a=2 b=3`: two files in `a`, three in `b`.
    fn folder(description: &str) -> TempDir {
        let root = tempdir().unwrap();
        for (class, count) in description
            .split(' ')
            .map(|part| part.split_once('=').unwrap())
        {
            fs::create_dir_all(root.path().join(class)).unwrap();
            for index in 0..count.parse().unwrap() {
                let name = format!("{class}/{index:03}.png");
                fs::write(root.path().join(name), b"").unwrap();
            }
        }
        root
    }

    fn counts(pictures: &[Picture]) -> Vec<usize> {
        let by_class = pictures.chunk_by(|one, other| one.label == other.label);
        by_class.map(<[Picture]>::len).collect()
    }

    #[test]
    fn a_fifth_of_every_class_is_drawn_for_testing() {
        let root = folder("a=50 b=2 train=13");
        let halves = divide(root.path(), 1).unwrap();
        assert_eq!(halves.names, ["a", "b", "train"]);
        assert_eq!(counts(&halves.test), [10, 1, 3]);
        assert_eq!(counts(&halves.training), [40, 1, 10]);
        let mut test = halves.test.iter();
        assert!(test.all(|picture| !halves.training.contains(picture)));
        assert!(halves.validation.is_none());
    }

    #[test]
    fn the_draw_depends_on_the_seed_alone() {
        let root = folder("a=50 b=50");
        let test = |seed| divide(root.path(), seed).unwrap().test;
        assert_eq!(test(1), test(1));
        assert_ne!(test(1), test(2));
    }

    #[test]
    fn folders_named_for_the_halves_are_the_halves() {
        let root = folder("train/a=3 train/b=1 test/a=1 test/b=2");
        let halves = divide(root.path(), 1).unwrap();
        assert_eq!(counts(&halves.training), [3, 1]);
        assert_eq!(counts(&halves.test), [1, 2]);
        assert!(halves.validation.is_none());
        let root = folder("train/a=3 train/b=1 test/a=1 test/b=2 valid/a=4 valid/b=5");
        let validation = divide(root.path(), 1).unwrap().validation;
        assert_eq!(counts(&validation.unwrap()), [4, 5]);
    }

    #[test]
    fn halves_that_do_not_fit_together_are_refused() {
        let error = |description: &str| divide(folder(description).path(), 1).unwrap_err();
        let lone = error("train/a=1 train/b=1 val/a=1");
        assert!(matches!(
            lone,
            FolderError::MissingHalf { half: "test", .. }
        ));
        let lone = error("test/a=1 test/b=1");
        assert!(matches!(
            lone,
            FolderError::MissingHalf { half: "train", .. }
        ));
        let fewer = error("train/a=1 train/b=1 train/c=1 test/a=1 test/b=1");
        assert!(matches!(fewer, FolderError::Classes { class, .. } if class == "c"));
        let more = error("train/a=1 train/b=1 test/a=1 test/b=1 test/c=1");
        assert!(matches!(more, FolderError::Classes { class, .. } if class == "c"));
        let single = error("a=1 b=5");
        assert!(matches!(single, FolderError::SinglePicture(path) if path.ends_with("a")));
        let halves = "train/a=1 train/b=1 test/a=1 test/b=1";
        let two = error(&format!("{halves} val/a=1 val/b=1 valid/a=1 valid/b=1"));
        assert!(matches!(
            two,
            FolderError::TwoValidations {
                first: "val",
                second: "valid",
                ..
            }
        ));
    }
}
