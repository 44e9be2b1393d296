//! The tables of contents of PyTorch checkpoints.

use crate::{
    contents::{DAMAGED, Table},
    element::Element,
    file::Bytes,
};
use pytorch_reader::{PickleError, PickleValue, PytorchError, PytorchReader};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Where checkpoints keep the weights if not at the top.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// How weights are saved in a way that can be read.
const SAVE: &str = "torch.save(model.state_dict(), F)";

/// The end of an archive that names its last entries.
const TAIL: u64 = 1 << 16;

/// What every TorchScript archive holds beside its tensors, and no state dict.
const SCRIPT: &[u8] = b"/constants.pkl";

/// Reads the table of a checkpoint; `no_safetensors` says why the file is not
/// of the other kind.
pub(crate) fn pytorch(path: &Path, no_safetensors: &str) -> Result<Table, String> {
    let reader = open(path).map_err(|error| match is_script(path) {
        Ok(true) => format!("it is a TorchScript archive; save its weights alone with {SAVE}"),
        _ => described(error, no_safetensors),
    })?;
    // The tensors of an optimizer are the n-th parameter's and have no name.
    let mut names = reader.tensors().keys();
    if names.all(|name| name.starts_with("state.")) && is_optimizer(path) {
        return Err(format!(
            "it is an optimizer's state and holds no weights; save those of the network with {SAVE}"
        ));
    }
    let declare = |(name, tensor): (String, pytorch_reader::Tensor)| {
        let element = Element::of_pytorch(tensor.dtype());
        let shape = tensor.shape().to_vec();
        (name, (shape, element, Bytes::Checkpoint(tensor)))
    };
    Ok(reader.into_tensors().into_iter().map(declare).collect())
}

/// Opens a checkpoint at the place where it keeps the weights. A name like
/// `net.0.weight` may also be a tensor at the top, so it only hints at one.
fn open(path: &Path) -> Result<PytorchReader, PytorchError> {
    let top = PytorchReader::new(path)?;
    let mut nested = NESTED.iter().filter(|key| {
        let mut names = top.tensors().keys();
        names.any(|name| name.split('.').next() == Some(**key))
    });
    let nested = nested.find_map(|key| PytorchReader::with_top_level_key(path, key).ok());
    Ok(nested.unwrap_or(top))
}

fn is_optimizer(path: &Path) -> bool {
    match PytorchReader::read_pickle_data(path, None) {
        Ok(PickleValue::Dict(top)) => top.contains_key("state") && top.contains_key("param_groups"),
        _ => false,
    }
}

fn is_script(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let names_it = tail.windows(SCRIPT.len()).any(|bytes| bytes == SCRIPT);
    Ok(start == b"PK\x03\x04" && names_it)
}

fn described(error: PytorchError, no_safetensors: &str) -> String {
    let reason = match error {
        PytorchError::Pickle(PickleError::UnsupportedType(kind)) => {
            let what = unreadable(&kind);
            return format!(
                "it is a PyTorch checkpoint with {what}; save plain float tensors with {SAVE}"
            );
        }
        PytorchError::InvalidFormat(reason) if reason.starts_with("Expected a dictionary") => {
            return format!("it holds no state dict ({reason}); save one with {SAVE}");
        }
        PytorchError::InvalidFormat(reason) => reason,
        other => other.to_string(),
    };
    let reason = reason.trim_start_matches("not a PyTorch checkpoint: ");
    format!(
        "it is neither a safetensors file ({no_safetensors}) nor a whole PyTorch checkpoint \
         ({reason}); {DAMAGED}, or save it with {SAVE}"
    )
}

/// What PyTorch calls `kind`, in words.
fn unreadable(kind: &str) -> String {
    let name = kind.rsplit('.').next().unwrap_or(kind);
    let known = match name.to_lowercase() {
        name if name.contains("sparse") => "a sparse tensor",
        name if name.contains("complex") => "a complex tensor",
        name if name.contains("qtensor") => "a quantised tensor",
        name if name.starts_with("qint") || name.starts_with("quint") => "a quantised tensor",
        _ => return format!("'{}', which is no plain tensor", kind.escape_debug()),
    };
    known.to_owned()
}
