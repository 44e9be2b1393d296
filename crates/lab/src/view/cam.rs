//! Grad-CAM: where the maps of a layer speak for a class (R. R. Selvaraju et
//! al., "Grad-CAM: visual explanations from deep networks via gradient-based
//! localization", ICCV 2017, section 3).

use super::{Inside, NotDrawn, inside::percent, paint, saliency::SIZE};
use kiln_figures::{ColourScale, Grid, Pixels, Section, Tile, tile_size};
use kiln_models::sensitivity;
use kiln_vision::ImageSpec;

/// The maps of a layer, each weighted by the mean derivative of the class score
/// by it, added up, negative values as 0; over the image by bilinear
/// interpolation. The layer is the last one of maps that no pooling made,
/// unless another is named.
///
/// # Errors
/// When the layer has no maps over the image, or the image cannot be had.
pub fn grad_cam(inside: &Inside) -> Result<Grid, NotDrawn> {
    let group = inside.chosen_maps()?;
    let [_, high, wide] = inside.layers[group.last].output[..] else {
        return Err(no_maps(inside, group.last));
    };
    if !inside.is_in_place(group.last) || [high, wide] == [1, 1] {
        return Err(no_maps(inside, group.last));
    }
    let (shown, class) = (inside.shown()?, inside.class()?);
    let image = inside.tensor(shown.values.clone());
    let found = inside.work(|network| sensitivity(network, image, &[class], group.last));
    let Some(found) = found else {
        return Err(no_maps(inside, group.last));
    };
    let [maps, gradient] = [&found.activation.values, &found.gradient]
        .map(|data| data.iter::<f32>().collect::<Vec<f32>>());
    let map = weighted(&maps, &gradient, high * wide);
    let name = &inside.manifest.classes[class];
    let mut notes = inside.image_notes()?;
    let probability = percent(shown.probabilities[class].into());
    notes.push(format!(
        "Layer {}; the probability of {name} is {probability}.",
        inside.heading(group)
    ));
    if map.iter().all(|value| *value == 0.0) {
        notes.push(format!(
            "No place speaks for {name}: the sum is nowhere above 0."
        ));
    }
    let spec = inside.manifest.input;
    Ok(Grid {
        title: inside.title(&format!("Grad-CAM, class {name}")),
        notes,
        sections: vec![section(&shown.pixels, spec, &map, [high, wide])],
    })
}

/// The image, the map of `side` rows and columns, and one over the other.
fn section(image: &[u8], spec: ImageSpec, map: &[f32], side: [usize; 2]) -> Section {
    let size = tile_size(spec.width, spec.height, SIZE);
    // The map is smooth, so that it is computed for every pixel of the sheet.
    let [width, height] = size.map(|side| side as usize);
    let fine = paint::bilinear(map, side, [height, width]);
    let grey = paint::grey(image, spec);
    let enlarged = (0..width * height).map(|at| {
        let row = at / width * spec.height / height;
        grey[row * spec.width + at % width * spec.width / width]
    });
    let enlarged: Vec<f32> = enlarged.collect();
    let scale = ColourScale::over(map, "weighted sum of the maps");
    let coarse = Pixels::of_values(side[1], map, &scale);
    let over = paint::overlay(&enlarged, &fine, width, &scale);
    let tiles = vec![
        Tile::new(paint::image(image, spec), "image"),
        Tile::new(coarse, &format!("map, {}x{}", side[0], side[1])),
        Tile::new(over, "map over the image in grey"),
    ];
    Section::new("", size, tiles).scaled(scale)
}

fn no_maps(inside: &Inside, layer: usize) -> NotDrawn {
    NotDrawn::nothing(format!(
        "{} gives no maps over the image, which Grad-CAM needs; name a convolution with --layer",
        inside.layers[layer].name
    ))
}

/// The maps `[channels, plane]`, each times the mean of its derivatives, added
/// up; negative values become 0.
fn weighted(maps: &[f32], gradient: &[f32], plane: usize) -> Vec<f32> {
    let mut sum = vec![0.0f32; plane];
    for (map, gradient) in maps.chunks(plane).zip(gradient.chunks(plane)) {
        let weight = gradient.iter().sum::<f32>() / plane as f32;
        for (sum, value) in sum.iter_mut().zip(map) {
            *sum += weight * value;
        }
    }
    sum.into_iter().map(|value| value.max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModelSettings, initial_network};
    use burn::tensor::{Device, Tensor, TensorData};
    use kiln_models::Task;
    use kiln_weights::StateDict;

    #[test]
    fn maps_are_weighted_by_their_mean_derivatives() {
        // Two maps of 1x2: weights (1 + 3) / 2 = 2 and -1.
        let map = weighted(&[1.0, 2.0, 5.0, 3.0], &[1.0, 3.0, -1.0, -1.0], 2);
        assert_eq!(map, [0.0, 1.0]);
    }

    #[test]
    fn before_a_mean_over_the_maps_and_a_linear_layer_it_is_the_class_activation_map() {
        // Selvaraju et al., section 3.1: B. Zhou et al. 2016 weigh the maps by
        // the linear layer's weights, here over the 64 places of a map.
        let task = Task {
            input: ImageSpec::CIFAR,
            classes: 10,
        };
        let model = ModelSettings::named("resnet20");
        let network = initial_network(&model, &task, 1).expect("builds");
        let steps = network.steps(task.input).expect("fits");
        let layer = steps
            .iter()
            .rposition(|step| step.output == [64, 8, 8])
            .expect("maps");
        let values: Vec<f32> = (0..3072).map(|at| (at as f32 * 0.7).sin()).collect();
        let image = TensorData::new(values, [1, 3, 32, 32]);
        let image = Tensor::from_data(image, &Device::flex());
        let found = sensitivity(&network, image, &[4], layer).expect("a layer");
        let maps: Vec<f32> = found.activation.values.iter::<f32>().collect();
        let gradient: Vec<f32> = found.gradient.iter::<f32>().collect();
        let state = StateDict::of(&network).expect("weights");
        let weights = &state.tensors()["fc.weight"].values[4 * 64..5 * 64];
        let expected = |at: usize| -> f32 {
            let channels = weights.iter().enumerate();
            let sum: f32 = channels
                .map(|(channel, weight)| weight * maps[channel * 64 + at])
                .sum();
            sum.max(0.0) / 64.0
        };
        let map = weighted(&maps, &gradient, 64);
        let largest = map.iter().copied().fold(0.0, f32::max);
        assert!(largest > 0.0);
        for (at, value) in map.iter().enumerate() {
            assert!((value - expected(at)).abs() < 1e-4 * largest, "{at}");
        }
    }
}
