//! Random changes of images before they are shown, on bytes: each is a
//! function of the seed, the epoch and the image's index.

mod affine;
mod canvas;
mod colour;
mod elastic;
mod error;
mod operation;
mod place;
mod preset;
mod rand_augment;
mod table;
#[cfg(test)]
mod tests;
mod warp;

pub use canvas::Scratch;
pub use error::AugmentError;
pub use operation::Operation;
pub use preset::{Augmentation, Look};

use crate::{EpochKey, ImageSpec};
use canvas::Canvas;
use std::fmt;

/// What the randomness of one image depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageKey {
    /// Seed and epoch.
    pub epoch: EpochKey,
    /// Index of the image in its data set.
    pub index: u32,
}

/// Operations that are done to each image, in order.
///
/// Neighbours among shift, rotation, scale, shear and elastic distortion are
/// one map, after which every pixel is interpolated once.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    operations: Vec<Operation>,
    look: Look,
}

impl Pipeline {
    /// `operations` on images that look as `look` says.
    ///
    /// # Errors
    /// When one of them mirrors what must not be mirrored.
    pub fn new(operations: Vec<Operation>, look: Look) -> Result<Self, AugmentError> {
        let wrong = operations.iter().find(|operation| operation.mirrors());
        match wrong {
            Some(operation) if !look.may_be_mirrored() => Err(AugmentError::Mirrored {
                operation: operation.to_string(),
            }),
            _ => Ok(Self { operations, look }),
        }
    }

    /// Whether mirrored images are shown.
    pub fn mirrors(&self) -> bool {
        self.operations.iter().any(Operation::mirrors)
    }

    /// Changes one image, bytes of the shape `spec` in the order channel, row,
    /// column.
    ///
    /// # Panics
    /// When `pixels` is not an image of that shape.
    pub fn apply(&self, pixels: &mut [u8], spec: ImageSpec, key: ImageKey, scratch: &mut Scratch) {
        assert_eq!(pixels.len(), spec.len(), "an image of {spec}");
        let mut canvas = Canvas::new(pixels, spec, key, self.look, scratch);
        for operation in &self.operations {
            operation.apply(&mut canvas);
        }
        canvas.settle();
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        operation::write_list(&self.operations, f)
    }
}
