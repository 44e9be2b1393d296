//! From verified files to images.

use crate::{
    IdxError, Variant,
    files::NAMES,
    idx::{image_bytes, label_bytes},
    parse_images, parse_labels,
};
use kiln_store::{Store, StoreError, VerifiedFile};
use kiln_vision::{ImageSpec, Images, ImagesError, Loaded, Part};
use std::path::PathBuf;

/// Why a half of MNIST or Fashion-MNIST cannot be had.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the sentences name")]
pub enum MnistError {
    /// The files are missing or not what they must be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is not in the IDX format.
    #[error("{}; import another copy with `kiln data import DIR --dataset {set}`", self.reason())]
    Idx {
        set: &'static str,
        path: PathBuf,
        error: IdxError,
    },
    /// Images and labels do not belong together.
    #[error("{}; import another copy with `kiln data import DIR --dataset {set}`", self.reason())]
    Images {
        set: &'static str,
        path: PathBuf,
        error: ImagesError,
    },
}

impl MnistError {
    /// What is wrong, without advice.
    fn reason(&self) -> String {
        match self {
            Self::Store(error) => error.reason(),
            Self::Idx { path, error, .. } => format!("'{}' {error}", path.display()),
            Self::Images { path, error, .. } => format!("'{}': {error}", path.display()),
        }
    }
}

/// The half `part` of the data set; only its two files are touched.
///
/// # Errors
/// When they are missing, or not what they must be.
pub fn load(store: &Store, variant: Variant, part: Part) -> Result<Loaded, MnistError> {
    let first = match part {
        Part::Training => 0,
        Part::Test => 2,
    };
    let wanted = [NAMES[first].0, NAMES[first + 1].0];
    let verified = store.verify(variant.set(), &wanted)?;
    Ok(Loaded {
        name: variant.name().to_owned(),
        classes: variant.classes().map(str::to_owned).to_vec(),
        images: read(&verified.files[0], &verified.files[1])?,
        validation: None,
        source: verified.source,
    })
}

/// Looks at an unofficial copy, given in the order of the published files:
/// every file must be a complete IDX file, with as many labels as images.
///
/// # Errors
/// With what is wrong, without advice.
pub fn check(files: &[VerifiedFile]) -> Result<(), String> {
    let pairs = files.as_chunks::<2>().0;
    if pairs.len() != 2 {
        return Err(format!("there are {} files, expected 4", files.len()));
    }
    for [images, labels] in pairs {
        read(images, labels).map_err(|error| error.reason())?;
    }
    Ok(())
}

fn read(images: &VerifiedFile, labels: &VerifiedFile) -> Result<Images, MnistError> {
    let label_file = whole(labels, label_bytes)?;
    let mut pixels = whole(images, image_bytes)?;
    let in_file = |file: &VerifiedFile| {
        let (set, path) = (file.set(), file.path().to_owned());
        move |error| MnistError::Idx { set, path, error }
    };
    let classes = parse_labels(&label_file).map_err(in_file(labels))?;
    let header = pixels.len() - parse_images(&pixels).map_err(in_file(images))?.len();
    pixels.drain(..header);
    let classes: Vec<u16> = classes.iter().copied().map(u16::from).collect();
    Images::new(ImageSpec::MNIST, pixels, classes, 10).map_err(|error| MnistError::Images {
        set: images.set(),
        path: images.path().to_owned(),
        error,
    })
}

/// The bytes of a file, up to one more than its header announces: enough to
/// see that there are too many, however far the file would decompress.
fn whole(
    file: &VerifiedFile,
    announced: fn(&[u8]) -> Result<u64, IdxError>,
) -> Result<Vec<u8>, MnistError> {
    let header = file.read(16)?;
    let bytes = announced(&header).map_err(|error| MnistError::Idx {
        set: file.set(),
        path: file.path().to_owned(),
        error,
    })?;
    Ok(file.read(bytes + 1)?)
}
