//! Which parts of an image the score of a class depends on: by covering them,
//! and by its derivative.

use super::{
    Inside, NotDrawn,
    inside::percent,
    paint::{self, THUMBNAIL},
};
use crate::LabError;
use kiln_figures::{ColourMap, ColourScale, Grid, Pixels, Section, Tile, tile_size};
use kiln_models::input_gradient;
use kiln_vision::ImageSpec;

/// Pixels of a picture on the sheet, about.
pub(super) const SIZE: f64 = 224.0;

/// A patch that is slid over an image.
#[derive(Clone, Copy, Debug)]
struct Patch {
    spec: ImageSpec,
    /// Rows and columns that it covers.
    side: [usize; 2],
    /// From one place to the next.
    stride: [usize; 2],
}

impl Patch {
    /// A seventh of the image, moved by a quarter of itself.
    fn over(spec: ImageSpec) -> Self {
        let side = [spec.height, spec.width].map(|side| ((side + 3) / 7).max(1));
        Self {
            spec,
            side,
            stride: side.map(|side| (side / 4).max(1)),
        }
    }

    /// Places in a column and in a row.
    fn places(&self) -> [usize; 2] {
        [
            self.spec.height.div_ceil(self.stride[0]),
            self.spec.width.div_ceil(self.stride[1]),
        ]
    }

    /// The rows and columns that it covers at a place: around the pixel there,
    /// as far as the image goes.
    fn covers(&self, at: usize) -> [std::ops::Range<usize>; 2] {
        let columns = self.places()[1];
        let ends = [self.spec.height, self.spec.width];
        std::array::from_fn(|axis| {
            let place = [at / columns, at % columns][axis];
            let middle = place * self.stride[axis] + self.stride[axis] / 2;
            let first = middle.saturating_sub(self.side[axis] / 2);
            let last = (middle + self.side[axis].div_ceil(2)).min(ends[axis]);
            first.min(ends[axis] - 1)..last
        })
    }

    /// The image with the patch on it, in the mean colour of the image.
    fn cover(&self, image: &[f32], at: usize) -> Vec<f32> {
        let [rows, columns] = self.covers(at);
        let plane = self.spec.height * self.spec.width;
        let mut covered = image.to_vec();
        for channel in covered.chunks_mut(plane) {
            let mean = channel.iter().sum::<f32>() / plane as f32;
            for row in rows.clone() {
                channel[row * self.spec.width..][columns.clone()].fill(mean);
            }
        }
        covered
    }
}

/// The probability of a class while a patch of a seventh of the side, in the
/// mean colour of the image, covers each part of it (M. D. Zeiler, R. Fergus,
/// "Visualizing and understanding convolutional networks", ECCV 2014, section
/// 4.2 and figure 6).
///
/// # Errors
/// When the image cannot be had or the backend fails.
pub fn occlusion(inside: &Inside) -> Result<Grid, NotDrawn> {
    let (shown, class) = (inside.shown()?, inside.class()?);
    let spec = inside.manifest.input;
    let patch = Patch::over(spec);
    let classes = inside.manifest.classes.len();
    let found = covered_probabilities(&shown.values, patch, |images| {
        let found = inside.probabilities(images)?;
        let own = found.chunks(classes).map(|found| found[class]);
        Ok(own.collect())
    })?;
    let least = (0..found.len()).fold(
        0,
        |least, at| if found[at] < found[least] { at } else { least },
    );
    let name = &inside.manifest.classes[class];
    let [rows, columns] = patch.covers(least);
    let (height, width) = (spec.height as f64, spec.width as f64);
    let mut image = Tile::new(
        paint::image(&shown.pixels, spec),
        "where covering it matters most",
    );
    image.frame = Some([
        columns.start as f64 / width,
        rows.start as f64 / height,
        columns.len() as f64 / width,
        rows.len() as f64 / height,
    ]);
    let low = found[least];
    let high = found.iter().copied().fold(low, f32::max);
    let range = [low, if high > low { high } else { low + 1e-6 }].map(f64::from);
    let scale = ColourScale::new(
        ColourMap::Sequential,
        range,
        &format!("probability of {name}"),
    );
    let map = Pixels::of_values(patch.places()[1], &found, &scale);
    let mut notes = inside.image_notes()?;
    notes.push(format!(
        "A patch of {}x{} pixels in the mean colour of the image is laid around each place; the map shows the probability of {name} then. Without a patch it is {}.",
        patch.side[0],
        patch.side[1],
        percent(shown.probabilities[class].into())
    ));
    let tiles = vec![image, Tile::new(map, "probability with the patch there")];
    let size = tile_size(spec.width, spec.height, SIZE);
    Ok(Grid {
        title: inside.title(&format!("Occlusion, class {name}")),
        notes,
        sections: vec![Section::new("", size, tiles).scaled(scale)],
    })
}

/// What `score` says of the image with the patch at each place.
fn covered_probabilities(
    image: &[f32],
    patch: Patch,
    score: impl Fn(&[f32]) -> Result<Vec<f32>, LabError>,
) -> Result<Vec<f32>, LabError> {
    /// Covered images at a time.
    const TOGETHER: usize = 100;
    let [rows, columns] = patch.places();
    let places: Vec<_> = (0..rows * columns).collect();
    let mut found = Vec::with_capacity(places.len());
    for places in places.chunks(TOGETHER) {
        let covered: Vec<f32> = places
            .iter()
            .flat_map(|at| patch.cover(image, *at))
            .collect();
        found.extend(score(&covered)?);
    }
    Ok(found)
}

