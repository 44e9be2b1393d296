//! Which networks can be written, and under which names.

use super::*;
use crate::{ModelSettings, initial_network};
use kiln_models::{MODELS, layers::Nonlinearity};

/// Layers that the exporter does not know, or a batch that it loses.
const REFUSED: [&str; 4] = [
    "locally-connected",
    "signal",
    "encoder-decoder",
    "cnn-macau",
];

/// Networks with more parameters have the layers of smaller ones, or are
/// named in [`LARGE`].
const SMALL: usize = 1_500_000;
const LARGE: [&str; 4] = ["alexnet-cifar", "resnet9", "mobilenet_v2-cifar", "resnet18"];

fn written(settings: &ModelSettings) -> Result<Vec<u8>, LabError> {
    let row = kiln_models::find(&settings.name).unwrap();
    let task = row.form.task();
    let network = initial_network(settings, &task, 1).unwrap();
    graph(&settings.name, &network, &task)
}

/// A dimension of `images` or `logits`: its name where it is free.
fn free_batch(model: &ModelProto) -> [String; 2] {
    [&model.graph.input, &model.graph.output].map(|values| {
        let shape = &values[0].type_.tensor_type().shape;
        shape.dim[0].dim_param().to_owned()
    })
}

#[test]
fn the_small_networks_are_written_with_a_free_batch_and_constant_names() {
    let chosen = MODELS
        .iter()
        .filter(|row| row.parameters < SMALL || LARGE.contains(&row.name));
    for row in chosen.filter(|row| !REFUSED.contains(&row.name)) {
        let bytes = written(&ModelSettings::named(row.name));
        let bytes = bytes.unwrap_or_else(|error| panic!("{error}"));
        let model = ModelProto::parse_from_bytes(&bytes).unwrap();
        let graph = &model.graph;
        assert_eq!(graph.input.len(), 1, "{}", row.name);
        assert_eq!(graph.input[0].name, "images", "{}", row.name);
        assert_eq!(graph.output.len(), 1, "{}", row.name);
        assert_eq!(graph.output[0].name, "logits", "{}", row.name);
        assert_eq!(free_batch(&model), ["batch", "batch"], "{}", row.name);
        let last = |node: &&onnx_ir::NodeProto| node.output[0] == "logits";
        assert_eq!(graph.node.iter().filter(last).count(), 1, "{}", row.name);
    }
}

#[test]
fn a_network_that_cannot_be_written_is_refused_in_one_sentence() {
    for name in REFUSED {
        let sentence = written(&ModelSettings::named(name))
            .unwrap_err()
            .to_string();
        assert!(
            sentence.starts_with(&format!("{name} cannot be written as ONNX: ")),
            "{sentence}"
        );
        assert!(sentence.ends_with("; export safetensors instead"));
        assert!(
            !sentence.contains('{') && sentence.len() < 160,
            "{sentence}"
        );
    }
}

#[test]
fn every_nonlinearity_but_maxout_is_written() {
    let all = [
        Nonlinearity::Linear,
        Nonlinearity::Sigmoid,
        Nonlinearity::Tanh,
        Nonlinearity::Relu6,
        Nonlinearity::LeakyRelu,
        Nonlinearity::Prelu,
        Nonlinearity::Elu,
        Nonlinearity::Maxout,
    ];
    for function in all {
        let mut settings = ModelSettings::named("mlp");
        settings.options.activation = Some(function);
        let result = written(&settings);
        assert_eq!(
            result.is_ok(),
            function != Nonlinearity::Maxout,
            "{function:?}: {:?}",
            result.err()
        );
    }
}

#[test]
fn operations_are_named_as_the_exporter_names_them() {
    let clamp = "NumericFloat(F32, Clamp(ClampOpIr { tensor: 1 }))";
    assert_eq!(operation(clamp), "Clamp");
    let pool = "Module(AdaptiveAvgPool2d(AdaptiveAvgPool2dOpIr { x: 1 }))";
    assert_eq!(operation(pool), "AdaptiveAvgPool2d");
    assert_eq!(operation("Lanczos3 has no mode"), "Lanczos3 has no mode");
}
