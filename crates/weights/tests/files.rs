//! Files that PyTorch and safetensors wrote, whole and damaged.

#![allow(clippy::unwrap_used)]

mod common;

use burn::tensor::{Device, Tensor, TensorData, activation::relu};
use common::{Layer, NAMES, Net, data};
use kiln_weights::{StateDict, load_weights, weights_bytes, weights_sha256};
use std::{fs, path::Path};

fn refusal(path: &Path) -> String {
    let error = StateDict::read(path).unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    assert!(error.contains(&path.display().to_string()), "{error}");
    error
}

/// What is said about a file of these bytes.
fn refusal_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    fs::write(&path, bytes).unwrap();
    refusal(&path)
}

fn tensor<const D: usize>(state: &StateDict, name: &str) -> Tensor<D> {
    let tensor = &state.tensors()[name];
    let data = TensorData::new(tensor.values.clone(), tensor.shape.clone());
    Tensor::from_data(data, &Device::flex())
}

fn logits(net: &Net, images: Tensor<4>) -> Tensor<2> {
    let layers = net.features.layers.iter();
    let features = layers.fold(images, |images, layer| match layer {
        Layer::Conv(conv) => conv.forward(images),
        Layer::Norm(norm) => norm.forward(images),
    });
    net.fc.forward(relu(features).flatten(1, 3))
}

#[test]
fn every_kind_of_file_gives_the_same_weights() {
    let plain = StateDict::read(&data("plain.safetensors")).unwrap();
    assert!(plain.tensors().keys().eq(NAMES));
    assert_eq!(plain.tensors()["fc.weight"].shape, [3, 8]);
    assert_eq!(plain.tensors()["features.1.bias"].values, [0.0, 0.25]);
    for name in [
        "plain.pth",
        "legacy.pth",
        "nested.pth",
        "compiled.pth",
        "mixed.pth",
        "mixed.safetensors",
        "wrapped.safetensors",
    ] {
        assert_eq!(StateDict::read(&data(name)).unwrap(), plain, "{name}");
    }
}

#[test]
fn a_loaded_network_computes_what_pytorch_does() {
    let example = StateDict::read(&data("forward.safetensors")).unwrap();
    for name in ["plain.safetensors", "plain.pth", "legacy.pth"] {
        let net = load_weights(Net::new(3), &data(name)).unwrap();
        let logits = logits(&net, tensor(&example, "images"));
        let difference = (logits - tensor(&example, "logits")).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-5, "{name}");
    }
}

#[test]
fn the_content_and_not_the_name_tells_the_kind() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [("plain.pth", "a.safetensors"), ("plain.safetensors", "b")] {
        let path = folder.path().join(to);
        fs::copy(data(from), &path).unwrap();
        assert_eq!(StateDict::read(&path).unwrap().tensors().len(), 8);
    }
}

#[test]
fn saved_weights_are_read_back_and_equal_weights_are_equal_bytes() {
    let net = load_weights(Net::new(3), &data("plain.pth")).unwrap();
    let state = StateDict::of(&net).unwrap();
    assert_eq!(state, StateDict::read(&data("plain.pth")).unwrap());
    assert_eq!(state.sha256(), weights_sha256(&net).unwrap());
    let again = load_weights(Net::new(3), &data("legacy.pth")).unwrap();
    let bytes = weights_bytes(&net).unwrap();
    assert_eq!(bytes, weights_bytes(&again).unwrap());
    // Python's header may be padded in another way; the tensors behind it are alike.
    let python = fs::read(data("plain.safetensors")).unwrap();
    let count: usize = state
        .tensors()
        .values()
        .map(|tensor| 4 * tensor.values.len())
        .sum();
    assert_eq!(bytes[bytes.len() - count..], python[python.len() - count..]);
}

#[test]
fn integers_and_values_that_are_no_numbers_are_refused_by_name() {
    for name in ["integers.pth", "integers.safetensors"] {
        let error = refusal(&data(name));
        assert!(error.contains("holds steps as I64"), "{error}");
    }
    let error = refusal(&data("nan.pth"));
    assert!(
        error.contains("infinite or NaN value in fc.bias"),
        "{error}"
    );
}

#[test]
fn what_is_no_file_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(&folder.path().join("none.pth"));
    assert!(error.contains("there is no such file; check"), "{error}");
    let error = refusal(folder.path());
    assert!(error.contains("it is a folder; name a file"), "{error}");
    assert!(refusal_of(b"").contains("the file is empty"));
}

#[test]
fn pickles_that_hold_no_weights_are_refused_in_words() {
    for (name, said) in [
        ("list.pkl", "found list"),
        ("int.pkl", "found int"),
        ("object.pkl", "found __main__.Strange"),
        ("dictionary.pkl", "it holds no tensors"),
        (
            "no_pickle.zip",
            "neither a safetensors file (it has no table of contents) nor a whole PyTorch checkpoint",
        ),
    ] {
        let error = refusal(&data(name));
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn truncated_files_are_refused_wherever_they_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    for name in ["plain.safetensors", "plain.pth", "legacy.pth"] {
        let whole = fs::read(data(name)).unwrap();
        for length in (0..whole.len()).step_by(11) {
            fs::write(&path, &whole[..length]).unwrap();
            refusal(&path);
        }
    }
    let whole = fs::read(data("plain.safetensors")).unwrap();
    let error = refusal_of(&whole[..700]);
    assert!(
        error.contains("of 772 bytes of which 700 are there"),
        "{error}"
    );
}

#[test]
fn bytes_of_no_kind_are_refused() {
    let mut state = 1u32;
    for length in 1..300 {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        refusal_of(&bytes);
    }
    for start in [
        &b"<html>"[..],
        b"PK\x03\x04",
        b"\x80\x02",
        b"\x10\0\0\0\0\0\0\0{",
    ] {
        refusal_of(start);
    }
}