/// The largest derivative over the channels of the class score by each pixel,
/// without its sign (K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside
/// convolutional networks", ICLR 2014 workshop, section 3.1); of an image of
/// one channel also with it. Pixels are counted from 0 to 1.
///
/// # Errors
/// When the image cannot be had.
pub fn saliency(inside: &Inside) -> Result<Grid, NotDrawn> {
    let (shown, class) = (inside.shown()?, inside.class()?);
    let spec = inside.manifest.input;
    let image = inside.tensor(shown.values.clone());
    let gradient = inside.work(|network| input_gradient(network, image, &[class]));
    let values: Vec<f32> = gradient.iter::<f32>().collect();
    let gradient = by_pixel(&values, &inside.manifest.normalization.std);
    let largest = over_channels(&gradient, spec);
    let size = tile_size(spec.width, spec.height, SIZE);
    let scale = ColourScale::over(&largest, "score per unit of brightness");
    let map = Pixels::of_values(spec.width, &largest, &scale);
    let picture = paint::image(&shown.pixels, spec).shrunk(4 * THUMBNAIL);
    let mut sections = vec![
        Section::new(
            "Magnitude, the largest over the channels",
            size,
            vec![Tile::new(picture, "image"), Tile::new(map, "magnitude")],
        )
        .scaled(scale),
    ];
    if spec.channels == 1 {
        let scale = ColourScale::over(&gradient, "score per unit of brightness");
        let map = Pixels::of_values(spec.width, &gradient, &scale);
        let tile = Tile::new(map, "red: brighter pixels speak for the class");
        sections.push(Section::new("With its sign", size, vec![tile]).scaled(scale));
    }
    let name = &inside.manifest.classes[class];
    let mut notes = inside.image_notes()?;
    notes.push(format!(
        "Derivative of the score of {name}, before the softmax, by each pixel."
    ));
    Ok(Grid {
        title: inside.title(&format!("Gradient saliency, class {name}")),
        notes,
        sections,
    })
}

/// Derivatives by pixels from 0 to 1 from those by normalised values.
fn by_pixel(gradient: &[f32], std: &[f32]) -> Vec<f32> {
    let planes = gradient.chunks(gradient.len() / std.len()).zip(std);
    planes
        .flat_map(|(plane, std)| plane.iter().map(move |value| value / std))
        .collect()
}

fn over_channels(gradient: &[f32], spec: ImageSpec) -> Vec<f32> {
    let plane = spec.height * spec.width;
    let largest = |at: usize| {
        let channels = gradient[at..].iter().step_by(plane);
        channels.fold(0.0, |largest: f32, value| largest.max(value.abs()))
    };
    (0..plane).map(largest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covering_finds_the_only_pixels_that_matter() {
        let spec = ImageSpec::new(1, 14, 14);
        let patch = Patch::over(spec);
        assert_eq!(
            (patch.side, patch.stride, patch.places()),
            ([2, 2], [1, 1], [14, 14])
        );
        // Bright at row 5, columns 8 and 9; the score is their sum.
        let mut image = vec![0.0; 196];
        image[5 * 14 + 8] = 1.0;
        image[5 * 14 + 9] = 1.0;
        let score = |images: &[f32]| -> Result<Vec<f32>, LabError> {
            let sum = |image: &[f32]| image[5 * 14 + 8] + image[5 * 14 + 9];
            Ok(images.chunks(196).map(sum).collect())
        };
        let found = covered_probabilities(&image, patch, score).expect("scores");
        let whole = found.iter().filter(|score| **score == 2.0).count();
        // A patch of 2x2 covers both at 2 places, and one of them at 4.
        assert_eq!(whole, 196 - 6);
        let mean = 2.0 / 196.0;
        let least: Vec<_> = (0..196).filter(|at| found[*at] < 0.1).collect();
        assert_eq!(least, [5 * 14 + 9, 6 * 14 + 9]);
        assert!((found[least[0]] - 2.0 * mean).abs() < 1e-6);
    }

    #[test]
    fn patches_stay_within_the_image_and_cover_all_of_it() {
        for spec in [
            ImageSpec::MNIST,
            ImageSpec::CIFAR,
            ImageSpec::new(1, 1, 100),
            ImageSpec::new(3, 224, 200),
        ] {
            let patch = Patch::over(spec);
            let [rows, columns] = patch.places();
            let mut covered = vec![false; spec.height * spec.width];
            for at in 0..rows * columns {
                let [rows, columns] = patch.covers(at);
                assert!(!rows.is_empty() && !columns.is_empty());
                for row in rows {
                    covered[row * spec.width..][columns.clone()].fill(true);
                }
            }
            assert!(covered.iter().all(|covered| *covered), "{spec}");
        }
        assert_eq!(Patch::over(ImageSpec::MNIST).places(), [28, 28]);
        assert_eq!(Patch::over(ImageSpec::new(3, 224, 224)).places(), [28, 28]);
    }

    #[test]
    fn the_largest_of_the_channels_counts_in_units_of_pixels() {
        let spec = ImageSpec::new(2, 1, 2);
        let gradient = by_pixel(&[1.0, -4.0, 3.0, 1.0], &[0.5, 0.25]);
        assert_eq!(gradient, [2.0, -8.0, 12.0, 4.0]);
        assert_eq!(over_channels(&gradient, spec), [12.0, 8.0]);
    }
}
