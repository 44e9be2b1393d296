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
            output::text(&totals(&summary, arguments.batch_size));
        }
        SummaryFormat::Md => {
            output::text(&output::markdown(&HEAD, &rows(&summary)));
            output::text(&totals(&summary, arguments.batch_size));
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

/// One row for each layer; what changes neither shape nor place, such as a
/// batch norm or an activation, stands in the row of the layer before it.
fn rows(summary: &Summary) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<&LayerSummary>> = Vec::new();
    for layer in &summary.layers {
        let follows = matches!(
            layer.kind,
            "batch norm" | "scale" | "dropout" | "channel dropout"
        ) || is_activation(layer.kind);
        match groups.last_mut() {
            Some(group) if follows => group.push(layer),
            _ => groups.push(vec![layer]),
        }
    }
    groups.iter().map(|group| row(group, summary)).collect()
}

fn is_activation(kind: &str) -> bool {
    [
        "sigmoid",
        "tanh",
        "ReLU",
        "ReLU6",
        "leaky ReLU",
        "PReLU",
        "ELU",
        "maxout",
        "squash",
        "identity",
        "response norm",
    ]
    .contains(&kind)
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
    let mut text = format!("{} {}x{}", layer.kind, window.kernel[0], window.kernel[1]);
    if window.stride != [1, 1] {
        text += &format!(" stride {}", pair(window.stride));
    }
    if window.padding != [0, 0] {
        text += &format!(" pad {}", pair(window.padding));
    }
    if window.dilation != [1, 1] {
        text += &format!(" dilation {}", pair(window.dilation));
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

fn totals(summary: &Summary, batch: usize) -> String {
    let [channels, height, width] = summary.input;
    let mut rows = vec![
        ("parameters".to_owned(), thousands(summary.params as u64)),
        (
            "forward".to_owned(),
            format!("{} MACs for an image", thousands(summary.macs)),
        ),
        (
            "training step".to_owned(),
            format!(
                "{} MACs for an image: forward, gradients of the weights, gradients of the inputs but the first",
                thousands(summary.training_macs)
            ),
        ),
        ("weights".to_owned(), bytes(summary.weight_bytes)),
        (
            "activations".to_owned(),
            format!("{} for an image", bytes(summary.activation_bytes)),
        ),
        (
            "inference".to_owned(),
            format!(
                "{} for a batch of {batch}: weights, and the largest layer's input and output",
                bytes(summary.weight_bytes + batch * summary.inference_bytes)
            ),
        ),
    ];
    for (name, slots) in SLOTS {
        rows.push((
            format!("training, {name}"),
            format!(
                "{} for a batch of {batch}: weights, gradients, {slots} more per weight, all activations",
                bytes(summary.training_bytes(batch, slots))
            ),
        ));
    }
    let lines: Vec<_> = rows
        .iter()
        .map(|(name, text)| format!("{name:<20} {text}"))
        .collect();
    format!(
        "\n{} for {channels}x{height}x{width} and {} classes, in float32\n{}\n",
        summary.model,
        summary.classes,
        lines.join("\n")
    )
}

fn bytes(count: usize) -> String {
    match count {
        0..1_024 => format!("{count} B"),
        1_024..1_048_576 => format!("{:.1} KiB", count as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", count as f64 / 1_073_741_824.0),
    }
}
