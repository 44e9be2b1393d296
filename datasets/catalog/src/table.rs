//! The table itself.

use kiln_cifar10::CIFAR10;
use kiln_mnist::Variant;
use kiln_store::{Check, PinnedSet};
use kiln_vision::{ImageSpec, Look};

/// One data set that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Other spellings of the name.
    pub aliases: &'static [&'static str],
    /// What it holds, in a few words.
    pub summary: &'static str,
    /// Shape of its images.
    pub spec: ImageSpec,
    /// What may be done to its images when they are augmented.
    pub look: Look,
    /// Number of classes.
    pub classes: usize,
    /// Number of training images, those for validation included.
    pub train: usize,
    /// Number of test images.
    pub test: usize,
    /// Training images that are held out for validation unless told otherwise.
    pub validation: usize,
    /// Whether it is drawn by this program: it then needs no files, and its
    /// name may be followed by a number of training images (`digits:500`).
    pub builtin: bool,
    /// Which crate delivers it.
    pub kind: Kind,
}

/// Which crate delivers a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Files in the IDX format.
    Mnist(Variant),
    /// The binary batches of CIFAR-10.
    Cifar10,
    /// Drawn digits.
    Digits,
    /// Drawn shapes.
    Shapes,
    /// Drawn signals, of the length that the row's shape says.
    Signals,
}

/// Every data set that has a name, sorted by name.
pub const DATASETS: &[Row] = &[
    Row {
        name: "cifar10",
        aliases: &["cifar-10"],
        summary: "small colour photographs of animals and vehicles",
        spec: ImageSpec::CIFAR,
        look: Look::Photos,
        classes: 10,
        train: 50_000,
        test: 10_000,
        validation: 5_000,
        builtin: false,
        kind: Kind::Cifar10,
    },
    Row {
        name: "digits",
        aliases: &[],
        summary: "digits drawn by kiln, in many handwritings",
        spec: ImageSpec::MNIST,
        look: Look::Digits,
        classes: kiln_synthetic::DIGIT_CLASSES.len(),
        train: kiln_synthetic::DEFAULT_TRAIN,
        test: kiln_synthetic::DEFAULT_TEST,
        validation: 2_000,
        builtin: true,
        kind: Kind::Digits,
    },
    Row {
        name: "fashion-mnist",
        aliases: &["fashion"],
        summary: "grey pictures of clothes and shoes",
        spec: ImageSpec::MNIST,
        look: Look::Clothes,
        classes: 10,
        train: 60_000,
        test: 10_000,
        validation: 5_000,
        builtin: false,
        kind: Kind::Mnist(Variant::Fashion),
    },
    Row {
        name: "mnist",
        aliases: &[],
        summary: "scanned handwritten digits",
        spec: ImageSpec::MNIST,
        look: Look::Digits,
        classes: 10,
        train: 60_000,
        test: 10_000,
        validation: 5_000,
        builtin: false,
        kind: Kind::Mnist(Variant::Mnist),
    },
    Row {
        name: "shapes",
        aliases: &[],
        summary: "coloured shapes drawn by kiln",
        spec: ImageSpec::CIFAR,
        look: Look::Photos,
        classes: kiln_synthetic::SHAPE_CLASSES.len(),
        train: kiln_synthetic::DEFAULT_TRAIN,
        test: kiln_synthetic::DEFAULT_TEST,
        validation: 2_000,
        builtin: true,
        kind: Kind::Shapes,
    },
    signals("signals", 256, "short sounds in noise, drawn by kiln"),
    signals(
        "signals-long",
        2048,
        "signals of the same ten sounds, eight times as long",
    ),
];

const fn signals(name: &'static str, length: usize, summary: &'static str) -> Row {
    Row {
        name,
        aliases: &[],
        summary,
        spec: ImageSpec::new(1, 1, length),
        look: Look::Signals,
        classes: kiln_synthetic::SIGNAL_CLASSES.len(),
        train: kiln_synthetic::DEFAULT_TRAIN,
        test: kiln_synthetic::DEFAULT_TEST,
        validation: 2_000,
        builtin: true,
        kind: Kind::Signals,
    }
}

impl Row {
    /// Its published files, unless it is built in.
    pub fn pinned(&self) -> Option<&'static PinnedSet> {
        match self.kind {
            Kind::Mnist(variant) => Some(variant.set()),
            Kind::Cifar10 => Some(&CIFAR10),
            Kind::Digits | Kind::Shapes | Kind::Signals => None,
        }
    }

    /// How an unofficial copy of its files is looked at.
    pub(crate) fn check(&self) -> &'static Check {
        match self.kind {
            Kind::Cifar10 => &kiln_cifar10::check,
            _ => &kiln_mnist::check,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::plain;

    #[test]
    fn the_table_is_sorted_and_no_name_stands_for_two() {
        assert!(DATASETS.is_sorted_by_key(|row| row.name));
        let aliases = DATASETS.iter().flat_map(|row| row.aliases);
        let mut names: Vec<_> = DATASETS
            .iter()
            .map(|row| &row.name)
            .chain(aliases)
            .collect();
        let all = names.len();
        assert!(names.iter().all(|name| plain(name) == **name));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_set_lies_in_the_folder_of_its_name() {
        for row in DATASETS {
            assert_eq!(row.builtin, row.pinned().is_none());
            assert!(row.pinned().is_none_or(|set| set.folder == row.name));
        }
    }

    #[test]
    fn more_images_are_there_than_are_held_out() {
        assert!(
            DATASETS
                .iter()
                .all(|row| row.validation < row.train && row.test > 0)
        );
    }
}
