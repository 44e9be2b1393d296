//! A trained network that answers at once: class probabilities and the output
//! of every layer for one image.

use crate::{CheckpointName, LabError, RunFolder, evaluate::trained};
use burn::tensor::{Tensor, TensorData, activation::softmax};
use kiln_models::{Activation, Network, activations};
use kiln_training::class_scores;
use kiln_vision::{Arrangement, ImageSpec, Normalization};
use serde::Serialize;
use std::collections::HashMap;

/// Maps of a layer that are given; networks have up to 2,048.
const MOST_MAPS: usize = 64;

/// Values that are given of a layer without height and width.
const MOST_VALUES: usize = 1024;

/// Rows and columns of a map that are given; larger ones are averaged down.
const LONGEST_SIDE: usize = 64;

/// What there is to know of a loaded run before it is asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunCard {
    /// Name of the run folder.
    pub run: String,
    /// The network.
    pub model: String,
    /// The data set.
    pub dataset: String,
    /// Learnable parameters.
    pub parameters: usize,
    /// Shape of its images.
    pub input: ImageSpec,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Best validation accuracy from 0 to 1, where it was validated.
    pub val_accuracy: Option<f64>,
    /// Every layer in the order of computation.
    pub layers: Vec<LayerCard>,
}

/// A layer of a loaded run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerCard {
    /// Path of its parameters, or its kind and number where it has none.
    pub name: String,
    /// `conv`, `linear`, `batch norm`, `max pool` ...
    pub kind: &'static str,
    /// Shape of its output without the batch.
    pub shape: Vec<usize>,
}

/// What a network says about an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// One probability for each class.
    pub probabilities: Vec<f64>,
    /// The layers that were asked for.
    pub layers: Vec<LayerMaps>,
}

/// The output of a layer as pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerMaps {
    /// Number of the layer in [`RunCard::layers`].
    pub layer: usize,
    /// Maps that it has: channels, or the values of a layer without height and width.
    pub total: usize,
    /// The first of them that are given.
    pub count: usize,
    /// Rows of each.
    pub rows: usize,
    /// Columns of each.
    pub columns: usize,
    /// The smallest value among those given, which is the byte 0.
    pub min: f32,
    /// The largest, which is the byte 255.
    pub max: f32,
    /// `count` x `rows` x `columns` bytes, linear between the two.
    pub bytes: Vec<u8>,
}

/// A run whose network is in memory, on the host.
pub struct LoadedRun {
    card: RunCard,
    normalization: Normalization,
    pixels: Arrangement,
    network: Network,
}

impl LoadedRun {
    /// Loads the weights of a run.
    ///
    /// # Errors
    /// When the run cannot be read or has no weights.
    pub fn load(folder: &RunFolder, checkpoint: CheckpointName) -> Result<Self, LabError> {
        let manifest = folder.manifest()?;
        let network = trained(folder, checkpoint)?.network;
        let model = manifest.settings.model.name.clone();
        let ImageSpec {
            channels,
            height,
            width,
        } = manifest.input;
        let device = kiln_backend::host();
        let black = Tensor::zeros([1, channels, height, width], &device);
        let layers = layer_cards(&activations(&network, black).1);
        let best = manifest.result.and_then(|result| result.best);
        let card = RunCard {
            run: folder.name(),
            model,
            dataset: manifest.settings.data.dataset,
            parameters: manifest.parameters,
            input: manifest.input,
            classes: manifest.classes,
            val_accuracy: best.and_then(|best| best.val_accuracy),
            layers,
        };
        Ok(Self {
            card,
            normalization: manifest.normalization,
            pixels: manifest.settings.data.pixels,
            network,
        })
    }

    /// What there is to know of it.
    pub fn card(&self) -> &RunCard {
        &self.card
    }

