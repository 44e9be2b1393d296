//! Every row of the zoo, table-driven: what it takes and gives, what it
//! refuses, that it learns, and that its weights survive a file.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Distribution, Int, Tensor, activation::log_softmax},
};
use kiln_lab::{ModelSettings, initial_network, lazy_network};
use kiln_models::{Form, MODELS, Network, Options, Row, Task, parameters};
use kiln_vision::ImageSpec;
use kiln_weights::{
    is_running_statistic, load_weights, parameter_names, weights_bytes, weights_sha256,
};
use std::collections::HashMap;

/// What a row's network is tested with: few classes, and for the large forms
/// an image as small as it takes.
fn task(row: &Row) -> Task {
    let input = match row.form {
        Form::ImageNet => ImageSpec::new(3, smallest(row), smallest(row)),
        form => form.task().input,
    };
    Task { input, classes: 10 }
}

/// The smallest square image that a row takes, with the channels of its form.
fn smallest(row: &Row) -> usize {
    match row.name {
        "alexnet" | "alexnet-2012" => 63,
        name if name.starts_with("vgg") => 32,
        "densenet121" | "densenet161" | "densenet169" | "densenet201" => 29,
        "squeezenet1_1" => 17,
        "lenet5-1998" => 28,
        "lenet" | "cnn-meml" => 12,
        "cnn-udl" => 16,
        "locally-connected" | "cnn-shared" => 13,
        "all-cnn-c" => 9,
        "resnet9" => 8,
        "alexnet-cifar" => 29,
        "cnn-ntu" => 4,
        "densenet-bc-100-12" | "densenet-bc-40-12" => 4,
        "cnn-macau" => 2,
        _ => 1,
    }
}

fn settings(row: &Row) -> ModelSettings {
    ModelSettings::named(row.name)
}

/// Standard normal images, as normalised ones are.
fn images(count: usize, input: ImageSpec, device: &Device) -> Tensor<4> {
    let host = kiln_backend::host();
    let _only_here = kiln_backend::seed(&host, 7);
    let shape = [count, input.channels, input.height, input.width];
    let images = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &host);
    Tensor::from_data(images.into_data(), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn mean_loss(logits: Tensor<2>) -> Tensor<1> {
    let count = logits.dims()[0];
    let targets: Vec<i64> = (0..count as i64).map(|at| at % 10).collect();
    let targets = Tensor::<1, Int>::from_ints(targets.as_slice(), &logits.device());
    -log_softmax(logits, 1)
        .gather(1, targets.unsqueeze_dim(1))
        .mean()
}

/// Checks that every parameter has a finite gradient, and counts them.
struct Gradients<'a> {
    gradients: &'a burn::tensor::Gradients,
    names: HashMap<burn::module::ParamId, String>,
    values: usize,
    row: &'a Row,
}

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = &self.names[&param.id];
        if is_running_statistic(name) {
            return;
        }
        let gradient = param.val().grad(self.gradients);
        let gradient = gradient.unwrap_or_else(|| panic!("{} {name} has none", self.row.name));
        // The sum is finite only if every value is.
        assert!(
            gradient
                .clone()
                .abs()
                .sum()
                .into_scalar::<f32>()
                .is_finite(),
            "{} {name}",
            self.row.name
        );
        self.values += gradient.shape().num_elements();
    }
}

