//! Why a data set cannot be had, and whether that is for the user to retype.

use kiln_cifar10::Cifar10Error;
use kiln_folder::FolderError;
use kiln_mnist::MnistError;
use kiln_store::StoreError;
use std::path::PathBuf;

/// Why a data set cannot be named, read, fetched or imported.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the sentences name")]
pub enum CatalogError {
    /// A name that stands for nothing.
    #[error(
        "there is no data set '{name}'{}; the data sets are {known} and folder:PATH",
        suggest(suggestion)
    )]
    Unknown {
        name: String,
        suggestion: Option<&'static str>,
        known: String,
    },
    /// `folder:` without a path.
    #[error("'folder:' needs the path of a folder of pictures, such as folder:photos")]
    NoPath,
    /// A number of images that is none.
    #[error("'{count}' is not a number of training images; write {name}:N with N from 1 to {most}")]
    Count {
        name: &'static str,
        count: String,
        most: usize,
    },
    /// A number of images where none can be chosen.
    #[error(
        "'{name}' always has {images} training images; only digits, shapes and signals take a number, such as digits:500"
    )]
    NotCounted { name: &'static str, images: usize },
    /// A set without published files.
    #[error("'{0}' has no files to fetch or import; name mnist, fashion-mnist or cifar10")]
    NoFiles(String),
    /// A folder with nothing to import.
    #[error("'{}' holds no complete data set ({known}), nor do the folders in it; name the folder that holds the files", dir.display())]
    NothingToImport { dir: PathBuf, known: String },
    /// Files that could be of several sets.
    #[error("the files in '{}' have the names of {sets} alike and the hashes of neither; say which they are with --dataset", folder.display())]
    SeveralSets { folder: PathBuf, sets: String },
    /// A folder with some of the files of several sets.
    #[error("'{}' lacks '{file}' of {sets}; name a folder that holds all files", folder.display())]
    Incomplete {
        folder: PathBuf,
        file: &'static str,
        sets: String,
    },
    /// From the data folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// From MNIST or Fashion-MNIST.
    #[error(transparent)]
    Mnist(#[from] MnistError),
    /// From CIFAR-10.
    #[error(transparent)]
    Cifar10(#[from] Cifar10Error),
    /// From a folder of pictures.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl CatalogError {
    /// Whether data is missing, wrong or out of reach; otherwise the command
    /// must be typed differently ([`CatalogError::is_usage`]), or the system
    /// refused something, such as room on the disk.
    pub fn is_data(&self) -> bool {
        match self {
            Self::Store(error)
            | Self::Mnist(MnistError::Store(error))
            | Self::Cifar10(Cifar10Error::Store(error)) => error.is_data(),
            Self::Folder(FolderError::Unreadable { .. }) => false,
            other => !other.is_usage(),
        }
    }

    /// Whether the command must be typed differently.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Unknown { .. }
                | Self::NoPath
                | Self::Count { .. }
                | Self::NotCounted { .. }
                | Self::NoFiles(_)
                | Self::SeveralSets { .. }
                | Self::Store(StoreError::NoOrigin)
        )
    }
}

fn suggest(suggestion: &Option<&'static str>) -> String {
    suggestion.map_or(String::new(), |name| format!(" (did you mean '{name}'?)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn what_the_system_refuses_is_not_wrong_data() {
        let refused = |kind: io::ErrorKind| {
            CatalogError::from(StoreError::Io {
                doing: "write",
                path: "/data/a".into(),
                cause: kind.into(),
            })
        };
        for kind in [
            io::ErrorKind::StorageFull,
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::ReadOnlyFilesystem,
        ] {
            assert!(!refused(kind).is_data() && !refused(kind).is_usage());
        }
        assert!(refused(io::ErrorKind::NotFound).is_data());
    }

    #[test]
    fn missing_data_is_wrong_data_and_a_wrong_name_is_neither() {
        let missing = || StoreError::Missing {
            set: "mnist",
            path: "/data/a".into(),
        };
        assert!(CatalogError::from(missing()).is_data());
        assert!(CatalogError::from(MnistError::Store(missing())).is_data());
        assert!(!CatalogError::NoPath.is_data());
        assert!(!CatalogError::from(StoreError::NoOrigin).is_data());
    }
}
