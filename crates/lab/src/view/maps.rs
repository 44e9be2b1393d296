//! What every layer makes of an image.

use super::{
    Inside, NotDrawn,
    filters::of,
    layers::Group,
    paint::{self, THUMBNAIL},
};
use kiln_figures::{ColourScale, Grid, Pixels, Section, Tile, tile_size};
use kiln_models::activations;

/// Maps of a layer, at most; in a network of more layers than [`MANY`] and
/// where a layer was named.
const MOST: usize = 64;
const MOST_OF_MANY: usize = 16;
const MOST_OF_ONE: usize = 1024;
const MANY: usize = 24;
/// Values of a vector in a line, and the pixels of one on the sheet.
const LINE: usize = 128;
const VALUE: f64 = 7.0;
/// Pixels of a map on the sheet, about.
const MAP: f64 = 64.0;

/// The image and the output of every layer, an activation in one with the
/// layer before it; of one layer alone where it is named.
///
/// # Errors
/// When the image cannot be had.
pub fn feature_maps(inside: &Inside) -> Result<Grid, NotDrawn> {
    let shown = inside.shown()?;
    let image = inside.tensor(shown.values.clone());
    let (_, outputs) = inside.work(|network| activations(network, image));
    let spec = inside.manifest.input;
    let input = Tile::new(paint::image(&shown.pixels, spec).shrunk(THUMBNAIL), "");
    let mut sections = vec![Section::new(
        &format!("input: {spec}"),
        tile_size(spec.width, spec.height, 84.0),
        vec![input],
    )];
    let (groups, most) = match inside.layer {
        Some(layer) => (vec![Group::alone(layer)], MOST_OF_ONE),
        None if inside.groups.len() > MANY => (inside.groups.clone(), MOST_OF_MANY),
        None => (inside.groups.clone(), MOST),
    };
    for group in groups {
        let again = ["flatten", "row by row"].contains(&inside.layers[group.first].kind);
        if again && inside.layer.is_none() {
            continue;
        }
        let values: Vec<f32> = outputs[group.last].values.iter::<f32>().collect();
        sections.push(section(
            &inside.heading(group),
            &inside.layers[group.last].output,
            &values,
            most,
        ));
    }
    Ok(Grid {
        title: inside.title("Feature maps"),
        notes: inside.image_notes()?,
        sections,
    })
}

/// The channels of maps as pictures, or a vector as lines of values. Of a
/// signal all channels are one picture, one below the other.
fn section(heading: &str, shape: &[usize], values: &[f32], most: usize) -> Section {
    let scale = ColourScale::over(values, "activation");
    let (channels, height, width) = match shape[..] {
        [channels, 1, width] if width > 1 => {
            let pixels = Pixels::of_values(width, values, &scale);
            let line = VALUE.min(224.0 / channels as f64);
            let size = [cell(width) * width as f64, line * channels as f64];
            let caption = "a line for each channel";
            return Section::new(heading, size, vec![Tile::new(pixels, caption)]).scaled(scale);
        }
        [channels, height, width] if height > 1 => (channels, height, width),
        _ => return vector(heading, values, scale),
    };
    let shown = channels.min(most);
    let tiles = values.chunks(height * width).take(shown).enumerate();
    let tiles = tiles.map(|(at, map)| {
        let pixels = Pixels::of_values(width, map, &scale).shrunk(THUMBNAIL);
        Tile::new(pixels, &at.to_string())
    });
    let heading = match shown < channels {
        true => format!("{heading}, {}", of(shown, channels, "channels")),
        false => heading.to_owned(),
    };
    Section::new(&heading, tile_size(width, height, MAP), tiles.collect()).scaled(scale)
}

/// Width of a value where so many lie side by side.
fn cell(columns: usize) -> f64 {
    (LINE as f64 * VALUE / columns as f64).min(4.0 * VALUE)
}

fn vector(heading: &str, values: &[f32], scale: ColourScale) -> Section {
    let columns = values.len().min(LINE);
    let lines = values.len().div_ceil(columns);
    let colours = values.iter().map(|value| scale.colour(f64::from(*value)));
    let mut colours: Vec<_> = colours.collect();
    // The last line may end before the others.
    colours.resize(lines * columns, [255; 3]);
    let size = [
        cell(columns) * columns as f64,
        (lines as f64 * VALUE).max(2.0 * VALUE),
    ];
    let tile = Tile::new(Pixels::new(columns, colours), "");
    Section::new(heading, size, vec![tile]).scaled(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_is_a_picture_on_the_scale_of_the_layer() {
        let values: Vec<f32> = (0..12).map(|at| at as f32).collect();
        let one = section("conv1: 3x2x2", &[3, 2, 2], &values, 2);
        assert_eq!(one.heading, "conv1: 3x2x2, the first 2 of 3 channels");
        let scale = one.scale.expect("a scale");
        assert_eq!(scale.range, [0.0, 11.0]);
        let tiles = &one.rows[0].tiles;
        assert_eq!(tiles.len(), 2);
        let expected: Vec<_> = (4..8).map(|at| scale.colour(f64::from(at))).collect();
        assert_eq!(tiles[1].pixels.colours(), expected);
    }

    #[test]
    fn a_signal_is_one_picture_and_single_values_are_a_vector() {
        let values: Vec<f32> = (0..10).map(|at| at as f32).collect();
        let picture = |shape: &[usize]| {
            let one = section("", shape, &values, 64);
            let pixels = &one.rows[0].tiles[0].pixels;
            (one.rows[0].tiles.len(), pixels.width(), pixels.height())
        };
        assert_eq!(picture(&[2, 1, 5]), (1, 5, 2));
        assert_eq!(picture(&[10, 1, 1]), (1, 10, 1));
        assert_eq!(picture(&[10]), (1, 10, 1));
    }

    #[test]
    fn a_vector_is_lines_of_values() {
        let one = section("fc", &[130], &[-1.0; 130], 64);
        let tile = &one.rows[0].tiles[0].pixels;
        assert_eq!((tile.width(), tile.height()), (128, 2));
        let blue = one.scale.expect("a scale").colour(-1.0);
        assert_eq!(tile.colours()[129], blue);
        assert_eq!(tile.colours()[130], [255; 3]);
    }
}
