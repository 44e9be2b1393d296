//! `kiln summary`: a network layer by layer.

use crate::{
    arguments::{SummaryArguments, SummaryFormat},
    output::{self, thousands},
};
use kiln_lab::{LabError, ModelSettings, chosen_model, lazy_network};
use kiln_models::{LayerSummary, Summary, Task, summarize};
use std::process::ExitCode;

/// Optimizer's numbers for each weight: none, momentum, Adam's two.
const SLOTS: [(&str, usize); 3] = [("SGD", 0), ("momentum", 1), ("Adam", 2)];

/// Shows the layers of a network.
pub fn run(arguments: &SummaryArguments) -> Result<ExitCode, LabError> {
    let (model, mut task) = chosen_model(&arguments.model, &arguments.set)?;
    if let Some(input) = arguments.input {
        task.input = input;
    }
    if let Some(classes) = arguments.classes {
        task.classes = classes;
    }
    let summary = follow(&model, &task)?;
    match arguments.format {
        SummaryFormat::Json => output::json(&summary)?,
        SummaryFormat::Table => {
            output::text(&output::table(&HEAD, &rows(&summary)));
            output::line(&format!("\n{LEGEND}\n"));
            for [name, text] in totals(&summary, &model, arguments.batch_size as usize) {
                output::line(&format!("{name:<20} {text}"));
            }
        }
        SummaryFormat::Md => {
            output::line(&output::markdown(&HEAD, &rows(&summary)));
            output::line(&format!("{LEGEND}\n"));
            let totals = totals(&summary, &model, arguments.batch_size as usize).into_iter();
            let totals: Vec<_> = totals.map(Vec::from).collect();
            output::text(&output::markdown(&["", ""], &totals));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn follow(model: &ModelSettings, task: &Task) -> Result<Summary, LabError> {
    let network = lazy_network(model, task)?;
    summarize(&model.name, &network, task).map_err(LabError::usage)
}

const HEAD: [&str; 9] = [
    "layer",
    "what",
    "output",
    "size",
    "parameters",
    "share",
    "MACs",
    "field",
    "jump",
];

/// One row for each layer; what changes neither shape nor place stands in the
/// row of the layer before it: an activation, dropout, and the batch norm of a
/// convolution.
fn rows(summary: &Summary) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<&LayerSummary>> = Vec::new();
    for layer in &summary.layers {
        match groups.last_mut() {
            Some(group) if layer.continues(group) => group.push(layer),
            _ => groups.push(vec![layer]),
        }
    }
    groups.iter().map(|group| row(group, summary)).collect()
}

fn row(group: &[&LayerSummary], summary: &Summary) -> Vec<String> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Vec::new();
    };
    let params: usize = group.iter().map(|layer| layer.params).sum();
    let macs: u64 = group.iter().map(|layer| layer.macs).sum();
    let mut what = describe(first);
    for layer in &group[1..] {
        what += &format!(", {}", layer.kind);
    }
    let shape: Vec<_> = last.output.iter().map(usize::to_string).collect();
    let counted = |count: u64| match count {
        0 => String::new(),
        count => thousands(count),
    };
    let share = match params {
        0 => String::new(),
        _ => format!("{:.1} %", 100.0 * params as f64 / summary.params as f64),
    };
    vec![
        first.name.clone(),
        what,
        shape.join("x"),
        size(first),
        counted(params as u64),
        share,
        counted(macs),
        number(last.receptive_field),
        number(last.jump),
    ]
}

fn describe(layer: &LayerSummary) -> String {
    let Some(window) = &layer.window else {
        return layer.kind.to_owned();
    };
    let pair = |[rows, columns]: [usize; 2]| match rows == columns {
        true => rows.to_string(),
        false => format!("{rows}x{columns}"),
    };
    let depthwise = window.groups > 1 && layer.output.first() == Some(&window.groups);
    let mut text = match depthwise {
        true => "depthwise ".to_owned(),
        false => String::new(),
    };
    text += &format!("{} {}x{}", layer.kind, window.kernel[0], window.kernel[1]);
    if window.stride != [1, 1] {
        text += &format!(" stride {}", pair(window.stride));
    }
    if window.padding != [0, 0] {
        text += &format!(" pad {}", pair(window.padding));
    }
    if window.dilation != [1, 1] {
        text += &format!(" dilation {}", pair(window.dilation));
    }
    if window.groups > 1 && !depthwise {
        text += &format!(" groups {}", window.groups);
    }
    text
}

fn size(layer: &LayerSummary) -> String {
    let Some(window) = &layer.window else {
        return String::new();
    };
    let [height, width] = &window.arithmetic;
    match height == width {
        true => height.clone(),
        false => format!("{height}; {width}"),
    }
}

/// At most one decimal.
fn number(value: f64) -> String {
    match value.fract() == 0.0 {
        true => format!("{value:.0}"),
        false => format!("{value:.1}"),
    }
}

/// What the network is and costs, by name.
fn totals(summary: &Summary, model: &ModelSettings, batch: usize) -> Vec<[String; 2]> {
    let [channels, height, width] = summary.input;
    let row = |name: &str, text: String| [name.to_owned(), text];
    let inference = summary.inference_bytes.saturating_mul(batch);
    let mut rows = vec![
        row(
            "network",
            format!(
                "{} for {channels}x{height}x{width} and {} classes, in float32",
                summary.model, summary.classes
            ),
        ),
        row("parameters", thousands(summary.params as u64)),
        row(
            "forward",
            format!("{} MACs for an image", thousands(summary.macs)),
        ),
        row(
            "training step",
            format!(
                "{} MACs for an image: forward, gradients of the weights, gradients of every layer's input but the first's",
                thousands(summary.training_macs)
            ),
        ),
        row("weights", bytes(summary.weight_bytes)),
        row(
            "activations",
            format!("{} for an image", bytes(summary.activation_bytes)),
        ),
        row(
            "inference",
            format!(
                "{} for a batch of {batch}: weights, and the largest layer's input and output",
                bytes(summary.weight_bytes.saturating_add(inference))
            ),
        ),
    ];
    for (name, slots) in SLOTS {
        rows.push(row(
            &format!("training, {name}"),
            format!(
                "{} for a batch of {batch}: weights, gradients, {slots} more per weight, all activations",
                bytes(summary.training_bytes(batch, slots))
            ),
        ));
    }
    if let Some(choices) = choices(model) {
        rows.push(row("choices", choices));
    }
    rows
}

/// What is chosen of the network, as it is set.
fn choices(model: &ModelSettings) -> Option<String> {
    let options = serde_json::to_value(&model.options).ok()?;
    let options = options.as_object()?.iter();
    let options: Vec<_> = options
        .map(|(key, value)| format!("model.{key}={}", value.to_string().trim_matches('"')))
        .collect();
    (!options.is_empty()).then(|| options.join("  "))
}

const LEGEND: &str = "field: pixels, padding included, that one output depends on; jump: pixels from one output's field to the next's; MACs: multiply-accumulates of convolutions and linear layers";

fn bytes(count: usize) -> String {
    match count {
        0..1_024 => format!("{count} B"),
        1_024..1_048_576 => format!("{:.1} KiB", count as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", count as f64 / 1_073_741_824.0),
    }
}
