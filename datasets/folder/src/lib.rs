//! Your own pictures as a data set: a folder with a folder of PNG or JPEG
//! files for each class. It neither downloads nor changes anything.
//!
//! Either `PATH/<class>/<picture>`, then a fifth of each class (at least one
//! picture) is drawn for testing by the seed and the sorted names; or
//! `PATH/train/<class>/<picture>` and `PATH/test/<class>/<picture>`, perhaps
//! with `val`, `valid` or `validation` beside them. All halves need the same
//! classes.
//!
//! Classes and pictures are sorted by name. Names that begin with a dot, files
//! that are not called `.png`, `.jpg` or `.jpeg`, files outside the folder of
//! a class and folders within it are skipped. A file with such a name that is
//! no picture is an error.

mod error;
mod halves;
mod read;
mod scan;

pub use error::FolderError;

use kiln_vision::{ImageSpec, Loaded, Part, Source};
use std::path::Path;

/// How a folder is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The shape that pictures are converted to (see
    /// [`kiln_vision::read_picture`]; none is inverted). Without one, all must
    /// have the same size, which is then taken, with three channels as soon as
    /// one picture has colour.
    pub input: Option<ImageSpec>,
    /// The seed of the draw of the test pictures, where the folder has none.
    pub seed: u64,
}

/// One half of the data set in the folder `path`; with the training half come
/// the validation pictures, if the folder has its own.
///
/// # Errors
/// When the folder is not arranged as described above, a picture cannot be
/// read, their sizes differ and no shape is given, or they take too much
/// memory.
pub fn load(path: &Path, part: Part, options: &Options) -> Result<Loaded, FolderError> {
    let halves = halves::divide(path, options.seed)?;
    let held_out = halves.validation.iter().flatten();
    let spec = match options.input {
        Some(spec) => spec,
        None => {
            // Training looks at no test picture; testing may look at all, to
            // refuse those of another size.
            let seen: Vec<_> = halves.training.iter().chain(held_out.clone()).collect();
            if part == Part::Test {
                let all: Vec<_> = seen.iter().copied().chain(&halves.test).collect();
                read::common_spec(path, &all)?;
            }
            read::common_spec(path, &seen)?
        }
    };
    let read = |pictures| read::read_images(path, pictures, spec, halves.names.len());
    let (images, validation, files) = match part {
        Part::Training => (
            read(&halves.training)?,
            halves.validation.as_deref().map(read).transpose()?,
            halves.training.iter().chain(held_out).collect::<Vec<_>>(),
        ),
        Part::Test => (read(&halves.test)?, None, halves.test.iter().collect()),
    };
    let source = Source {
        official: false,
        note: format!("folder {}", path.display()),
        files: vec![read::digest(path, &files)?],
    };
    Ok(Loaded {
        name: format!("folder:{}", path.display()),
        classes: halves.names,
        images,
        validation,
        source,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use image::{GrayImage, Luma, Rgb, RgbImage};
    use kiln_vision::PictureError;
    use std::fs;
    use tempfile::{TempDir, tempdir};

    const PLAIN: Options = Options {
        input: None,
        seed: 1,
    };

    /// A folder of colour pictures, 6 by 4 pixels of one red each.
    fn folder(names: &[&str]) -> TempDir {
        let root = tempdir().unwrap();
        for (index, name) in names.iter().enumerate() {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            RgbImage::from_pixel(6, 4, Rgb([index as u8, 0, 9]))
                .save(path)
                .unwrap();
        }
        root
    }

    #[test]
    fn pictures_of_one_size_keep_it() {
        let root = folder(&["b/1.png", "b/2.png", "a/1.png", "a/2.png", "a/3.png"]);
        let training = load(root.path(), Part::Training, &PLAIN).unwrap();
        let test = load(root.path(), Part::Test, &PLAIN).unwrap();
        assert_eq!(training.classes, ["a", "b"]);
        assert_eq!(training.images.spec(), ImageSpec::new(3, 4, 6));
        assert_eq!(training.images.labels(), [0, 0, 1]);
        assert_eq!(test.images.labels(), [0, 1]);
        let mut reds: Vec<u8> = [&training.images, &test.images]
            .iter()
            .flat_map(|images| (0..images.len()).map(|index| images.pixels(index)[0]))
            .collect();
        reds.sort_unstable();
        assert_eq!(reds, [0, 1, 2, 3, 4]);
        assert!(!training.source.official);
        assert_ne!(training.source.files, test.source.files);
    }

    #[test]
    fn training_looks_at_no_test_picture() {
        let root = folder(&[
            "train/a/1.png",
            "train/b/1.png",
            "test/a/2.png",
            "test/b/2.png",
        ]);
        fs::write(root.path().join("test/a/2.png"), "no picture").unwrap();
        assert!(load(root.path(), Part::Training, &PLAIN).is_ok());
        assert!(load(root.path(), Part::Test, &PLAIN).is_err());
    }

    #[test]
    fn a_folder_with_its_own_halves_keeps_them() {
        let root = folder(&[
            "train/a/1.png",
            "train/b/1.png",
            "test/a/2.png",
            "test/b/2.png",
            "val/a/3.png",
            "val/b/3.png",
        ]);
        let training = load(root.path(), Part::Training, &PLAIN).unwrap();
        assert_eq!(training.images.pixels(1)[0], 1);
        assert_eq!(training.validation.unwrap().pixels(0)[0], 4);
        let test = load(root.path(), Part::Test, &PLAIN).unwrap();
        assert_eq!(test.images.pixels(0)[0], 2);
        assert!(test.validation.is_none());
    }

    #[test]
    fn several_sizes_need_an_input_shape() {
        let root = folder(&["a/1.png", "a/2.png", "b/1.png", "b/2.png"]);
        let odd = root.path().join("b/3.jpg");
        GrayImage::from_pixel(9, 9, Luma([50])).save(&odd).unwrap();
        let error = load(root.path(), Part::Test, &PLAIN).unwrap_err();
        assert!(matches!(&error, FolderError::Sizes { second, .. } if *second == odd));
        assert!(error.to_string().contains("--input 3x32x32"), "{error}");
        let input = Some(ImageSpec::new(1, 8, 8));
        let loaded = load(root.path(), Part::Training, &Options { input, ..PLAIN }).unwrap();
        assert_eq!(loaded.images.spec(), ImageSpec::new(1, 8, 8));
    }

    #[test]
    fn grey_among_colour_becomes_colour() {
        let root = folder(&["a/1.png", "a/2.png", "b/1.png"]);
        let grey = GrayImage::from_pixel(6, 4, Luma([70]));
        grey.save(root.path().join("b/0.png")).unwrap();
        let loaded = load(root.path(), Part::Training, &PLAIN).unwrap();
        assert_eq!(loaded.images.spec().channels, 3);
    }

    #[test]
    fn a_file_that_is_no_picture_is_named() {
        let root = folder(&["train/a/1.png", "train/b/1.png", "test/a/2.png"]);
        let broken = root.path().join("test/b/2.png");
        fs::create_dir_all(root.path().join("test/b")).unwrap();
        fs::write(&broken, b"nothing").unwrap();
        let sized = Options {
            input: Some(ImageSpec::CIFAR),
            ..PLAIN
        };
        for options in [PLAIN, sized] {
            let error = load(root.path(), Part::Test, &options).unwrap_err();
            assert!(
                matches!(&error, FolderError::Picture(PictureError::Format { path }) if *path == broken),
                "{error}"
            );
        }
        assert!(load(root.path(), Part::Training, &sized).is_ok());
    }
}
