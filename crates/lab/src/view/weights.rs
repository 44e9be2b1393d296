//! How the weights of every layer are spread.

use super::{Inside, NotDrawn, inside::percent};
use crate::LabError;
use kiln_figures::{Histogram, Histograms};
use kiln_weights::{StateDict, parameter_names};

const BINS: usize = 60;

/// A histogram for the weights of each layer, without biases and norms, with
/// the share of those that are exactly 0; of one layer where it is named.
///
/// # Errors
/// When the weights cannot be read, or the layer has none.
pub fn weight_histograms(inside: &Inside) -> Result<Histograms, NotDrawn> {
    let weights = StateDict::of(&inside.network).map_err(LabError::from)?;
    let names = parameter_names(&inside.network).into_iter();
    let mut panels = Vec::new();
    for (_, name) in names {
        let Some(layer) = name.strip_suffix(".weight") else {
            continue;
        };
        let asked = inside.layer.map(|layer| inside.layers[layer].name.as_str());
        let tensor = weights.tensors().get(&name);
        let tensor = tensor.filter(|tensor| tensor.shape.len() > 1);
        if let Some(tensor) = tensor.filter(|_| asked.is_none_or(|asked| asked == layer)) {
            panels.push(panel(layer, &tensor.values));
        }
    }
    if panels.is_empty() {
        let what = inside
            .layer
            .map_or("the network", |layer| &inside.layers[layer].name);
        return Err(NotDrawn::nothing(format!("{what} has no weights to count")));
    }
    Ok(Histograms {
        title: inside.title("Weights"),
        notes: vec![inside.weights_note()],
        panels,
    })
}

fn panel(layer: &str, values: &[f32]) -> Histogram {
    let zeros = values.iter().filter(|value| **value == 0.0).count();
    let share = zeros as f64 / values.len().max(1) as f64;
    Histogram {
        heading: layer.to_owned(),
        note: format!("{} weights, {} exactly 0", values.len(), percent(share)),
        ..Histogram::of(values, BINS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_zeros_are_counted() {
        let panel = panel("conv1", &[0.0, -0.0, 1e-30, 0.5]);
        assert_eq!(panel.note, "4 weights, 50.0 % exactly 0");
        assert_eq!(panel.counts.iter().sum::<usize>(), 4);
        assert_eq!(panel.heading, "conv1");
    }
}
