//! What filters that nobody learned make of an image: R. C. Gonzalez, R. E.
//! Woods, "Digital image processing", 4th edition, 2018, sections 3.5 and 3.6.

use super::{Inside, NotDrawn, paint};
use kiln_figures::{ColourScale, Grid, Pixels, Rgb, Section, Tile, tile_size};
use std::f32::consts::{PI, TAU};

/// Pixels of a picture on the sheet, about.
const SIZE: f64 = 168.0;

const IDENTITY: [f32; 9] = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
const BOX: [f32; 49] = [1.0 / 49.0; 49];
/// Changes of brightness are what it leaves; its weights add up to 0.
const HIGH_PASS: [f32; 9] = [0.0, -1.0, 0.0, -1.0, 4.0, -1.0, 0.0, -1.0, 0.0];
/// High-pass and identity added.
const SHARPEN: [f32; 9] = [0.0, -1.0, 0.0, -1.0, 5.0, -1.0, 0.0, -1.0, 0.0];
const SOBEL_X: [f32; 9] = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];
const SOBEL_Y: [f32; 9] = [-1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0];

/// Box, high-pass, identity, sharpening and Sobel filters on the image in
/// grey, with the gradient's magnitude and direction. As in a network, the
/// kernel is not flipped; beyond its edge the image goes on as there.
///
/// # Errors
/// When the image cannot be had.
pub fn fixed_filters(inside: &Inside) -> Result<Grid, NotDrawn> {
    let shown = inside.shown()?;
    let spec = inside.manifest.input;
    let grey = paint::grey(&shown.pixels, spec);
    let mut brightness = paint::grey_scale();
    brightness.label = "brightness; beyond it cut off".to_owned();
    let smooth = [
        filtered(&grey, spec.width, "identity", &IDENTITY),
        filtered(&grey, spec.width, "box 7x7: 1/49 each", &BOX),
        filtered(
            &grey,
            spec.width,
            "sharpen = high-pass + identity",
            &SHARPEN,
        ),
    ];
    let changes = [
        filtered(&grey, spec.width, "high-pass", &HIGH_PASS),
        filtered(&grey, spec.width, "Sobel x: to the right", &SOBEL_X),
        filtered(&grey, spec.width, "Sobel y: downward", &SOBEL_Y),
    ];
    let all: Vec<f32> = changes
        .iter()
        .flat_map(|one| &one.values)
        .copied()
        .collect();
    let size = tile_size(spec.width, spec.height, SIZE);
    let section = |heading: &str, scale: ColourScale, shown: &[Filtered]| {
        let tiles = shown.iter().map(|one| one.tile(spec.width, &scale));
        Section::new(heading, size, tiles.collect()).scaled(scale.clone())
    };
    Ok(Grid {
        title: "Fixed filters on an image".to_owned(),
        notes: vec![format!(
            "{}, in grey from 0 to 1. Beyond its edge the image goes on as there.",
            shown.name
        )],
        sections: vec![
            section("Smoothing and sharpening", brightness, &smooth),
            section("Changes", ColourScale::over(&all, "brightness"), &changes),
            gradient(&changes[1].values, &changes[2].values, spec.width, size),
        ],
    })
}

/// What a filter gives.
struct Filtered {
    values: Vec<f32>,
    caption: Vec<String>,
}

/// A filter on an image; one of 3x3 is written below it.
fn filtered(image: &[f32], width: usize, name: &str, kernel: &[f32]) -> Filtered {
    let mut caption = vec![name.to_owned()];
    if kernel.len() == 9 {
        let rows = kernel.chunks(3);
        caption.extend(rows.map(|row| format!("{} {} {}", row[0], row[1], row[2])));
    }
    Filtered {
        values: correlate(image, width, kernel),
        caption,
    }
}

impl Filtered {
    fn tile(&self, width: usize, scale: &ColourScale) -> Tile {
        Tile {
            caption: self.caption.clone(),
            ..Tile::new(Pixels::of_values(width, &self.values, scale), "")
        }
    }
}

/// Magnitude and direction of the gradient that the Sobel filters give.
fn gradient(x: &[f32], y: &[f32], width: usize, size: [f64; 2]) -> Section {
    let magnitude: Vec<f32> = x.iter().zip(y).map(|(x, y)| x.hypot(*y)).collect();
    let scale = ColourScale::over(&magnitude, "sqrt(x² + y²)");
    let tiles = vec![
        Tile::new(Pixels::of_values(width, &magnitude, &scale), "magnitude"),
        Tile::new(
            Pixels::new(width, directions(x, y)),
            "direction, to the brighter side",
        ),
        Tile::new(wheel(64), "the hues of the directions"),
    ];
    Section::new("Gradient of Sobel x and y", size, tiles).scaled(scale)
}

