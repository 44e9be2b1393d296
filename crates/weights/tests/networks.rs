//! Weights that fit a network, almost fit it and do not.

#![allow(clippy::unwrap_used)]

mod common;

use burn::{
    module::{Module, Param, ParamId},
    nn::{Linear, LinearConfig},
    tensor::{Device, Tensor},
};
use common::{NAMES, Net, data};
use kiln_weights::{
    StateDict, WeightsError, is_running_statistic, load_weights, parameter_names, transfer_weights,
    weights_bytes,
};
use std::{fs, path::PathBuf};

/// A network that must never draw its parameters.
#[derive(Module, Debug)]
struct Untouched {
    fc: Linear,
}

impl Untouched {
    fn new() -> Self {
        let mut fc = LinearConfig::new(8, 3).init(&Device::flex());
        let never = |_: &Device, _: bool| -> Tensor<2> { panic!("drawn") };
        let shape = [8, 3].into();
        fc.weight = Param::uninitialized(ParamId::new(), never, Device::flex(), true, shape);
        Self { fc }
    }
}

fn saved<M: Module>(folder: &tempfile::TempDir, module: &M) -> PathBuf {
    let path = folder.path().join("model.safetensors");
    fs::write(&path, weights_bytes(module).unwrap()).unwrap();
    path
}

fn without(folder: &tempfile::TempDir, prefix: &str) -> PathBuf {
    let bytes = fs::read(data("plain.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let kept = file.iter().filter(|(name, _)| !name.starts_with(prefix));
    let path = folder.path().join("without.safetensors");
    fs::write(&path, safetensors::serialize(kept, None).unwrap()).unwrap();
    path
}

#[test]
fn parameters_have_pytorchs_names_in_visiting_order() {
    let net = Net::new(3);
    let mut names: Vec<String> = parameter_names(&net)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert_eq!(names[0], "features.0.weight");
    assert_eq!(names[7], "fc.bias");
    names.sort();
    assert_eq!(names, NAMES);
    let statistics = NAMES.iter().filter(|name| is_running_statistic(name));
    assert_eq!(statistics.count(), 2);
}

#[test]
fn naming_and_loading_draw_no_parameter() {
    let folder = tempfile::tempdir().unwrap();
    let net = Untouched::new();
    let names = parameter_names(&net);
    assert_eq!(names[0], (net.fc.weight.id, "fc.weight".to_owned()));
    let path = without(&folder, "features");
    let loaded = load_weights(net, &path).unwrap();
    assert_eq!(loaded.fc.weight.id, names[0].0);
    assert_eq!(
        StateDict::of(&loaded).unwrap(),
        StateDict::read(&path).unwrap()
    );
}

#[test]
fn the_weights_of_another_network_are_called_so() {
    let error = load_weights(Untouched::new(), &data("plain.pth")).unwrap_err();
    assert!(matches!(error, WeightsError::Unfit { .. }));
    let error = error.to_string();
    assert!(
        error.contains("6 differences: features.0.bias is unknown,"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, &LinearConfig::new(8, 3).init(&Device::flex()));
    let error = load_weights(Net::new(3), &path).unwrap_err();
    assert!(matches!(error, WeightsError::AnotherNetwork { .. }));
    let error = error.to_string();
    assert!(
        error.contains("10 differences: fc.bias is missing, fc.weight is missing,"),
        "{error}"
    );
    assert!(
        error.contains("features.1.running_mean is missing and 4 more"),
        "{error}"
    );
}

#[test]
fn a_tensor_of_another_shape_is_refused_by_name() {
    let error = load_weights(Net::new(5), &data("plain.pth"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("does not fit the network (2 differences: "),
        "{error}"
    );
    assert!(
        error.contains("fc.weight is [3, 8] instead of [5, 8]"),
        "{error}"
    );
}

#[test]
fn transfer_keeps_the_head_of_another_size_and_loads_the_rest() {
    let net = Net::new(5);
    let before = StateDict::of(&net).unwrap();
    let (net, kept) = transfer_weights(net, &data("plain.pth"), &["fc"]).unwrap();
    assert_eq!(kept, ["fc.weight", "fc.bias"]);
    let after = StateDict::of(&net).unwrap();
    let file = StateDict::read(&data("plain.pth")).unwrap();
    for (name, tensor) in after.tensors() {
        let from = if name.starts_with("fc.") {
            &before
        } else {
            &file
        };
        assert_eq!(tensor, &from.tensors()[name], "{name}");
    }
}

#[test]
fn transfer_keeps_a_head_that_the_file_does_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = without(&folder, "fc.");
    let (_, kept) = transfer_weights(Net::new(3), &path, &["fc."]).unwrap();
    assert_eq!(kept, ["fc.weight", "fc.bias"]);
    let (_, kept) = transfer_weights(Net::new(3), &data("plain.pth"), &["fc"]).unwrap();
    assert_eq!(kept, [""; 0]);
}

#[test]
fn transfer_is_strict_outside_of_the_head() {
    let folder = tempfile::tempdir().unwrap();
    let path = without(&folder, "features.1.running");
    let error = transfer_weights(Net::new(3), &path, &["fc"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("features.1.running_mean is missing"),
        "{error}"
    );
    let error = transfer_weights(Net::new(3), &path, &["f"])
        .unwrap_err()
        .to_string();
    assert!(error.contains("no tensor under 'f'"), "{error}");
    assert!(error.contains("it has features, fc"), "{error}");
}
