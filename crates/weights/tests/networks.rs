//! Weights that fit a network, almost fit it and do not.

#![allow(clippy::unwrap_used)]

mod common;

use burn::{
    module::{Module, Param, ParamId},
    nn::{Linear, LinearConfig, conv::Conv2dConfig},
    tensor::{Device, Tensor},
};
use common::{Layer, NAMES, Net, data};
use kiln_weights::{
    StateDict, WeightsError, is_running_statistic, load_weights, parameter_names, transfer_weights,
    weights_bytes,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

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

/// The plain file with other names, or without those that get none.
fn renamed(folder: &tempfile::TempDir, name: impl Fn(&str) -> Option<String>) -> PathBuf {
    let bytes = fs::read(data("plain.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.iter();
    let kept = tensors.filter_map(|(old, tensor)| Some((name(old)?, tensor)));
    let path = folder.path().join("renamed.safetensors");
    fs::write(&path, safetensors::serialize(kept, None).unwrap()).unwrap();
    path
}

fn without(folder: &tempfile::TempDir, prefix: &str) -> PathBuf {
    renamed(folder, |name| {
        (!name.starts_with(prefix)).then(|| name.to_owned())
    })
}

fn refusal<M: Module>(module: M, path: &Path) -> String {
    let error = load_weights(module, path).err().unwrap().to_string();
    assert!(!error.contains('\n'), "{error}");
    error
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
        error.contains(
            "(6 tensors are unknown: features.0.bias, features.0.weight, features.1.bias, \
             features.1.running_mean and 2 more)"
        ),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, &LinearConfig::new(8, 3).init(&Device::flex()));
    let error = load_weights(Net::new(3), &path).unwrap_err();
    assert!(matches!(error, WeightsError::AnotherNetwork { .. }));
    let error = error.to_string();
    assert!(
        error.contains(
            "another network (8 tensors are missing: fc.bias, fc.weight, features.0.bias, \
             features.0.weight and 4 more; 2 are unknown: bias, weight)"
        ),
        "{error}"
    );
}

#[test]
fn every_kind_of_difference_is_counted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = renamed(&folder, |name| match name {
        "features.0.bias" => Some("features.0.offset".to_owned()),
        name => Some(name.to_owned()),
    });
    let error = refusal(Net::new(5), &path);
    assert!(
        error.ends_with(
            "does not fit the network (1 tensor is missing: features.0.bias; \
             1 is unknown: features.0.offset; 2 have another shape: \
             fc.bias is [3] instead of [5], fc.weight is [3, 8] instead of [5, 8]): \
             the file is not of this network with these images and classes, \
             so build the one that it was saved from"
        ),
        "{error}"
    );
}

#[test]
fn another_number_of_classes_or_another_image_is_told_from_the_shapes() {
    let error = refusal(Net::new(5), &data("plain.pth"));
    assert!(
        error.contains("does not fit the network (2 tensors have another shape: fc.bias"),
        "{error}"
    );
    let shape = "fc.weight is [3, 8] instead of [5, 8]";
    assert!(error.contains(shape), "{error}");
    let cause = "the number of classes differs";
    assert!(error.contains(cause), "{error}");

    let device = Device::flex();
    let mut net = Net::new(3);
    net.fc = LinearConfig::new(18, 3).init(&device);
    let error = refusal(net.clone(), &data("plain.pth"));
    assert!(error.contains("the image shape differs"), "{error}");
    net.fc = LinearConfig::new(18, 5).init(&device);
    let error = refusal(net, &data("plain.pth"));
    let cause = "the number of classes or the image shape differs";
    assert!(error.contains(cause), "{error}");
}

#[test]
fn a_kernel_of_another_size_is_no_other_task() {
    let mut net = Net::new(3);
    let conv = Conv2dConfig::new([1, 2], [3, 3]).init(&Device::flex());
    net.features.layers[0] = Layer::Conv(conv);
    let error = refusal(net, &data("plain.pth"));
    let cause = "the file is not of this network";
    assert!(error.contains(cause), "{error}");
}

#[test]
fn what_all_names_begin_with_is_left_out_where_names_of_the_network_follow() {
    let folder = tempfile::tempdir().unwrap();
    let plain = StateDict::read(&data("plain.pth")).unwrap();
    for prefix in ["model", "backbone", "learner.net"] {
        let path = renamed(&folder, |name| Some(format!("{prefix}.{name}")));
        let net = load_weights(Net::new(3), &path).unwrap();
        assert_eq!(StateDict::of(&net).unwrap(), plain, "{prefix}");
    }
    let path = renamed(&folder, |name| Some(format!("net.{name}")));
    let (_, kept) = transfer_weights(Net::new(5), &path, &["fc"]).unwrap();
    assert_eq!(kept, ["fc.weight", "fc.bias"]);
    let error = refusal(Net::new(5), &path);
    let note = "; its names are read without the 'net.' before all of them)";
    assert!(error.contains(note), "{error}");
}

#[test]
fn what_all_names_begin_with_is_said_where_no_name_of_the_network_follows() {
    let folder = tempfile::tempdir().unwrap();
    let path = renamed(&folder, |name| Some(format!("a.b{name}")));
    let error = refusal(Net::new(3), &path);
    assert!(error.contains("unknown: a.bfc.bias"), "{error}");
    assert!(
        error.contains("; all its names begin with 'a.')"),
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
        error.contains("2 tensors are missing: features.1.running_mean, features.1.running_var"),
        "{error}"
    );
    let error = transfer_weights(Net::new(3), &path, &["f"])
        .unwrap_err()
        .to_string();
    assert!(error.contains("no tensor under 'f'"), "{error}");
    assert!(error.contains("it has features, fc"), "{error}");
}
