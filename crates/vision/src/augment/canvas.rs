//! One image while it is changed.

use super::{ImageKey, Look, affine::Affine, elastic};
use crate::{
    ImageSpec,
    draw::{Draw, Purpose},
};

/// Room that is used again from image to image.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The image before an operation, perhaps with a border.
    pub(super) source: Vec<u8>,
    /// Where the pixels of a row come from.
    pub(super) taps: Vec<super::warp::Tap>,
    /// Displacements of an elastic distortion, to the right and down in turn.
    pub(super) field: Vec<f32>,
    /// For smoothing them.
    pub(super) smooth: elastic::Smoothing,
}

/// One image, the operations' randomness, and the map that waits until
/// something else than a map comes.
pub(super) struct Canvas<'a> {
    pub pixels: &'a mut [u8],
    pub spec: ImageSpec,
    pub key: ImageKey,
    pub look: Look,
    pub draw: Draw,
    pub scratch: &'a mut Scratch,
    map: Option<Affine>,
    distorted: bool,
}

impl<'a> Canvas<'a> {
    pub fn new(
        pixels: &'a mut [u8],
        spec: ImageSpec,
        key: ImageKey,
        look: Look,
        scratch: &'a mut Scratch,
    ) -> Self {
        let purpose = Purpose::Augmentation;
        Self {
            pixels,
            spec,
            key,
            look,
            draw: Draw::keyed(key.epoch.seed, purpose, key.epoch.epoch, key.index.into()),
            scratch,
            map: None,
            distorted: false,
        }
    }

    /// Adds `map` to the one that waits.
    pub fn transform(&mut self, map: Affine) {
        self.map = Some(self.map.unwrap_or(Affine::IDENTITY).then(map));
    }

    /// Adds an elastic distortion to the map that waits; it displaces the
    /// pixels of the map's result, whatever comes first.
    pub fn distort(&mut self, alpha: f32, sigma: f32) {
        if self.distorted {
            self.settle();
        }
        let Scratch { field, smooth, .. } = &mut *self.scratch;
        let size = (self.spec.width, self.spec.height);
        elastic::field(field, size, (alpha, sigma), &mut self.draw, smooth);
        self.map.get_or_insert(Affine::IDENTITY);
        self.distorted = true;
    }

    /// Carries the map out that waits, if one does.
    pub fn settle(&mut self) {
        if let Some(map) = self.map.take() {
            super::warp::warp(self.pixels, self.spec, &map, self.distorted, self.scratch);
            self.distorted = false;
        }
    }

    /// Copies the image to the scratch, for an operation that moves pixels.
    pub fn copy(&mut self) {
        self.scratch.source.clear();
        self.scratch.source.extend_from_slice(self.pixels);
    }
}
