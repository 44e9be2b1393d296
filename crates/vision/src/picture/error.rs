//! Why a picture cannot be read. Every error names the file and what to do.

use image::ImageError;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a picture cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// There is no such file.
    #[error("there is no picture '{}'; check the path", path.display())]
    Missing {
        /// The file asked for.
        path: PathBuf,
    },
    /// The path leads to a folder or a device.
    #[error("'{}' is not a file; name one PNG, JPEG, PGM or PPM picture", path.display())]
    NotAFile {
        /// The path asked for.
        path: PathBuf,
    },
    /// The file system refuses.
    #[error("the picture '{}' cannot be opened ({source}); check that you may read it", path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
    /// The bytes are of no known format.
    #[error("'{}' is not a PNG, JPEG, PGM or PPM picture; convert it to PNG", path.display())]
    Format {
        /// The file asked for.
        path: PathBuf,
    },
    /// The format is known but the rest of the file is not as it should be.
    #[error("the picture '{}' is damaged or cut short ({reason}); replace the file", path.display())]
    Damaged {
        /// The file asked for.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// The picture has no pixel.
    #[error("the picture '{}' is {width}x{height} pixels, so there is nothing in it; replace the file", path.display())]
    Empty {
        /// The file asked for.
        path: PathBuf,
        /// Columns it claims to have.
        width: u32,
        /// Rows it claims to have.
        height: u32,
    },
    /// The picture has more pixels than are decoded.
    #[error("the picture '{}' is {width}x{height} pixels, more than the 100 million that are read; scale it down", path.display())]
    TooLarge {
        /// The file asked for.
        path: PathBuf,
        /// Columns it claims to have.
        width: u32,
        /// Rows it claims to have.
        height: u32,
    },
}

impl PictureError {
    /// What an error of the file system means for the file at `path`.
    pub(super) fn from_system(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing { path },
            _ => Self::Unreadable { path, source },
        }
    }

    /// What a decoder's error means for the file at `path`.
    pub(super) fn from_decoder(path: &Path, error: ImageError) -> Self {
        let path = path.to_owned();
        match error {
            ImageError::Unsupported(_) => Self::Format { path },
            error => Self::Damaged {
                path,
                reason: error.to_string(),
            },
        }
    }
}
