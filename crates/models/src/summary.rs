//! A network layer by layer: shapes, parameters, arithmetic, memory and what
//! each output sees of the image.

use crate::{Misfit, Network, Step, Task, Window};
use kiln_weights::parameter_names;
use serde::Serialize;
use std::collections::HashMap;

/// Bytes of a number; networks compute in float32.
const FLOAT: usize = 4;

/// What a network consists of and costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Name in the zoo.
    pub model: String,
    /// Channels, height and width of an image.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Learnable values.
    pub params: usize,
    /// Multiply-accumulates of convolutions and linear layers for one image.
    pub macs: u64,
    /// The same for a training step: forward, the gradients of the weights,
    /// and those of the inputs, which the first layer does not need.
    pub training_macs: u64,
    /// Bytes of the weights.
    pub weight_bytes: usize,
    /// Bytes of every layer's output for one image, which training keeps
    /// until the gradients are known.
    pub activation_bytes: usize,
    /// Bytes of the largest input and output of one layer, which is what
    /// inference holds at once for one image.
    pub inference_bytes: usize,
    /// Every layer in the order of computing.
    pub layers: Vec<LayerSummary>,
}

/// A layer of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerSummary {
    /// Path of its parameters, or its kind and number where it has none.
    pub name: String,
    /// `conv`, `linear`, `batch norm`, `max pool` ...
    pub kind: &'static str,
    /// Shape of its output without the batch.
    pub output: Vec<usize>,
    /// What slides over the image, where something does.
    pub window: Option<WindowSummary>,
    /// Learnable values.
    pub params: usize,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Bytes of its output for one image.
    pub activation_bytes: usize,
    /// Rows and columns of the image that one output value depends on,
    /// padding included.
    pub receptive_field: f64,
    /// Pixels from one output value's field to its neighbour's, on average
    /// where a transposed convolution has spread them.
    pub jump: f64,
}

impl LayerSummary {
    /// Whether it changes neither shape nor place, so that it is shown together
    /// with the layers of `group`, right before it: an activation, dropout, and
    /// the batch norm of a convolution.
    pub fn continues(&self, group: &[&Self]) -> bool {
        let part_of = |layer: &Self| {
            let path = layer.name.rsplit_once('.');
            path.map_or_else(String::new, |(part, _)| part.to_owned())
        };
        match self.kind {
            "batch norm" => {
                matches!(group, [conv] if conv.kind.ends_with("conv") && part_of(conv) == part_of(self))
            }
            "sigmoid" | "tanh" | "ReLU" | "ReLU6" | "leaky ReLU" | "PReLU" | "ELU" | "maxout"
            | "squash" | "identity" | "response norm" | "dropout" | "channel dropout" => true,
            _ => false,
        }
    }
}

/// A sliding window with its arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowSummary {
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Steps from one position to the next.
    pub stride: [usize; 2],
    /// Rows and columns added on either side.
    pub padding: [usize; 2],
    /// Distance between the kernel's elements.
    pub dilation: [usize; 2],
    /// Independent groups of channels; 1 where every output sees all.
    pub groups: usize,
    /// How the output's height and width come about: `(32 - 5 + 2*2)/1 + 1 = 32`.
    pub arithmetic: [String; 2],
}

impl Summary {
    /// Bytes that training holds for a batch: weights, gradients, `slots`
    /// numbers of the optimizer for each weight (momentum 1, Adam 2) and all
    /// activations.
    pub fn training_bytes(&self, batch: usize, slots: usize) -> usize {
        let activations = self.activation_bytes.saturating_mul(batch);
        (self.weight_bytes * (2 + slots)).saturating_add(activations)
    }
}

/// Follows one image through `network`, without computing or drawing weights.
///
/// # Errors
/// When a layer does not fit the image.
pub fn summarize(model: &str, network: &Network, task: &Task) -> Result<Summary, Misfit> {
    let steps = network.steps(task.input)?;
    let mut names = LayerNames::of(network);
    let layers: Vec<_> = steps.iter().map(|step| names.layer(step)).collect();
    let params = layers.iter().map(|layer| layer.params).sum();
    let macs = layers.iter().map(|layer| layer.macs).sum();
    let first = layers.iter().map(|layer| layer.macs).find(|macs| *macs > 0);
    let bytes = |shape: &[usize]| shape.iter().product::<usize>() * FLOAT;
    let held = steps
        .iter()
        .map(|step| bytes(&step.input) + bytes(&step.output));
    Ok(Summary {
        model: model.to_owned(),
        input: [task.input.channels, task.input.height, task.input.width],
        classes: task.classes,
        params,
        macs,
        training_macs: 3 * macs - first.unwrap_or(0),
        weight_bytes: params * FLOAT,
        activation_bytes: layers.iter().map(|layer| layer.activation_bytes).sum(),
        inference_bytes: held.max().unwrap_or(0),
        layers,
    })
}

/// Names for layers: paths of weights, and numbers for layers without any.
struct LayerNames {
    paths: HashMap<burn::module::ParamId, String>,
    numbers: HashMap<&'static str, usize>,
}

impl LayerNames {
    fn of(network: &Network) -> Self {
        Self {
            paths: parameter_names(network).into_iter().collect(),
            numbers: HashMap::new(),
        }
    }

    fn layer(&mut self, step: &Step) -> LayerSummary {
        let path = step.weight.and_then(|id| self.paths.get(&id));
        let name = match path.and_then(|path| path.rsplit_once('.')) {
            Some((layer, _)) => layer.to_owned(),
            None => {
                let number = self.numbers.entry(step.kind).or_default();
                *number += 1;
                format!("{}{number}", step.kind.to_lowercase().replace(' ', "_"))
            }
        };
        let [high, wide] = step.receptive_field;
        LayerSummary {
            name,
            kind: step.kind,
            output: step.output.clone(),
            window: step.window.map(|window| window_summary(window, step)),
            params: step.parameters,
            macs: step.macs,
            activation_bytes: step.output.iter().product::<usize>() * FLOAT,
            receptive_field: high.max(wide),
            jump: step.jump[0].max(step.jump[1]),
        }
    }
}

fn window_summary(window: Window, step: &Step) -> WindowSummary {
    let arithmetic = |axis: usize| match step.input.as_slice() {
        [_, height, width] if step.transposed => window.transposed_formula([*height, *width], axis),
        [_, height, width] => window.formula([*height, *width], axis),
        _ => String::new(),
    };
    WindowSummary {
        kernel: window.kernel,
        stride: window.stride,
        padding: window.padding,
        dilation: window.dilation,
        groups: step.groups,
        arithmetic: [arithmetic(0), arithmetic(1)],
    }
}
