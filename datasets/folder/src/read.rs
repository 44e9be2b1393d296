//! Pictures as images in memory: the shape they share, their bytes, and the
//! digest that says which files they were.

use crate::{FolderError, scan::Picture};
use kiln_vision::{ImageSpec, Images, Invert, SourceFile, picture_spec, read_picture};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// The most bytes that the pictures of one half may take in memory.
const MOST_BYTES: u128 = 16 << 30;

/// The longest side of pictures that are taken as they are.
const LONGEST_SIDE: usize = 4096;

/// The shape that all `pictures` of the folder `root` share; three channels
/// when grey ones lie among colour.
pub(crate) fn common_spec(root: &Path, pictures: &[&Picture]) -> Result<ImageSpec, FolderError> {
    let specs: Vec<ImageSpec> = pictures
        .par_iter()
        .map(|picture| picture_spec(&picture.path))
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Result<_, _>>()?;
    let Some(&first) = specs.first() else {
        return Err(FolderError::NoClasses(root.to_owned()));
    };
    let size = |spec: ImageSpec| (spec.height, spec.width);
    let text = |spec: ImageSpec| format!("{} high and {} wide", spec.height, spec.width);
    if let Some(index) = specs.iter().position(|&spec| size(spec) != size(first)) {
        return Err(FolderError::Sizes {
            first: pictures[0].path.clone(),
            first_size: text(first),
            second: pictures[index].path.clone(),
            second_size: text(specs[index]),
        });
    }
    let channels = specs.iter().map(|spec| spec.channels).max();
    let spec = ImageSpec::new(
        channels.unwrap_or(first.channels),
        first.height,
        first.width,
    );
    if spec.height.max(spec.width) > LONGEST_SIDE {
        return Err(FolderError::Large {
            path: root.to_owned(),
            spec,
        });
    }
    Ok(spec)
}

/// The `pictures` of the folder `root` converted to `spec`, in their order.
pub(crate) fn read_images(
    root: &Path,
    pictures: &[Picture],
    spec: ImageSpec,
    classes: usize,
) -> Result<Images, FolderError> {
    let bytes = pictures.len() as u128 * spec.len() as u128;
    if bytes > MOST_BYTES {
        return Err(FolderError::Memory {
            path: root.to_owned(),
            count: pictures.len(),
            spec,
            gibibytes: bytes.div_ceil(1 << 30),
        });
    }
    let mut pixels = vec![0; pictures.len() * spec.len()];
    let failure = pixels
        .par_chunks_mut(spec.len())
        .zip(pictures)
        .map(|(image, picture)| {
            image.copy_from_slice(&read_picture(&picture.path, spec, Invert::No)?);
            Ok(())
        })
        .find_map_first(|result: Result<(), FolderError>| result.err());
    if let Some(error) = failure {
        return Err(error);
    }
    let labels = pictures.iter().map(|picture| picture.label).collect();
    Ok(Images::new(spec, pixels, labels, classes).expect("one label per picture"))
}

/// One entry that stands for all `pictures`: their bytes together, and the
/// SHA-256 over the name (below `root`, with `/`) and the SHA-256 of each.
pub(crate) fn digest(root: &Path, pictures: &[&Picture]) -> Result<SourceFile, FolderError> {
    let digests: Vec<_> = pictures
        .par_iter()
        .map(|picture| {
            let bytes = fs::read(&picture.path)
                .map_err(|error| FolderError::from_system(&picture.path, error))?;
            Ok((bytes.len() as u64, Sha256::digest(bytes)))
        })
        .collect::<Vec<Result<_, FolderError>>>();
    let (mut total, mut hasher) = (0_u64, Sha256::new());
    for (picture, digest) in pictures.iter().zip(digests) {
        let (bytes, digest) = digest?;
        total += bytes;
        let name = picture.path.strip_prefix(root).unwrap_or(&picture.path);
        let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        hasher.update(parts.join("/").as_bytes());
        hasher.update([0]);
        hasher.update(digest);
    }
    let hexadecimal = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(SourceFile {
        name: "*".to_owned(),
        bytes: total,
        sha256: hexadecimal,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn more_pictures_than_fit_into_memory_are_refused_before_reading() {
        let picture = Picture {
            path: "none.png".into(),
            label: 0,
        };
        let pictures = vec![picture; 1000];
        let error = read_images(
            Path::new("big"),
            &pictures,
            ImageSpec::new(3, 4096, 4096),
            2,
        );
        assert!(matches!(
            error,
            Err(FolderError::Memory { gibibytes: 47, .. })
        ));
    }

    #[test]
    fn the_digest_covers_names_and_bytes() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = root.path().join(name);
            fs::write(&path, bytes).unwrap();
            Picture { path, label: 0 }
        };
        let digest = |picture: Picture| digest(root.path(), &[&picture]).unwrap();
        let base = digest(write("a.png", b"12"));
        assert_eq!(base.bytes, 2);
        assert_eq!(base.sha256.len(), 64);
        assert_ne!(base.sha256, digest(write("a.png", b"13")).sha256);
        assert_ne!(base.sha256, digest(write("b.png", b"12")).sha256);
        assert_eq!(base, digest(write("a.png", b"12")));
    }
}