/// Everything that holds for any network, on one network of the row.
fn check(row: &Row) {
    let task = task(row);
    let name = row.name;
    let device = Device::flex();
    let network = initial_network(&settings(row), &task, 1).unwrap();

    // Shapes, a batch of one, and the same answer for an image in any company.
    let three = images(3, task.input, &device);
    let logits = network.forward(three.clone());
    assert_eq!(logits.dims(), [3, 10], "{name}");
    let one = network.forward(three.clone().narrow(0, 0, 1));
    assert_eq!(one.dims(), [1, 10], "{name}");
    let (first, alone) = (values(logits.clone().narrow(0, 0, 1)), values(one));
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * (1.0 + a.abs());
    assert!(
        first.iter().zip(&alone).all(close),
        "{name}: {first:?} {alone:?}"
    );
    assert!(first.iter().all(|value| value.is_finite()), "{name}");

    // A gradient for every parameter.
    let training = network.clone().fork(&device).train();
    let autodiff = device.clone().autodiff();
    let gradients = mean_loss(training.forward(images(4, task.input, &autodiff))).backward();
    let mut visitor = Gradients {
        gradients: &gradients,
        names: parameter_names(&training).into_iter().collect(),
        values: 0,
        row,
    };
    training.visit(&mut visitor);
    assert_eq!(visitor.values, parameters(&training), "{name}");

    // Deterministic when not training, dropout or not.
    let valid = training.valid();
    let again = |network: &Network| values(network.forward(three.clone()));
    let answer = again(&valid);
    assert_eq!(answer, again(&valid), "{name}");

    // Equal logits after a file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    std::fs::write(&path, weights_bytes(&valid).unwrap()).unwrap();
    let loaded = load_weights(lazy_network(&settings(row), &task).unwrap(), &path).unwrap();
    assert_eq!(answer, again(&loaded), "{name}");
}

fn check_all(chosen: fn(&Row) -> bool) {
    let rows: Vec<_> = MODELS.iter().filter(|row| chosen(row)).collect();
    assert!(!rows.is_empty());
    rows.into_iter().for_each(check);
}

#[test]
fn networks_for_grey_digits_hold_their_contract() {
    check_all(|row| row.form == Form::Mnist);
}

#[test]
fn networks_for_small_colour_images_hold_their_contract() {
    check_all(|row| row.form == Form::Cifar);
}

#[test]
fn residual_networks_for_imagenet_hold_their_contract() {
    check_all(|row| row.form == Form::ImageNet && row.name.contains("resne"));
}

#[test]
fn early_networks_for_imagenet_hold_their_contract() {
    check_all(|row| row.form == Form::ImageNet && ["AlexNet", "VGG"].contains(&row.family));
}

#[test]
fn light_networks_for_imagenet_hold_their_contract() {
    check_all(|row| {
        row.form == Form::ImageNet && !["AlexNet", "VGG", "ResNet", "ResNeXt"].contains(&row.family)
    });
}

#[test]
fn the_smallest_image_is_taken_and_a_smaller_one_refused_with_the_formula() {
    for row in MODELS {
        let channels = row.form.task().input.channels;
        let task = |side| Task {
            input: ImageSpec::new(channels, side, side),
            classes: 10,
        };
        let side = smallest(row);
        assert!(
            lazy_network(&settings(row), &task(side)).is_ok(),
            "{} {side}",
            row.name
        );
        if side == 1 {
            continue;
        }
        let error = lazy_network(&settings(row), &task(side - 1))
            .unwrap_err()
            .to_string();
        assert!(error.contains(row.name), "{error}");
        if row.name != "lenet5-1998" {
            assert!(error.contains("/"), "no formula: {error}");
            assert!(
                error.contains(&format!("it takes is {side}x{side}")),
                "{error}"
            );
        }
    }
}

#[test]
fn images_of_other_shapes_are_taken() {
    let device = Device::flex();
    for name in [
        "mlp",
        "lenet",
        "resnet20",
        "cnn-ntu",
        "all-cnn-c",
        "signal",
        "encoder-decoder",
    ] {
        for input in [
            ImageSpec::CIFAR,
            ImageSpec::new(1, 28, 36),
            ImageSpec::new(2, 41, 29),
        ] {
            let task = Task { input, classes: 3 };
            let network = initial_network(&ModelSettings::named(name), &task, 1).unwrap();
            let logits = network.forward(images(2, input, &device));
            assert_eq!(logits.dims(), [2, 3], "{name} {input}");
        }
    }
}

