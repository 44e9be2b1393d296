//! The compiled backends against flex: run by `just test-backend NAME`, and
//! without that for flex alone.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use burn::{
    module::Module,
    tensor::{Distribution, Tensor},
};
use kiln_lab::{Context, Layers, initial_network, resolve, train};
use kiln_models::{MODELS, Task};
use kiln_store::Store;
use kiln_training::{Screen, Stop};
use std::path::Path;

fn backend() -> String {
    std::env::var("KILN_TEST_BACKEND").unwrap_or_else(|_| "flex".to_owned())
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
fn the_same_weights_give_the_same_logits_as_flex() {
    let device = kiln_backend::open(&backend().parse().unwrap()).unwrap();
    let host = kiln_backend::host();
    for row in MODELS {
        let task = Task {
            input: row.input,
            classes: 10,
        };
        let network = initial_network(row.name, &task, 1).unwrap();
        let shape = [8, row.input.channels, row.input.height, row.input.width];
        let images = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &host);
        let theirs = Tensor::from_data(images.clone().into_data(), &device);
        let expected = values(network.forward(images));
        let found = values(network.fork(&device).forward(theirs));
        let largest = |values: &[f32]| {
            values
                .iter()
                .fold(0f32, |most, value| most.max(value.abs()))
        };
        let differences: Vec<f32> = expected.iter().zip(&found).map(|(a, b)| a - b).collect();
        let deviation = largest(&differences) / largest(&expected);
        println!(
            "{} on {}: largest deviation {deviation:.1e}",
            row.name,
            backend()
        );
        assert!(deviation < 1e-4, "{}: {deviation}", row.name);
    }
}

#[test]
fn the_loss_falls_below_one_in_two_hundred_steps() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::locate(Some(Path::new("/nonexistent")), true).unwrap();
    let set = [
        "data.limit_train=6400",
        "data.limit_val=200",
        "train.batch_size=64",
        "train.epochs=2",
    ];
    let layers = Layers {
        config: None,
        set: set.iter().map(ToString::to_string).collect(),
        flags: vec![
            ("model.name", "lenet".into()),
            ("data.dataset", "digits".into()),
            ("device.backend", backend().into()),
        ],
    };
    let (settings, _) = resolve(&layers, &store).unwrap();
    let context = Context {
        store,
        output_dir: folder.path().to_owned(),
        name: None,
        arguments: Vec::new(),
        revision: None,
        screen: Screen::Off,
        stop: Stop::default(),
        reporter: Box::new(|_| Ok(())),
    };
    let result = train(&settings, context).unwrap().manifest.result.unwrap();
    let last = result.last.unwrap();
    println!(
        "{}: training loss {:.3} after {} steps",
        backend(),
        last.train_loss,
        result.steps
    );
    assert_eq!(result.steps, 200);
    assert!(last.train_loss < 1.0, "{}", last.train_loss);
}
