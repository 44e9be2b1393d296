//! Where the pixels of an image stand: in order, or at other places that are
//! the same for all images and channels.

use crate::{
    ImageSpec, Images,
    draw::{Draw, Purpose},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The seed of every arrangement: the same pixels change places in every run.
const SEED: u64 = 1;

/// How the pixels of images are arranged: `in-order`, `shuffled`, or
/// `shuffled:N` within blocks of N by N pixels, of which the last of a row or
/// column may be smaller.
///
/// A shuffled image holds all that the image held, but neighbours are
/// neighbours no longer. Which place a pixel takes is a function of the shape
/// alone, so that training, validation and test images are shuffled alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Arrangement {
    /// As they are.
    #[default]
    InOrder,
    /// Over the whole image.
    Shuffled,
    /// Within blocks of so many rows and columns.
    Blocks(usize),
}

/// A text that is no arrangement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no arrangement of pixels; write in-order, shuffled, or shuffled:N for blocks of N by N with N from 2 to 4096"
)]
pub struct ArrangementError(String);

impl Arrangement {
    /// For each place of a plane, row by row, which place its pixel comes
    /// from: a permutation.
    pub fn places(self, spec: ImageSpec) -> Vec<usize> {
        let side = match self {
            Self::InOrder => 1,
            Self::Shuffled => spec.height.max(spec.width),
            Self::Blocks(side) => side,
        };
        let mut places: Vec<_> = (0..spec.height * spec.width).collect();
        let starts = |length: usize| (0..length).step_by(side);
        for (number, (top, left)) in starts(spec.height)
            .flat_map(|top| starts(spec.width).map(move |left| (top, left)))
            .enumerate()
        {
            let rows = top..(top + side).min(spec.height);
            let columns = left..(left + side).min(spec.width);
            let block: Vec<_> = rows
                .flat_map(|row| columns.clone().map(move |column| row * spec.width + column))
                .collect();
            let mut from = block.clone();
            let mut draw = Draw::keyed(SEED, Purpose::Arrangement, side as u64, number as u64);
            draw.shuffle(&mut from);
            for (to, from) in block.into_iter().zip(from) {
                places[to] = from;
            }
        }
        places
    }

    /// The images with their pixels at these places.
    pub fn arranged(self, images: Images) -> Images {
        if self == Self::InOrder {
            return images;
        }
        let places = self.places(images.spec());
        images.map(images.spec(), |image, pixels| {
            arrange(&places, image, pixels)
        })
    }

    /// One image of the shape `spec`, in the order channel, row, column.
    ///
    /// # Panics
    /// When `image` is not an image of that shape.
    pub fn arranged_pixels(self, image: &[u8], spec: ImageSpec) -> Vec<u8> {
        assert_eq!(image.len(), spec.len(), "an image of {spec}");
        let mut pixels = Vec::with_capacity(image.len());
        arrange(&self.places(spec), image, &mut pixels);
        pixels
    }
}

/// Appends every plane of an image, its pixels taken from `places`.
fn arrange(places: &[usize], image: &[u8], pixels: &mut Vec<u8>) {
    for plane in image.chunks(places.len()) {
        pixels.extend(places.iter().map(|&from| plane[from]));
    }
}

impl FromStr for Arrangement {
    type Err = ArrangementError;

    fn from_str(text: &str) -> Result<Self, ArrangementError> {
        let wrong = || ArrangementError(text.to_owned());
        match text.trim().to_lowercase().replace('_', "-").as_str() {
            "in-order" => Ok(Self::InOrder),
            "shuffled" => Ok(Self::Shuffled),
            blocks => match blocks.strip_prefix("shuffled:").map(str::parse) {
                Some(Ok(side @ 2..=4096)) => Ok(Self::Blocks(side)),
                _ => Err(wrong()),
            },
        }
    }
}

impl fmt::Display for Arrangement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InOrder => f.write_str("in-order"),
            Self::Shuffled => f.write_str("shuffled"),
            Self::Blocks(side) => write!(f, "shuffled:{side}"),
        }
    }
}

impl TryFrom<String> for Arrangement {
    type Error = ArrangementError;

    fn try_from(text: String) -> Result<Self, ArrangementError> {
        text.parse()
    }
}

impl From<Arrangement> for String {
    fn from(arrangement: Arrangement) -> Self {
        arrangement.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: ImageSpec = ImageSpec::new(3, 10, 7);

    #[test]
    fn every_arrangement_is_a_permutation_that_only_the_shape_decides() {
        for arrangement in [
            Arrangement::InOrder,
            Arrangement::Shuffled,
            Arrangement::Blocks(4),
        ] {
            let mut places = arrangement.places(SPEC);
            assert_eq!(places, arrangement.places(SPEC));
            let moved = places.iter().enumerate().any(|(to, from)| to != *from);
            assert_eq!(moved, arrangement != Arrangement::InOrder);
            places.sort_unstable();
            assert_eq!(places, (0..70).collect::<Vec<_>>());
        }
    }

    #[test]
    fn pixels_stay_in_their_block_and_each_block_has_its_own_order() {
        let places = Arrangement::Blocks(4).places(ImageSpec::MNIST);
        let block = |place: usize| (place / 28 / 4, place % 28 / 4);
        for (to, from) in places.iter().enumerate() {
            assert_eq!(block(to), block(*from));
        }
        let moves = |left: usize| -> Vec<usize> {
            let rows = (0..4).flat_map(|row| (0..4).map(move |column| row * 28 + column));
            rows.map(|place| places[place + left] - left).collect()
        };
        assert_ne!(moves(0), moves(4));
    }

    #[test]
    fn the_inverse_brings_every_channel_back() {
        let image: Vec<u8> = (0..SPEC.len() as u8).collect();
        let arrangement = Arrangement::Shuffled;
        let shuffled = arrangement.arranged_pixels(&image, SPEC);
        assert_ne!(shuffled, image);
        let places = arrangement.places(SPEC);
        let mut back = vec![0; image.len()];
        for channel in 0..3 {
            for (to, from) in places.iter().enumerate() {
                back[channel * 70 + from] = shuffled[channel * 70 + to];
            }
        }
        assert_eq!(back, image);
        let images = Images::new(SPEC, [image.clone(), image].concat(), vec![0, 1], 2);
        let images = arrangement.arranged(images.expect("two images"));
        assert_eq!(images.pixels(1), shuffled);
        assert_eq!(images.labels(), [0, 1]);
    }

    #[test]
    fn texts_are_read_and_written_and_others_refused() {
        for text in ["in-order", "shuffled", "shuffled:4"] {
            let read: Arrangement = text.parse().expect(text);
            assert_eq!(read.to_string(), text);
        }
        for text in ["", "shuffle", "shuffled:", "shuffled:1", "shuffled:x"] {
            let error = text.parse::<Arrangement>().expect_err(text);
            assert!(error.to_string().contains("write in-order"), "{error}");
        }
    }
}
