//! A network as an ONNX graph, where this program was built to write one.

#[cfg(feature = "onnx")]
mod writer;

#[cfg(feature = "onnx")]
pub(crate) use writer::graph;

/// The bytes of an ONNX file with the batch as its free axis.
#[cfg(not(feature = "onnx"))]
pub(crate) fn graph(
    _name: &str,
    _network: &kiln_models::Network,
    _task: &kiln_models::Task,
) -> Result<Vec<u8>, crate::LabError> {
    Err(crate::LabError::usage(
        "this kiln was built without ONNX; build it with `cargo build --release --features onnx`, or export safetensors",
    ))
}