    /// Classifies one image, given as bytes in the order channel, row, column
    /// before normalisation, and gives the output of the layers whose numbers
    /// `wanted` holds, or of all.
    ///
    /// # Errors
    /// When the image has another size, a layer does not exist, or the scores
    /// are no finite numbers.
    pub fn respond(&self, pixels: &[u8], wanted: Option<&[usize]>) -> Result<Response, LabError> {
        let RunCard { input, classes, .. } = &self.card;
        if pixels.len() != input.len() {
            return Err(LabError::usage(format!(
                "an image of {} has {} bytes ({input}), not {}",
                self.card.run,
                input.len(),
                pixels.len()
            )));
        }
        let mut values = Vec::with_capacity(input.len());
        let pixels = self.pixels.arranged_pixels(pixels, *input);
        self.normalization.append(&pixels, &mut values);
        let values = TensorData::new(values, [1, input.channels, input.height, input.width]);
        let image = Tensor::<4>::from_data(values, &kiln_backend::host());
        let (scores, outputs) = activations(&self.network, image);
        let probabilities = softmax(class_scores(scores, classes.len()), 1);
        let probabilities = probabilities.try_into_data().map_err(LabError::run)?;
        let probabilities: Vec<f64> = probabilities.iter::<f64>().collect();
        if probabilities.iter().any(|value| !value.is_finite()) {
            return Err(LabError::run(format!(
                "the class scores of {} for this image are not finite",
                self.card.run
            )));
        }
        let all: Vec<usize> = (0..outputs.len()).collect();
        let layers = wanted.unwrap_or(&all).iter().map(|&layer| {
            let Some(output) = outputs.get(layer) else {
                return Err(LabError::usage(format!(
                    "{} has the layers 0 to {}, not {layer}",
                    self.card.run,
                    outputs.len().saturating_sub(1)
                )));
            };
            maps(layer, &output.values)
        });
        Ok(Response {
            layers: layers.collect::<Result<_, _>>()?,
            probabilities,
        })
    }
}

/// The layers that gave `outputs`, with the names of a summary.
fn layer_cards(outputs: &[Activation]) -> Vec<LayerCard> {
    let mut numbers = HashMap::<_, usize>::new();
    let card = |output: &Activation| LayerCard {
        name: output.layer.clone().unwrap_or_else(|| {
            let number = numbers.entry(output.kind).or_default();
            *number += 1;
            format!("{}{number}", output.kind.to_lowercase().replace(' ', "_"))
        }),
        kind: output.kind,
        shape: output.values.shape()[1..].to_vec(),
    };
    outputs.iter().map(card).collect()
}

/// The first maps of `values`, `[1, channels, height, width]`, `[1, channels,
/// length]` or `[1, features]`.
fn maps(layer: usize, values: &TensorData) -> Result<LayerMaps, LabError> {
    let (total, size) = match values.shape()[1..] {
        [total, height, width] => (total, [height, width]),
        [total, length] => (total, [1, length]),
        [total] => (total, [1, 1]),
        _ => (1, [1, values.num_elements()]),
    };
    let count = total.min(match size {
        [1, 1] => MOST_VALUES,
        _ => MOST_MAPS,
    });
    let values = values.as_slice::<f32>().map_err(LabError::run)?;
    let plane = size[0] * size[1];
    let mut shown = Vec::with_capacity(count * plane);
    let mut shrunk = size;
    for map in values.chunks(plane.max(1)).take(count) {
        shrunk = shrink(map, size, &mut shown);
    }
    let (min, max) = (shown.iter().filter(|value| value.is_finite()))
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), value| {
            (min.min(*value), max.max(*value))
        });
    let scale = match max > min {
        true => 255.0 / (max - min),
        false => 0.0,
    };
    Ok(LayerMaps {
        layer,
        total,
        count,
        rows: shrunk[0],
        columns: shrunk[1],
        min,
        max,
        bytes: (shown.iter())
            .map(|value| ((value - min) * scale).round() as u8)
            .collect(),
    })
}

