//! One picture from a file, converted to the shape that a network takes. It
//! decodes and converts; which pictures to read is for others to decide.
//!
//! The conversion, in this order:
//!
//! 1. The camera's orientation (EXIF) is applied, 16 bits become 8, and
//!    transparency is laid on white.
//! 2. For one channel, a pixel's grey is its luma after Rec. 601, that is
//!    0.299 red + 0.587 green + 0.114 blue; for three, grey is repeated.
//! 3. The picture is scaled with a triangle filter (which averages when it
//!    shrinks) to the largest size that fits inside the target with its
//!    proportions kept; one that already has the target's size is not touched.
//! 4. It is centred, and what remains is filled with the median colour of its
//!    border.
//! 5. It is inverted if [`Invert`] says so.

use crate::ImageSpec;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage, imageops,
    imageops::FilterType, metadata::Orientation,
};
use std::{
    fs,
    io::{self, BufReader},
    path::{Path, PathBuf},
    str::FromStr,
};

/// The most pixels a picture may have.
const MOST_PIXELS: u64 = 100_000_000;

/// Bytes that decoding may take beside the file: enough for every picture of
/// [`MOST_PIXELS`] with 16 bits and transparency.
const MOST_BYTES: u64 = 1 << 30;

/// Whether a picture is inverted after it is read: networks that learned white
/// digits on black want their digits so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Invert {
    /// Invert pictures with one channel whose border is bright (its median
    /// above 127), never colour.
    #[default]
    Auto,
    /// Invert every picture.
    Yes,
    /// Invert none.
    No,
}

/// A text that is no [`Invert`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' does not say whether to invert; write auto, yes or no")]
pub struct InvertError(String);

impl FromStr for Invert {
    type Err = InvertError;

    fn from_str(text: &str) -> Result<Self, InvertError> {
        match text {
            "auto" => Ok(Self::Auto),
            "yes" => Ok(Self::Yes),
            "no" => Ok(Self::No),
            _ => Err(InvertError(text.to_owned())),
        }
    }
}

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

/// The picture at `path` as bytes of the shape `spec`, in the order channel,
/// row, column, converted as the head of this module describes.
///
/// # Errors
/// When there is no such file or it is no picture of a sensible size.
pub fn read_picture(path: &Path, spec: ImageSpec, invert: Invert) -> Result<Vec<u8>, PictureError> {
    let picture = decode(path)?;
    Ok(convert(&lay_on_white(picture), spec, invert))
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
    let orientation = orientation(&mut decoder);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| refusal(path, error))?;
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
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            PictureError::Missing { path: owned() }
        }
        _ => PictureError::Unreadable {
            path: owned(),
            source,
        },
    };
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
        .map_err(|error| refusal(path, error))?;
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

/// What a decoder's error means for the file at `path`.
fn refusal(path: &Path, error: ImageError) -> PictureError {
    let path = path.to_owned();
    match error {
        ImageError::Unsupported(_) => PictureError::Format { path },
        error => PictureError::Damaged {
            path,
            reason: error.to_string(),
        },
    }
}

/// Eight bits of red, green and blue, with transparency laid on white.
fn lay_on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |column, row| {
        let [red, green, blue, alpha] = picture.get_pixel(column, row).0.map(u32::from);
        let mix = |value: u32| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        image::Rgb([red, green, blue].map(mix))
    })
}
