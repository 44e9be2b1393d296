//! From images, maps and scores to pixels.

use kiln_figures::{ColourMap, ColourScale, Pixels};
use kiln_vision::ImageSpec;

/// Pixels of a thumbnail's longer side, at most.
pub const THUMBNAIL: usize = 96;

/// An image as it is.
pub fn image(pixels: &[u8], spec: ImageSpec) -> Pixels {
    let plane = spec.height * spec.width;
    let colour =
        |at: usize| std::array::from_fn(|channel| pixels[channel % spec.channels * plane + at]);
    Pixels::new(spec.width, (0..plane).map(colour).collect())
}

/// The luma of an image from 0 to 1 (Rec. 601).
pub fn grey(pixels: &[u8], spec: ImageSpec) -> Vec<f32> {
    image(pixels, spec)
        .colours()
        .iter()
        .map(|[r, g, b]| {
            (0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)) / 255.0
        })
        .collect()
}

/// A scale from black to white for values from 0 to 1.
pub fn grey_scale() -> ColourScale {
    ColourScale::new(ColourMap::Grey, [0.0, 1.0], "")
}

/// A map of `from` rows and columns brought to `to` by bilinear interpolation
/// between the centres of its pixels; beyond the outermost centres it goes on
/// as there.
pub fn bilinear(map: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    // The two pixels around a place along an axis, and the second one's share.
    let around = |at: usize, axis: usize| {
        let scale = from[axis] as f32 / to[axis] as f32;
        let place = ((at as f32 + 0.5) * scale - 0.5).clamp(0.0, (from[axis] - 1) as f32);
        let first = place as usize;
        (first, (first + 1).min(from[axis] - 1), place - first as f32)
    };
    let value = |at: usize| {
        let (top, bottom, down) = around(at / to[1], 0);
        let (left, right, aside) = around(at % to[1], 1);
        let along = |row: usize| {
            map[row * from[1] + left] * (1.0 - aside) + map[row * from[1] + right] * aside
        };
        along(top) * (1.0 - down) + along(bottom) * down
    };
    (0..to[0] * to[1]).map(value).collect()
}

/// A coloured map over an image in grey, the less transparent the larger its
/// values are in the scale's range, which begins at 0.
pub fn overlay(grey: &[f32], map: &[f32], width: usize, scale: &ColourScale) -> Pixels {
    let mixed = grey.iter().zip(map).map(|(grey, value)| {
        let share = 0.8 * value / scale.range[1] as f32;
        let colour = scale.colour(f64::from(*value));
        colour.map(|channel| {
            (f32::from(channel) * share + grey * 255.0 * (1.0 - share)).round() as u8
        })
    });
    Pixels::new(width, mixed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_become_colours() {
        let spec = ImageSpec::new(3, 1, 2);
        let bytes = [255, 0, 0, 0, 0, 255];
        assert_eq!(image(&bytes, spec).colours(), [[255, 0, 0], [0, 0, 255]]);
        let luma = grey(&bytes, spec);
        assert!((luma[0] - 0.299).abs() < 1e-6 && (luma[1] - 0.114).abs() < 1e-6);
        let grey_image = image(&[3, 4], ImageSpec::new(1, 2, 1));
        assert_eq!(grey_image.colours(), [[3; 3], [4; 3]]);
    }

    #[test]
    fn bilinear_interpolation_goes_between_centres() {
        assert_eq!(bilinear(&[0.0, 4.0], [1, 2], [1, 4]), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(bilinear(&[5.0], [1, 1], [2, 2]), [5.0; 4]);
        let same = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(bilinear(&same, [2, 2], [2, 2]), same);
    }

    #[test]
    fn an_overlay_shows_the_image_where_the_map_is_0() {
        let scale = ColourScale::new(ColourMap::Grey, [0.0, 2.0], "");
        let mixed = overlay(&[0.4, 0.0], &[0.0, 2.0], 2, &scale);
        assert_eq!(mixed.colours(), [[102; 3], [204; 3]]);
    }
}
