//! Labelled images in memory, as bytes, and where they came from.

use crate::ImageSpec;
use serde::{Deserialize, Serialize};

/// Labelled images of one shape, as bytes in the order channel, row, column.
#[derive(Clone, PartialEq, Eq)]
pub struct Images {
    spec: ImageSpec,
    pixels: Vec<u8>,
    labels: Vec<u16>,
}

/// Why bytes and labels are not a set of images.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImagesError {
    /// The number of pixels is not that of the labels times the image's size.
    #[error("{labels} labels but {bytes} bytes of pixels, which is not {labels} images of {spec}")]
    Length {
        /// Shape of one image.
        spec: ImageSpec,
        /// Bytes given.
        bytes: usize,
        /// Labels given.
        labels: usize,
    },
    /// A label names no class.
    #[error("the label of image {index} is {label}, but the classes are 0 to {last}")]
    Label {
        /// Position of the image, from 0.
        index: usize,
        /// The label found there.
        label: u16,
        /// The largest label allowed.
        last: usize,
    },
}

impl Images {
    /// Images of the shape `spec`: `pixels` holds them one after the other,
    /// each as channel, row, column; `labels` holds one class each, below
    /// `classes`.
    ///
    /// # Errors
    /// When the lengths do not agree or a label names no class.
    pub fn new(
        spec: ImageSpec,
        pixels: Vec<u8>,
        labels: Vec<u16>,
        classes: usize,
    ) -> Result<Self, ImagesError> {
        if pixels.len() != labels.len() * spec.len() {
            return Err(ImagesError::Length {
                spec,
                bytes: pixels.len(),
                labels: labels.len(),
            });
        }
        match labels.iter().position(|&label| label as usize >= classes) {
            Some(index) => Err(ImagesError::Label {
                index,
                label: labels[index],
                last: classes.saturating_sub(1),
            }),
            None => Ok(Self {
                spec,
                pixels,
                labels,
            }),
        }
    }

    /// Shape of every image.
    pub fn spec(&self) -> ImageSpec {
        self.spec
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The bytes of image `index` in the order channel, row, column.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn pixels(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.spec.len()..][..self.spec.len()]
    }

    /// The bytes of all images, one after the other.
    pub fn bytes(&self) -> &[u8] {
        &self.pixels
    }

    /// The class of image `index`.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn label(&self, index: usize) -> u16 {
        self.labels[index]
    }

    /// The classes of all images, in order.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// Images of the shape `spec`, each made of one of these: `append` is given
    /// its bytes and adds those of the new image.
    ///
    /// # Panics
    /// When `append` does not add an image of that shape.
    pub fn map(&self, spec: ImageSpec, append: impl Fn(&[u8], &mut Vec<u8>)) -> Self {
        let mut pixels = Vec::with_capacity(self.len() * spec.len());
        for index in 0..self.len() {
            append(self.pixels(index), &mut pixels);
            assert_eq!(pixels.len(), (index + 1) * spec.len(), "an image of {spec}");
        }
        Self {
            spec,
            pixels,
            labels: self.labels.clone(),
        }
    }

    /// The images moved down and to the right by whole pixels, or up and to the
    /// left by negative ones; `blank` comes in at the other edge.
    pub fn shifted(&self, [down, right]: [isize; 2], blank: u8) -> Self {
        let ImageSpec { height, width, .. } = self.spec;
        let from = |to: usize, by: isize, side: usize| {
            let from = to.checked_add_signed(by.checked_neg()?)?;
            (from < side).then_some(from)
        };
        self.map(self.spec, |image, pixels| {
            for plane in image.chunks(height * width) {
                for row in 0..height {
                    let row = from(row, down, height);
                    pixels.extend((0..width).map(|column| {
                        let place = row.zip(from(column, right, width));
                        place.map_or(blank, |(row, column)| plane[row * width + column])
                    }));
                }
            }
        })
    }
}

impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} images of {}", self.len(), self.spec)
    }
}

/// The two halves of a data set that are never read together: the training
/// half, from which validation images are taken, and the test half, which
/// evaluation alone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The official training images.
    Training,
    /// The official test images.
    Test,
}

/// A file that images were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Name in the data set's folder.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
}

/// Where images came from, as every manifest and report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Whether these are the published bytes (or drawn by this program).
    pub official: bool,
    /// One line: "official files", "drawn by kiln, seed 1", or where an
    /// unofficial copy comes from.
    pub note: String,
    /// The files read, if any.
    pub files: Vec<SourceFile>,
}

/// One half of a data set, in memory.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The data set's name as the user may type it again.
    pub name: String,
    /// The names of the classes, by label.
    pub classes: Vec<String>,
    /// The images asked for.
    pub images: Images,
    /// Validation images, when the data set brings its own (a folder with
    /// `val/`); otherwise they are taken from the training images.
    pub validation: Option<Images>,
    /// Where the images came from.
    pub source: Source,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_labels_are_checked() {
        let spec = ImageSpec::new(1, 2, 2);
        assert!(Images::new(spec, vec![0; 8], vec![0, 1], 2).is_ok());
        assert!(matches!(
            Images::new(spec, vec![0; 7], vec![0, 1], 2),
            Err(ImagesError::Length { bytes: 7, .. })
        ));
        assert!(matches!(
            Images::new(spec, vec![0; 8], vec![0, 2], 2),
            Err(ImagesError::Label {
                index: 1,
                label: 2,
                last: 1
            })
        ));
    }

    #[test]
    fn shifted_images_leave_blank_what_was_not_there() {
        let spec = ImageSpec::new(1, 2, 3);
        let images = Images::new(spec, vec![1, 2, 3, 4, 5, 6], vec![0], 1).expect("an image");
        for (shift, expected) in [
            ([0, 0], [1, 2, 3, 4, 5, 6]),
            ([1, 0], [9, 9, 9, 1, 2, 3]),
            ([0, -1], [2, 3, 9, 5, 6, 9]),
            ([-1, 2], [9, 9, 4, 9, 9, 9]),
            ([0, 3], [9; 6]),
        ] {
            assert_eq!(images.shifted(shift, 9).bytes(), expected, "{shift:?}");
        }
    }

    #[test]
    fn an_image_is_its_own_bytes() {
        let images = Images::new(ImageSpec::new(1, 1, 2), vec![1, 2, 3, 4], vec![0, 1], 2)
            .expect("valid images");
        assert_eq!(images.pixels(1), [3, 4]);
        assert_eq!(images.label(1), 1);
    }
}