/// Cross-correlation with a square kernel.
fn correlate(image: &[f32], width: usize, kernel: &[f32]) -> Vec<f32> {
    let side = kernel.len().isqrt();
    let height = image.len() / width;
    let around =
        |at: usize, offset: usize, end: usize| (at + offset).saturating_sub(side / 2).min(end - 1);
    let value = |at: usize| {
        let places = (0..side).flat_map(|row| (0..side).map(move |column| (row, column)));
        let terms = places.zip(kernel).map(|((row, column), weight)| {
            let (row, column) = (
                around(at / width, row, height),
                around(at % width, column, width),
            );
            weight * image[row * width + column]
        });
        terms.sum()
    };
    (0..image.len()).map(value).collect()
}

/// Hue by direction, brightness by magnitude.
fn directions(x: &[f32], y: &[f32]) -> Vec<Rgb> {
    let magnitude = x.iter().zip(y).map(|(x, y)| x.hypot(*y));
    let most = magnitude.fold(f32::MIN_POSITIVE, f32::max);
    let pairs = x.iter().zip(y);
    pairs
        .map(|(x, y)| hue(y.atan2(*x), x.hypot(*y) / most))
        .collect()
}

/// The colour of an angle, from black to full by `value`, which is from 0 to 1:
/// three cosines a third of a turn apart.
fn hue(angle: f32, value: f32) -> Rgb {
    let channel = |turn: f32| {
        let bright = 0.5 + 0.5 * (angle - turn * TAU / 3.0).cos();
        (255.0 * value * bright).round() as u8
    };
    [channel(0.0), channel(1.0), channel(2.0)]
}

/// All directions, seen from the middle.
fn wheel(side: usize) -> Pixels {
    let middle = (side - 1) as f32 / 2.0;
    let colour = |at: usize| {
        let (x, y) = ((at % side) as f32 - middle, (at / side) as f32 - middle);
        match x.hypot(y) / middle {
            far if far > 1.0 => [255; 3],
            far if far < 0.45 => [0; 3],
            _ => hue(y.atan2(x) % (2.0 * PI), 1.0),
        }
    };
    Pixels::new(side, (0..side * side).map(colour).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dark on the left, bright from the third column on.
    fn step() -> Vec<f32> {
        (0..25)
            .map(|at| if at % 5 >= 2 { 1.0 } else { 0.0 })
            .collect()
    }

    #[test]
    fn sobel_finds_a_step_and_its_direction() {
        let x = correlate(&step(), 5, &SOBEL_X);
        let y = correlate(&step(), 5, &SOBEL_Y);
        for row in x.chunks(5) {
            assert_eq!(row, [0.0, 4.0, 4.0, 0.0, 0.0]);
        }
        assert_eq!(y, [0.0; 25]);
        let hues = directions(&x, &y);
        assert_eq!(hues[0], [0; 3]);
        assert_eq!(hues[1], hue(0.0, 1.0));
        // The same step from above: as much, downward.
        let turned: Vec<f32> = (0..25).map(|at| step()[at % 5 * 5 + at / 5]).collect();
        assert_eq!(correlate(&turned, 5, &SOBEL_Y)[5..15], [4.0; 10]);
        assert_eq!(correlate(&turned, 5, &SOBEL_X), [0.0; 25]);
    }

    #[test]
    fn fixed_kernels_do_what_their_names_say() {
        let image = step();
        assert_eq!(correlate(&image, 5, &IDENTITY), image);
        let sum = HIGH_PASS.iter().zip(IDENTITY).map(|(a, b)| a + b);
        assert_eq!(sum.collect::<Vec<_>>(), SHARPEN);
        assert_eq!(correlate(&[0.3; 25], 5, &HIGH_PASS), [0.0; 25]);
        let edge = correlate(&image, 5, &HIGH_PASS);
        assert_eq!(edge[..5], [0.0, -1.0, 1.0, 0.0, 0.0]);
        let mean = correlate(&[0.5; 25], 5, &BOX);
        assert!(mean.iter().all(|value| (value - 0.5).abs() < 1e-6));
        // The lecture's example of cross-correlation, at the two inner columns.
        let example = [
            4., 5., 8., 7., 1., 8., 8., 8., 3., 6., 6., 4., 6., 5., 7., 8.,
        ];
        let kernel = [1., 4., 1., 1., 4., 3., 3., 3., 1.];
        let found = correlate(&example, 4, &kernel);
        assert_eq!(
            [found[5], found[6], found[9], found[10]],
            [122., 148., 126., 134.]
        );
    }

    #[test]
    fn opposite_directions_have_opposite_hues() {
        assert_eq!(hue(0.0, 1.0), [255, 64, 64]);
        assert_eq!(hue(PI, 1.0), [0, 191, 191]);
        assert_eq!(hue(1.0, 0.0), [0; 3]);
        let wheel = wheel(9);
        assert_eq!(wheel.colours()[4 * 9 + 8], hue(0.0, 1.0));
        assert_eq!(
            (wheel.colours()[0], wheel.colours()[40]),
            ([255; 3], [0; 3])
        );
    }
}