#[test]
fn one_class_is_refused_in_words() {
    for classes in [0, 1] {
        let task = Task {
            input: ImageSpec::MNIST,
            classes,
        };
        let error = lazy_network(&ModelSettings::named("lenet"), &task).unwrap_err();
        assert!(error.to_string().contains("at least 2 classes"), "{error}");
    }
}

#[test]
fn an_untrained_network_knows_nothing() {
    for name in [
        "softmax",
        "mlp",
        "lenet",
        "lenet5-1998",
        "cnn-meml",
        "cnn-udl",
    ] {
        let row = kiln_models::find(name).unwrap();
        let network = initial_network(&settings(row), &task(row), 1).unwrap();
        let images = images(200, task(row).input, &Device::flex());
        let loss = values(mean_loss(network.forward(images)))[0];
        assert!((loss - 10f32.ln()).abs() < 0.2, "{name}: {loss}");
    }
}

#[test]
fn every_option_of_every_network_can_be_chosen() {
    use kiln_models::{
        LastNorm, Scheme, Shortcut,
        layers::{Edges, Nonlinearity, Pooling},
    };
    let device = Device::flex();
    let choices = |option: &str| -> Vec<Options> {
        let none = Options::default;
        match option {
            "width" => [0.3, 1.5]
                .map(|width| Options {
                    width: Some(width),
                    ..none()
                })
                .into(),
            "hidden" => vec![Options {
                hidden: Some(vec![7]),
                ..none()
            }],
            "activation" => [
                Nonlinearity::Sigmoid,
                Nonlinearity::Tanh,
                Nonlinearity::LeakyRelu,
                Nonlinearity::Prelu,
                Nonlinearity::Elu,
                Nonlinearity::Maxout,
            ]
            .map(|activation| Options {
                activation: Some(activation),
                ..none()
            })
            .into(),
            "pooling" => [Pooling::Max, Pooling::Average]
                .map(|pooling| Options {
                    pooling: Some(pooling),
                    ..none()
                })
                .into(),
            "pool_size" => vec![Options {
                pool_size: Some(3),
                ..none()
            }],
            "padding" => [Edges::Reflect, Edges::Replicate, Edges::Valid]
                .map(|padding| Options {
                    padding: Some(padding),
                    ..none()
                })
                .into(),
            "dropout" => vec![Options {
                dropout: Some(0.3),
                ..none()
            }],
            "shortcut" => [Shortcut::None, Shortcut::Pad, Shortcut::Projection]
                .map(|shortcut| Options {
                    shortcut: Some(shortcut),
                    ..none()
                })
                .into(),
            "last_norm" => vec![Options {
                last_norm: Some(LastNorm::Zero),
                ..none()
            }],
            "init" => [Scheme::Glorot, Scheme::He, Scheme::Lecun, Scheme::Small]
                .map(|init| Options {
                    init: Some(init),
                    ..none()
                })
                .into(),
            other => panic!("no choices for {other}"),
        }
    };
    for row in MODELS
        .iter()
        .filter(|row| row.form != Form::ImageNet && row.macs < 50_000_000)
    {
        for option in (row.options)().names() {
            for options in choices(option) {
                let model = ModelSettings {
                    name: row.name.to_owned(),
                    options,
                };
                let network = initial_network(&model, &task(row), 1)
                    .unwrap_or_else(|error| panic!("{} {option}: {error}", row.name));
                let logits = values(network.forward(images(2, task(row).input, &device)));
                assert!(
                    logits.iter().all(|value| value.is_finite()),
                    "{} {option}",
                    row.name
                );
            }
        }
    }
}

#[test]
fn the_seed_alone_decides_the_first_weights() {
    let lenet = ModelSettings::named("lenet");
    let hash = |seed| {
        let network = initial_network(&lenet, &Form::Mnist.task(), seed).unwrap();
        weights_sha256(&network).unwrap()
    };
    let alone = hash(3);
    assert_ne!(alone, hash(4));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| hash(3))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
}
