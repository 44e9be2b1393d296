//! Writes a network as an ONNX graph: `images` in, `logits` out, the batch
//! free. The operations are those that a forward pass does.

use crate::LabError;
use burn::tensor::Tensor;
use burn_onnx::export::{AxisSpec, ExportError, InputSpec, OnnxExporter};
use kiln_models::{Network, Task, layers::spelled_out};
use onnx_ir::{GraphProto, Message, ModelProto};
use std::panic::{self, AssertUnwindSafe};

/// What the graph calls its input and its output.
const INPUT: &str = "images";
const OUTPUT: &str = "logits";

/// The bytes of an ONNX file with the batch as its free axis.
///
/// # Errors
/// When the network has a layer that cannot be written.
pub(crate) fn graph(name: &str, network: &Network, task: &Task) -> Result<Vec<u8>, LabError> {
    let images = |batch| {
        let input = task.input;
        let shape = [batch, input.channels, input.height, input.width];
        Tensor::<4>::zeros(shape, &kiln_backend::host())
    };
    let axes = [
        AxisSpec::dynamic("batch"),
        AxisSpec::Static,
        AxisSpec::Static,
        AxisSpec::Static,
    ];
    // The batch is what differs between two passes.
    let export = || {
        let exporter = OnnxExporter::new();
        let specs = [InputSpec::new(axes)];
        exporter.export_dynamic(network, images(2), images(3), &specs, Network::forward)
    };
    let traced = panic::catch_unwind(AssertUnwindSafe(|| spelled_out(export)));
    let model = match traced {
        Ok(Ok(model)) => model,
        Ok(Err(error)) => return Err(refusal(name, &reason(&error))),
        Err(_) => return Err(refusal(name, "the exporter gave up on one of its layers")),
    };
    named(model.as_bytes()).map_err(|error| refusal(name, &error))
}

fn refusal(name: &str, reason: &str) -> LabError {
    LabError::usage(format!(
        "{name} cannot be written as ONNX: {reason}; export safetensors instead"
    ))
}

fn reason(error: &ExportError) -> String {
    match error {
        ExportError::UnsupportedOperation { kind, .. } => {
            format!("the exporter does not know {}", operation(kind))
        }
        ExportError::DynamicShapeLost { .. } => {
            "the exporter loses the free batch where a map is reshaped or cut".to_owned()
        }
        other => other.to_string(),
    }
}

/// The name in an operation's debug text, such as `Clamp` in
/// `NumericFloat(F32, Clamp(ClampOpIr { .. }))`.
fn operation(kind: &str) -> &str {
    let Some((names, _)) = kind.split_once('{') else {
        return kind;
    };
    let mut names = names.split(['(', ',']).map(str::trim).rev();
    names.find(|name| !name.ends_with("Ir")).unwrap_or(kind)
}

/// The same graph with the names that its users count on.
fn named(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut model = ModelProto::parse_from_bytes(bytes).map_err(|error| error.to_string())?;
    model.producer_name = "kiln".to_owned();
    let graph = model.graph.mut_or_insert_default();
    let [input] = graph.input.as_slice() else {
        return Err(format!("it has {} inputs", graph.input.len()));
    };
    let [output] = graph.output.as_slice() else {
        return Err(format!("it has {} outputs", graph.output.len()));
    };
    let (input, output) = (input.name.clone(), output.name.clone());
    rename(graph, &input, INPUT);
    rename(graph, &output, OUTPUT);
    model.write_to_bytes().map_err(|error| error.to_string())
}

fn rename(graph: &mut GraphProto, from: &str, to: &str) {
    let ends = graph.input.iter_mut().chain(&mut graph.output);
    let ends = ends.map(|value| &mut value.name);
    let nodes = graph.node.iter_mut();
    let inner = nodes.flat_map(|node| node.input.iter_mut().chain(&mut node.output));
    for name in ends.chain(inner).filter(|name| *name == from) {
        to.clone_into(name);
    }
}

#[cfg(test)]
mod tests;
