//! Loading one half of whatever was chosen.

use crate::{CatalogError, Choice, Kind, Row};
use kiln_store::Store;
use kiln_synthetic::{
    DEFAULT_TEST, DEFAULT_TRAIN, DIGIT_CLASSES, SEED, SHAPE_CLASSES, SIGNAL_CLASSES,
};
use kiln_vision::{ImageSpec, Loaded, Part, Source};

/// How a folder of pictures is loaded; nothing else looks at this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderOptions {
    /// The shape that pictures are converted to; without one they must have
    /// the same shape.
    pub input: Option<ImageSpec>,
    /// The seed of the draw of test pictures, where the folder has none.
    pub seed: u64,
}

/// The half `part` of `choice`. Nothing is downloaded.
///
/// # Errors
/// When files are missing, or are not what they must be.
pub fn load(
    choice: &Choice,
    part: Part,
    store: &Store,
    folder: &FolderOptions,
) -> Result<Loaded, CatalogError> {
    match choice {
        Choice::Named(row) => load_row(row, part, store, DEFAULT_TRAIN),
        Choice::Counted(row, train) => {
            let loaded = load_row(row, part, store, *train)?;
            Ok(Loaded {
                name: choice.name(),
                ..loaded
            })
        }
        Choice::Folder(path) => {
            let options = kiln_folder::Options {
                input: folder.input,
                seed: folder.seed,
            };
            Ok(kiln_folder::load(path, part, &options)?)
        }
    }
}

fn load_row(row: &Row, part: Part, store: &Store, train: usize) -> Result<Loaded, CatalogError> {
    let count = match part {
        Part::Training => train,
        Part::Test => DEFAULT_TEST,
    };
    let (images, classes) = match row.kind {
        Kind::Mnist(variant) => return Ok(kiln_mnist::load(store, variant, part)?),
        Kind::Cifar10 => return Ok(kiln_cifar10::load(store, part)?),
        Kind::Digits => (kiln_synthetic::digits(count, part, SEED), DIGIT_CLASSES),
        Kind::Shapes => (kiln_synthetic::shapes(count, part, SEED), SHAPE_CLASSES),
        Kind::Signals => {
            let images = kiln_synthetic::signals(count, part, SEED, row.spec.width);
            (images, SIGNAL_CLASSES)
        }
    };
    Ok(Loaded {
        name: row.name.to_owned(),
        classes: classes.map(str::to_owned).to_vec(),
        images,
        validation: None,
        source: drawn(),
    })
}

/// Where built-in images come from.
pub(crate) fn drawn() -> Source {
    Source {
        official: true,
        note: format!("drawn by kiln, seed {SEED}"),
        files: Vec::new(),
    }
}
