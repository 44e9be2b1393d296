//! A network as an ONNX graph, where this program was built to write one.

use crate::LabError;
use kiln_models::{Network, Task};

/// The bytes of an ONNX file with the batch as its free axis.
#[cfg(not(feature = "onnx"))]
pub(crate) fn graph(_network: &Network, _task: &Task) -> Result<Vec<u8>, LabError> {
    Err(LabError::usage(
        "this kiln was built without ONNX; build it with `cargo build --release --features onnx`, or export safetensors",
    ))
}
