//! What is said of files that hold no weights, or none that can be used.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod common;

use common::{Net, data};
use kiln_weights::{StateDict, load_checkpoint_weights, load_weights};
use safetensors::{Dtype, tensor::TensorView};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn refusal(path: &Path) -> String {
    let error = StateDict::read(path).unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    assert!(error.contains(&path.display().to_string()), "{error}");
    error
}

/// What is said about a file of these bytes.
fn refusal_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    fs::write(&path, bytes).unwrap();
    refusal(&path)
}

/// What is said about a file of one tensor.
fn refusal_of_tensor(name: &str, dtype: Dtype, bytes: &[u8]) -> String {
    let view = TensorView::new(dtype, vec![2], bytes).unwrap();
    refusal_of(&safetensors::serialize([(name, view)], None).unwrap())
}

fn doubles(values: [f64; 2]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

#[test]
fn integers_are_to_be_saved_as_floats() {
    let error = refusal(&data("integers.pth"));
    assert!(error.contains("with this tensor as float32"), "{error}");
    let unknown = load_weights(Net::new(3), &data("integers.pth")).unwrap_err();
    let unknown = unknown.to_string();
    assert!(unknown.contains("1 tensor is unknown: steps"), "{unknown}");
}

#[test]
fn a_double_too_large_for_a_float_is_no_diverged_training() {
    let error = refusal_of_tensor("fc.bias", Dtype::F64, &doubles([1.0, -1e300]));
    let said = "has -1e300 in fc.bias, which float32 cannot hold";
    assert!(error.contains(said), "{error}");
    let error = refusal_of_tensor("fc.bias", Dtype::F64, &doubles([f64::INFINITY, 1e300]));
    let said = "an infinite or NaN value in fc.bias";
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_negative_variance_is_refused_by_name() {
    let error = refusal_of_tensor("bn.running_var", Dtype::F64, &doubles([1.0, -0.5]));
    let said = "a negative value in bn.running_var";
    assert!(error.contains(said), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mean");
    let mean = doubles([1.0, -0.5]);
    let view = TensorView::new(Dtype::F64, vec![2], &mean).unwrap();
    let bytes = safetensors::serialize([("bn.running_mean", view)], None).unwrap();
    fs::write(&path, bytes).unwrap();
    assert!(StateDict::read(&path).is_ok());
}

#[test]
fn a_safetensors_file_cut_within_its_table_or_too_long_is_called_so() {
    let whole = fs::read(data("plain.safetensors")).unwrap();
    let error = refusal_of(&whole[..100]);
    let said = "a safetensors file that ends after 100 bytes, within its table of contents of";
    assert!(error.contains(said), "{error}");
    let error = refusal_of(&[&whole[..], b"more"].concat());
    let said = "a safetensors file of 772 bytes with 4 more behind them";
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_file_of_no_kind_is_compared_with_both() {
    let neither = "it is neither a safetensors file (";
    let error = refusal_of(b"hello");
    assert!(error.contains(neither), "{error}");
    assert!(error.contains("5 bytes are too few for one"), "{error}");
    assert!(error.contains("nor a whole PyTorch checkpoint"), "{error}");
    let mut huge = (1_u64 << 40).to_le_bytes().to_vec();
    huge.extend(b"{\"a\":{}}");
    let error = refusal_of(&huge);
    let said = "table of contents would be 1099511627776 bytes long";
    assert!(error.contains(said), "{error}");
}

#[test]
fn what_pytorch_saves_beside_plain_weights_is_called_by_its_name() {
    for (name, said) in [
        ("sgd.pth", "it is an optimizer's state and holds no weights"),
        (
            "adam.pth",
            "it is an optimizer's state and holds no weights",
        ),
        ("script.pth", "it is a TorchScript archive"),
        ("sparse.pth", "with a sparse tensor;"),
        ("complex.pth", "with a complex tensor;"),
        ("quantised.pth", "with a quantised tensor;"),
        (
            "strange.pth",
            "with 'torch._utils._rebuild_strange', which is no plain tensor;",
        ),
        ("list.pkl", "it holds no state dict"),
    ] {
        let error = refusal(&data(name));
        assert!(error.contains(said), "{error}");
        let advice = "with torch.save(model.state_dict(), F)";
        assert!(error.ends_with(advice), "{error}");
        assert!(!error.contains("download"), "{error}");
    }
}

#[cfg(unix)]
fn pipe(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    path
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = pipe(&folder);
    let error = refusal(&pipe);
    assert!(error.contains("it is no regular file"), "{error}");
    let error = load_checkpoint_weights(Net::new(3), &pipe).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("it is no regular file"), "{error}");
}
