//! Why a folder of pictures is no data set. Every error names the place and
//! what to do about it.

use kiln_vision::{ImageSpec, PictureError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a folder of pictures cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is nothing at the path.
    #[error("there is no folder '{}'; check the path", .0.display())]
    Missing(PathBuf),
    /// The path leads to a file.
    #[error("'{}' is not a folder; name one that holds a folder of pictures for each class", .0.display())]
    NotAFolder(PathBuf),
    /// The file system refuses.
    #[error("'{}' cannot be read ({source}); check that you may read it", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
    /// No subfolder at all.
    #[error("'{}' holds no folders; put the pictures of each class into a folder of their own, as in '{}'", .0.display(), .0.join("cat").join("1.png").display())]
    NoClasses(PathBuf),
    /// One subfolder only, so there is nothing to tell apart.
    #[error("'{}' holds the one class '{class}'; add a folder for each further class", path.display())]
    OneClass {
        /// The folder of the classes.
        path: PathBuf,
        /// The only class.
        class: String,
    },
    /// More classes than labels have numbers.
    #[error("'{}' holds {count} folders, but at most 65536 classes are possible; check the path", path.display())]
    TooManyClasses {
        /// The folder of the classes.
        path: PathBuf,
        /// Subfolders found.
        count: usize,
    },
    /// A class without pictures.
    #[error("'{}' holds no PNG or JPEG picture; add some or remove the folder", .0.display())]
    EmptyClass(PathBuf),
    /// A class that cannot be divided into training and test pictures.
    #[error("'{}' holds a single picture, but training and test need one each; add more", .0.display())]
    SinglePicture(PathBuf),
    /// One of the two halves is missing.
    #[error("'{}' has no folder '{half}' beside the others; add it, or put the classes directly into '{}'", path.display(), path.display())]
    MissingHalf {
        /// The folder of the halves.
        path: PathBuf,
        /// "train" or "test".
        half: &'static str,
    },
    /// Two folders of validation pictures.
    #[error("'{}' has both '{first}' and '{second}' for validation; keep one of them", path.display())]
    TwoValidations {
        /// The folder of the halves.
        path: PathBuf,
        /// The one name.
        first: &'static str,
        /// The other name.
        second: &'static str,
    },
    /// A half of the data set lacks a class or has one too many.
    #[error("the class '{class}' is in '{}' but not in '{}'; both need the same classes", present.display(), absent.display())]
    Classes {
        /// The class in question.
        class: String,
        /// The folder that has it.
        present: PathBuf,
        /// The folder that lacks it.
        absent: PathBuf,
    },
    /// Pictures of several sizes, and no size to convert them to.
    #[error("'{}' is {first_size} pixels but '{}' is {second_size}; choose one size for all with --input, such as --input 3x32x32", first.display(), second.display())]
    Sizes {
        /// A picture.
        first: PathBuf,
        /// Its height and width.
        first_size: String,
        /// A picture of another size.
        second: PathBuf,
        /// Its height and width.
        second_size: String,
    },
    /// Pictures too large to be a network's input as they are.
    #[error("the pictures in '{}' are {spec}, too large to be taken as they are; choose a size with --input, such as --input 3x224x224", path.display())]
    Large {
        /// The folder.
        path: PathBuf,
        /// The shape of its pictures.
        spec: ImageSpec,
    },
    /// More bytes than are held in memory.
    #[error("the {count} pictures of '{}' as {spec} take {gibibytes} GiB of memory, more than the 16 GiB allowed; choose a smaller size with --input", path.display())]
    Memory {
        /// The folder.
        path: PathBuf,
        /// How many pictures would be loaded.
        count: usize,
        /// The shape of each.
        spec: ImageSpec,
        /// What they would take, rounded up.
        gibibytes: u128,
    },
    /// A picture that cannot be read.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

impl FolderError {
    /// What an error of the file system means for the file or folder `path`.
    pub(crate) fn from_system(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::NotADirectory => Self::NotAFolder(path),
            _ => Self::Unreadable { path, source },
        }
    }
}
