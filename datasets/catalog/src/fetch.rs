//! Bringing and checking the files of whatever was chosen.

use crate::{CatalogError, Choice, FolderOptions, load, load::drawn};
use kiln_store::{Bar, Store};
use kiln_vision::{ImageSpec, Part, Source};

/// Downloads what is missing of `choice`, with a bar on standard error when
/// that is a terminal. A built-in set needs nothing.
///
/// # Errors
/// When files that are there are damaged or unofficial, when nothing may be
/// downloaded, when no mirror delivers, and for a folder of pictures.
pub fn fetch(choice: &Choice, store: &Store) -> Result<(), CatalogError> {
    match choice.row() {
        None => Err(CatalogError::NoFiles(choice.name())),
        Some(row) => match row.pinned() {
            None => Ok(()),
            Some(set) => Ok(store.fetch(set, &mut Bar::new())?),
        },
    }
}

/// Compares the hashes of all files of `choice`, reading every byte again; of a
/// folder, every picture is read.
///
/// # Errors
/// When files are missing, or are not what they must be.
pub fn verify(choice: &Choice, store: &Store) -> Result<Source, CatalogError> {
    match choice.row() {
        Some(row) => match row.pinned() {
            None => Ok(drawn()),
            Some(set) => Ok(store.reverify(set)?),
        },
        None => {
            // With a shape given, pictures of several sizes are no error.
            let options = FolderOptions {
                input: Some(ImageSpec::CIFAR),
                seed: 0,
            };
            let mut source = load(choice, Part::Training, store, &options)?.source;
            source
                .files
                .extend(load(choice, Part::Test, store, &options)?.source.files);
            Ok(source)
        }
    }
}
