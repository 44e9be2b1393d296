//! The published archive, and from verified batches to images.

use crate::{
    BatchError,
    batch::{IMAGES, RECORD},
    parse_batch,
};
use kiln_store::{Layout, Member, PinnedFile, PinnedSet, Size, Store, StoreError, VerifiedFile};
use kiln_vision::{ImageSpec, Images, ImagesError, Loaded, Part};
use std::path::PathBuf;

/// The names of the classes, by label.
pub const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

const BATCH_BYTES: u64 = (IMAGES * RECORD) as u64;

const fn batch(name: &'static str) -> Member {
    Member {
        name,
        size: Size::Exactly(BATCH_BYTES),
    }
}

const fn note(name: &'static str) -> Member {
    Member {
        name,
        size: Size::AtMost(1 << 16),
    }
}

/// The published archive and what it holds.
pub static CIFAR10: PinnedSet = PinnedSet {
    folder: "cifar10",
    files: &[PinnedFile {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        plain: None,
    }],
    mirrors: &["https://www.cs.toronto.edu/~kriz/"],
    layout: Some(Layout {
        folder: "cifar-10-batches-bin",
        members: &[
            batch("data_batch_1.bin"),
            batch("data_batch_2.bin"),
            batch("data_batch_3.bin"),
            batch("data_batch_4.bin"),
            batch("data_batch_5.bin"),
            batch("test_batch.bin"),
            note("batches.meta.txt"),
            note("readme.html"),
        ],
    }),
};

/// Why a half of CIFAR-10 cannot be had.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the sentences name")]
pub enum Cifar10Error {
    /// The files are missing or not what they must be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is no batch.
    #[error("{}; import another copy with `kiln data import DIR --dataset cifar10`", self.reason())]
    Batch { path: PathBuf, error: BatchError },
    /// Images and labels do not belong together.
    #[error("{}; import another copy with `kiln data import DIR --dataset cifar10`", self.reason())]
    Images(#[from] ImagesError),
}

impl Cifar10Error {
    /// What is wrong, without advice.
    fn reason(&self) -> String {
        match self {
            Self::Store(error) => error.reason(),
            Self::Batch { path, error } => format!("'{}' {error}", path.display()),
            Self::Images(error) => format!("the batches make no set of images ({error})"),
        }
    }
}

/// The half `part` of the data set; only its batches are touched.
///
/// # Errors
/// When they are missing, or not what they must be.
pub fn load(store: &Store, part: Part) -> Result<Loaded, Cifar10Error> {
    let contents = CIFAR10.contents();
    let (training, test) = contents.split_at(5);
    let verified = store.verify(
        &CIFAR10,
        match part {
            Part::Training => training,
            Part::Test => test,
        },
    )?;
    let images = verified.files.len() * IMAGES;
    let mut pixels = Vec::with_capacity(images * ImageSpec::CIFAR.len());
    let mut labels = Vec::with_capacity(images);
    for file in &verified.files {
        read(file, &mut pixels, &mut labels)?;
    }
    Ok(Loaded {
        name: CIFAR10.folder.to_owned(),
        classes: CLASSES.map(str::to_owned).to_vec(),
        images: Images::new(ImageSpec::CIFAR, pixels, labels, CLASSES.len())?,
        validation: None,
        source: verified.source,
    })
}

/// Looks at an unofficial copy: six batches of 10,000 images each.
///
/// # Errors
/// With what is wrong, without advice.
pub fn check(files: &[VerifiedFile]) -> Result<(), String> {
    if files.len() != 6 {
        return Err(format!("there are {} batches, expected 6", files.len()));
    }
    for file in files {
        read(file, &mut Vec::new(), &mut Vec::new()).map_err(|error| error.reason())?;
    }
    Ok(())
}

fn read(
    file: &VerifiedFile,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u16>,
) -> Result<(), Cifar10Error> {
    let in_file = |error| Cifar10Error::Batch {
        path: file.path().to_owned(),
        error,
    };
    let bytes = file.read(BATCH_BYTES + 1)?;
    if bytes.len() as u64 != BATCH_BYTES {
        let found = file
            .plain_bytes()
            .map_or(bytes.len(), |bytes| bytes as usize);
        return Err(in_file(BatchError::Count {
            expected: IMAGES * RECORD,
            found,
        }));
    }
    parse_batch(&bytes, pixels, labels).map_err(in_file)
}
