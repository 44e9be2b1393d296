//! The kernels of a convolution and, for a network that begins with a linear
//! layer, its weights in the places of the pixels that they multiply.

use super::{Inside, NotDrawn};
use crate::LabError;
use kiln_figures::{ColourMap, ColourScale, Grid, Pixels, Row, Section, Tile, tile_size};
use kiln_vision::ImageSpec;
use kiln_weights::{HostTensor, StateDict};

/// Filters of a layer on a sheet, at most.
const MOST: usize = 256;
/// Rows and columns of the sheet of a deeper layer, at most.
const ROWS: usize = 16;
/// Pixels of a kernel on the sheet, about, and of a whole image's weights.
const KERNEL: f64 = 46.0;
const IMAGE: f64 = 84.0;

/// The filters of a layer: of the first one with weights unless another is
/// named. Kernels over one channel, and each kernel of a deeper layer, are
/// shown by sign; those over the colours of the image as colours.
///
/// # Errors
/// When the layer has no kernels, or its weights cannot be read.
pub fn filters(inside: &Inside) -> Result<Grid, NotDrawn> {
    let weighted = |at: &usize| inside.layers[*at].params > 0;
    let layer = inside
        .layer
        .or_else(|| (0..inside.layers.len()).find(weighted));
    let Some(layer) = layer else {
        return Err(NotDrawn::nothing("no layer has weights"));
    };
    let name = &inside.layers[layer].name;
    let weights = StateDict::of(&inside.network).map_err(LabError::from)?;
    let Some(weight) = weights.tensors().get(&format!("{name}.weight")) else {
        return Err(NotDrawn::nothing(format!("{name} has no weights")));
    };
    let step = &inside.steps[layer];
    let input = inside.manifest.input;
    // Whatever comes before the first weights only turns the image into another shape.
    let sees_image = (0..layer).all(|before| !weighted(&before));
    let sections = match (step.kind, &weight.shape[..]) {
        ("conv", [_, channels, height, width]) => {
            let kernel = ImageSpec::new(*channels, *height, *width);
            match *channels == 1 || (*channels == 3 && sees_image) {
                true => pictures(weight, kernel, KERNEL),
                false => matrix(weight, kernel),
            }
        }
        ("linear", [_, values]) if *values == input.len() && sees_image => {
            pictures(weight, input, IMAGE)
        }
        ("linear", _) => {
            return Err(NotDrawn::nothing(format!(
                "{name} is a linear layer that sees no image, so that its weights are no filters"
            )));
        }
        (kind, _) => {
            return Err(NotDrawn::nothing(format!(
                "the weights of {name} ({kind}) are no filters over the whole image"
            )));
        }
    };
    Ok(Grid {
        title: inside.title(&format!("Filters of {name}")),
        notes: vec![inside.weights_note()],
        sections: vec![sections],
    })
}

fn largest(values: &[f32]) -> f32 {
    let most = values
        .iter()
        .fold(0.0, |most: f32, value| most.max(value.abs()));
    if most > 0.0 { most } else { 1.0 }
}

fn signed(values: &[f32]) -> ColourScale {
    let most = f64::from(largest(values));
    ColourScale::new(ColourMap::Diverging, [-most, most], "weight")
}

/// One picture for each output.
fn pictures(weight: &HostTensor, spec: ImageSpec, target: f64) -> Section {
    let outputs = weight.shape[0];
    let shown = outputs.min(MOST);
    let values = &weight.values[..shown * spec.len()];
    let kernels = values.chunks(spec.len()).enumerate();
    let shape = format!("{spec}, {}", of(shown, outputs, "outputs"));
    let size = tile_size(spec.width, spec.height, target);
    if spec.channels == 1 {
        let scale = signed(values);
        let tiles = kernels.map(|(at, kernel)| {
            let pixels = Pixels::of_values(spec.width, kernel, &scale);
            Tile::new(pixels, &at.to_string())
        });
        return Section::new(&shape, size, tiles.collect()).scaled(scale);
    }
    let most = largest(values);
    let tiles =
        kernels.map(|(at, kernel)| Tile::new(coloured(kernel, spec, most), &at.to_string()));
    let heading = format!("{shape}; mid grey is 0, black and white are -{most:.3} and {most:.3}");
    Section::new(&heading, size, tiles.collect())
}