/// Appends `map` to `shown`, averaged over blocks where it is too large, and
/// gives its rows and columns.
fn shrink(map: &[f32], size: [usize; 2], shown: &mut Vec<f32>) -> [usize; 2] {
    let block = size.map(|side| side.div_ceil(LONGEST_SIDE).max(1));
    if block == [1, 1] {
        shown.extend_from_slice(map);
        return size;
    }
    let [height, width] = size;
    for top in (0..height).step_by(block[0]) {
        let rows = top..(top + block[0]).min(height);
        for left in (0..width).step_by(block[1]) {
            let columns = left..(left + block[1]).min(width);
            let area = (rows.len() * columns.len()) as f32;
            let sums = rows
                .clone()
                .map(|row| map[row * width..][columns.clone()].iter().sum::<f32>());
            shown.push(sums.sum::<f32>() / area);
        }
    }
    [height.div_ceil(block[0]), width.div_ceil(block[1])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_models::{Options, build, find, materialize, summarize};

    fn loaded(model: &str) -> LoadedRun {
        let task = find(model).expect("a network").form.task();
        let options = Options::default();
        let network = build(model, &task, &options, &kiln_backend::host()).expect("builds");
        materialize(&network);
        let ImageSpec {
            channels,
            height,
            width,
        } = task.input;
        let black = Tensor::zeros([1, channels, height, width], &kiln_backend::host());
        LoadedRun {
            card: RunCard {
                run: "a run".to_owned(),
                model: model.to_owned(),
                dataset: "digits".to_owned(),
                parameters: 0,
                input: task.input,
                classes: (0..task.classes).map(|class| class.to_string()).collect(),
                val_accuracy: None,
                layers: layer_cards(&activations(&network, black).1),
            },
            normalization: Normalization {
                kind: kiln_vision::Preprocessing::None,
                input: task.input,
                mean: vec![0.0; task.input.channels],
                std: vec![1.0; task.input.channels],
            },
            pixels: Arrangement::InOrder,
            network,
        }
    }

    #[test]
    fn every_layer_of_the_card_answers_with_its_own_shape() {
        // Plain, without an image's shape, with paths that meet, 1-D.
        for model in ["lenet", "mlp", "resnet20", "signal", "densenet-bc-100-12"] {
            let run = loaded(model);
            let pixels = vec![130; run.card.input.len()];
            let response = run.respond(&pixels, None).expect("answers");
            let sum: f64 = response.probabilities.iter().sum();
            assert!((sum - 1.0).abs() < 1e-5, "{model}: {sum}");
            assert_eq!(response.layers.len(), run.card.layers.len(), "{model}");
            for (maps, card) in response.layers.iter().zip(&run.card.layers) {
                assert_eq!(maps.total, card.shape[0], "{model} {}", card.name);
                let size = match card.shape[1..] {
                    [height, width] => [height, width],
                    [length] => [1, length],
                    _ => [1, 1],
                };
                let shrunk = size.map(|side| side.div_ceil(side.div_ceil(LONGEST_SIDE)));
                assert_eq!([maps.rows, maps.columns], shrunk, "{model} {}", card.name);
                assert_eq!(maps.bytes.len(), maps.count * maps.rows * maps.columns);
            }
        }
    }

    #[test]
    fn layers_have_the_names_of_a_summary() {
        let run = loaded("lenet");
        let task = find("lenet").expect("a network").form.task();
        let summary = summarize("lenet", &run.network, &task).expect("fits");
        let names = summary.layers.iter().map(|layer| &layer.name);
        assert!(names.eq(run.card.layers.iter().map(|layer| &layer.name)));
    }

    #[test]
    fn wanted_layers_come_in_their_order_and_others_are_refused() {
        let run = loaded("lenet");
        let pixels = vec![130; 784];
        let all = run.respond(&pixels, None).expect("answers");
        let some = run.respond(&pixels, Some(&[3, 0])).expect("answers");
        assert_eq!(some.layers, [all.layers[3].clone(), all.layers[0].clone()]);
        assert_eq!(some.probabilities, all.probabilities);
        for (pixels, layers, words) in [
            (783, vec![], "has 784 bytes (1x28x28), not 783"),
            (784, vec![0, 99], "not 99"),
        ] {
            let error = run.respond(&vec![0; pixels], Some(&layers));
            let error = error.expect_err("refused").to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn bytes_are_linear_between_the_smallest_and_the_largest_value() {
        let values = TensorData::new(vec![-1.0f32, 0.0, 1.0, 3.0], [1, 2, 1, 2]);
        let layer = maps(7, &values).expect("maps");
        assert_eq!((layer.layer, layer.total, layer.count), (7, 2, 2));
        assert_eq!((layer.min, layer.max), (-1.0, 3.0));
        assert_eq!(layer.bytes, [0, 64, 128, 255]);
        let same = maps(0, &TensorData::new(vec![2.0f32; 3], [1, 3])).expect("maps");
        assert_eq!((same.min, same.max, same.bytes), (2.0, 2.0, vec![0; 3]));
    }

    #[test]
    fn large_maps_are_averaged_and_many_are_cut() {
        let values: Vec<f32> = (0..100 * 3 * 130).map(|at| (at % 130) as f32).collect();
        let layer = maps(0, &TensorData::new(values, [1, 100, 3, 130])).expect("maps");
        assert_eq!((layer.total, layer.count), (100, MOST_MAPS));
        assert_eq!([layer.rows, layer.columns], [3, 44]);
        // The mean of 0, 1, 2, and that of the single 129 at the end.
        assert_eq!((layer.min, layer.max), (1.0, 129.0));
        let values = TensorData::new(vec![0.5f32; 4096], [1, 4096]);
        assert_eq!(maps(0, &values).expect("maps").bytes.len(), MOST_VALUES);
    }
}
