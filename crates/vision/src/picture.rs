//! One picture from a file, converted to the shape that a network takes. It
//! decodes and converts; which pictures to read is for others to decide.

mod convert;
mod error;
mod invert;
mod jpeg;

pub use error::PictureError;
pub use invert::{Invert, InvertError};

use crate::ImageSpec;
use convert::convert;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, metadata::Orientation};
use std::{fs, io::BufReader, path::Path};

/// The most pixels a picture may have.
const MOST_PIXELS: u64 = 100_000_000;

/// Bytes that decoding may take beside the file: enough for every picture of
/// [`MOST_PIXELS`] with 16 bits and transparency.
const MOST_BYTES: u64 = 1 << 30;

/// The picture at `path` as bytes of the shape `spec`, in the order channel,
/// row, column.
///
/// The conversion, in this order:
///
/// 1. The camera's orientation (EXIF) is applied, 16 bits become 8, and
///    transparency is laid on white.
/// 2. For one channel, a pixel's grey is its luma after Rec. 601, that is
///    0.299 red + 0.587 green + 0.114 blue; for three, grey is repeated.
/// 3. The picture is scaled with a triangle filter (which averages when it
///    shrinks) to the largest size that fits inside the target with its
///    proportions kept; one that already has the target's size is not touched.
/// 4. It is centred, and what remains is filled with the median colour of its
///    border.
/// 5. It is inverted if [`Invert`] says so.
///
/// # Errors
/// When there is no such file or it is no picture of a sensible size.
pub fn read_picture(path: &Path, spec: ImageSpec, invert: Invert) -> Result<Vec<u8>, PictureError> {
    Ok(convert(decode(path)?, spec, invert))
}

/// The shape of the picture at `path` as it would be read with its own size:
/// one channel when it holds grey, otherwise three. Only its head is decoded.
///
/// # Errors
/// When there is no such file or it is no picture of a sensible size.
pub fn picture_spec(path: &Path) -> Result<ImageSpec, PictureError> {
    let mut decoder = open(path)?;
    let channels = if decoder.color_type().has_color() {
        3
    } else {
        1
    };
    let (width, height) = decoder.dimensions();
    let (width, height) = match orientation(&mut decoder) {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    };
    Ok(ImageSpec::new(channels, height as usize, width as usize))
}

/// The pixels of the picture at `path`, the right way up.
fn decode(path: &Path) -> Result<DynamicImage, PictureError> {
    let mut decoder = open(path)?;
    if jpeg::is_cut_short(path).map_err(|error| PictureError::from_system(path, error))? {
        return Err(PictureError::Damaged {
            path: path.to_owned(),
            reason: "its end is missing".to_owned(),
        });
    }
    let orientation = orientation(&mut decoder);
    let mut picture = DynamicImage::from_decoder(decoder)
        .map_err(|error| PictureError::from_decoder(path, error))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The orientation a camera noted; none when it is unreadable.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

/// A decoder that has read the head of the file and found a sensible size.
fn open(path: &Path) -> Result<impl ImageDecoder, PictureError> {
    let owned = || path.to_owned();
    let unreadable = |source| PictureError::from_system(path, source);
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(PictureError::NotAFile { path: owned() });
    }
    let file = BufReader::new(fs::File::open(path).map_err(unreadable)?);
    let mut reader = ImageReader::new(file)
        .with_guessed_format()
        .map_err(unreadable)?;
    if reader.format().is_none() {
        return Err(PictureError::Format { path: owned() });
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let decoder = reader
        .into_decoder()
        .map_err(|error| PictureError::from_decoder(path, error))?;
    let (width, height) = decoder.dimensions();
    match u64::from(width) * u64::from(height) {
        0 => Err(PictureError::Empty {
            path: owned(),
            width,
            height,
        }),
        1..=MOST_PIXELS => Ok(decoder),
        _ => Err(PictureError::TooLarge {
            path: owned(),
            width,
            height,
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use image::{ImageFormat, Rgb, RgbImage};
    use std::path::PathBuf;

    const SPEC: ImageSpec = ImageSpec::new(3, 8, 8);

    /// A folder of one test, removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let name = format!("kiln-picture-{}-{test}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, bytes).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let picture = RgbImage::from_fn(40, 24, |column, row| {
            Rgb([column as u8 * 6, row as u8 * 10, (column * row % 251) as u8])
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_is_read_whatever_the_name_says() {
        let folder = Folder::new("formats");
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm] {
            let path = folder.write("picture.bin", &encoded(format));
            assert_eq!(
                read_picture(&path, SPEC, Invert::No).unwrap().len(),
                SPEC.len()
            );
            assert_eq!(picture_spec(&path).unwrap(), ImageSpec::new(3, 24, 40));
        }
        let path = folder.write("grey.pgm", b"P5 2 1 255 \x07\x09");
        assert_eq!(picture_spec(&path).unwrap(), ImageSpec::new(1, 1, 2));
        let read = read_picture(&path, ImageSpec::new(1, 1, 2), Invert::No);
        assert_eq!(read.unwrap(), [7, 9]);
    }

    #[test]
    fn a_file_cut_short_is_damaged() {
        let folder = Folder::new("short");
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm] {
            let bytes = encoded(format);
            for length in [bytes.len() / 2, bytes.len() * 9 / 10] {
                let path = folder.write("picture", &bytes[..length]);
                let error = read_picture(&path, SPEC, Invert::No).unwrap_err();
                assert!(
                    matches!(error, PictureError::Damaged { .. }),
                    "{format:?} {error}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_picture_is_refused_by_name() {
        let folder = Folder::new("refused");
        let text = folder.write("notes.png", b"not a picture at all");
        let nothing = folder.write("nothing.png", b"");
        let gif = folder.write("moving.png", b"GIF89a\x01\x00\x01\x00\x00\x00\x00");
        for path in [text, nothing, gif] {
            let error = read_picture(&path, SPEC, Invert::No).unwrap_err();
            assert!(matches!(error, PictureError::Format { .. }), "{error}");
            assert!(error.to_string().contains(&*path.to_string_lossy()));
        }
        let missing = read_picture(&folder.0.join("none.png"), SPEC, Invert::No);
        assert!(matches!(missing, Err(PictureError::Missing { .. })));
        let within = folder.write("a.png", b"x").join("b.png");
        let missing = read_picture(&within, SPEC, Invert::No);
        assert!(matches!(missing, Err(PictureError::Missing { .. })));
        let directory = read_picture(&folder.0, SPEC, Invert::No);
        assert!(matches!(directory, Err(PictureError::NotAFile { .. })));
    }

    #[test]
    fn sizes_without_sense_are_refused_before_decoding() {
        let folder = Folder::new("sizes");
        let path = folder.write("large.ppm", b"P6 20000 20000 255 \x00");
        let large = read_picture(&path, SPEC, Invert::No);
        assert!(matches!(
            large,
            Err(PictureError::TooLarge { width: 20000, .. })
        ));
        let path = folder.write("empty.ppm", b"P6 0 5 255 ");
        let error = read_picture(&path, SPEC, Invert::No).unwrap_err();
        assert!(
            matches!(
                error,
                PictureError::Empty { .. } | PictureError::Damaged { .. }
            ),
            "{error}"
        );
    }
}