/// The weights of the three colours as a colour; zero is mid grey.
fn coloured(kernel: &[f32], spec: ImageSpec, most: f32) -> Pixels {
    let plane = spec.width * spec.height;
    let byte = |value: f32| (127.5 + 127.5 * value / most).round() as u8;
    let colour = |at: usize| std::array::from_fn(|channel| byte(kernel[channel * plane + at]));
    Pixels::new(spec.width, (0..plane).map(colour).collect())
}

/// A row for each output, a column for each input.
fn matrix(weight: &HostTensor, kernel: ImageSpec) -> Section {
    let (outputs, inputs) = (weight.shape[0], kernel.channels);
    let (rows, columns) = (outputs.min(ROWS), inputs.min(ROWS));
    let plane = kernel.height * kernel.width;
    let one =
        |row: usize, column: usize| &weight.values[(row * inputs + column) * plane..][..plane];
    let all = (0..rows).flat_map(|row| (0..columns).flat_map(move |column| one(row, column)));
    let scale = signed(&all.copied().collect::<Vec<_>>());
    let row = |row: usize| Row {
        label: format!("output {row}"),
        tiles: (0..columns)
            .map(|column| {
                let caption = if row == 0 {
                    column.to_string()
                } else {
                    String::new()
                };
                let pixels = Pixels::of_values(kernel.width, one(row, column), &scale);
                Tile::new(pixels, &caption)
            })
            .collect(),
    };
    Section {
        heading: format!(
            "{}x{} kernels, {} by {}",
            kernel.height,
            kernel.width,
            of(rows, outputs, "outputs"),
            of(columns, inputs, "inputs")
        ),
        scale: None,
        size: tile_size(kernel.width, kernel.height, KERNEL - 4.0),
        rows: (0..rows).map(row).collect(),
    }
    .scaled(scale)
}

/// `64 outputs`, or `the first 16 of 64 outputs`.
pub(super) fn of(shown: usize, all: usize, what: &str) -> String {
    match shown < all {
        true => format!("the first {shown} of {all} {what}"),
        false => format!("{all} {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(shape: &[usize]) -> HostTensor {
        let count: usize = shape.iter().product();
        HostTensor {
            shape: shape.to_vec(),
            values: (0..count).map(|at| at as f32 - 1.0).collect(),
        }
    }

    #[test]
    fn kernels_of_one_channel_are_shown_by_sign() {
        let section = pictures(&weight(&[3, 1, 1, 2]), ImageSpec::new(1, 1, 2), 46.0);
        let scale = section.scale.expect("a scale");
        assert_eq!(scale.range, [-4.0, 4.0]);
        let tiles = &section.rows[0].tiles;
        assert_eq!(tiles.len(), 3);
        assert_eq!(tiles[0].pixels.colours(), [scale.colour(-1.0), [255; 3]]);
        assert_eq!(tiles[2].pixels.colours()[1], scale.colour(4.0));
    }

    #[test]
    fn colours_of_the_image_are_colours_of_the_kernel() {
        let pixels = coloured(&[0.0, 1.0, -1.0], ImageSpec::new(3, 1, 1), 1.0);
        assert_eq!(pixels.colours(), [[128, 255, 0]]);
    }

    #[test]
    fn deeper_layers_have_a_row_for_each_output() {
        let section = matrix(&weight(&[20, 2, 1, 1]), ImageSpec::new(2, 1, 1));
        assert_eq!(section.rows.len(), 16);
        assert!(
            section
                .heading
                .contains("the first 16 of 20 outputs by 2 inputs")
        );
        let scale = section.scale.expect("a scale");
        let last = &section.rows[15].tiles[1].pixels;
        assert_eq!(
            last.colours(),
            [scale.colour(30.0)],
            "31st value, from -1 on"
        );
    }
}
