//! The compiled backends against flex: run by `just test-backend NAME`, and
//! without that for flex alone.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use burn::{
    module::Module,
    nn::loss::CrossEntropyLossConfig,
    optim::GradientsParams,
    tensor::{Device, Distribution, Int, Tensor},
};
use kiln_lab::{Context, Layers, ModelSettings, initial_network, resolve, train};
use kiln_models::{Form, MODELS, Task};
use kiln_store::Store;
use kiln_training::find_optimizer;
use std::path::Path;

/// Networks up to this cost are compared; a graphics card in software takes
/// minutes for the others.
const FEW_MACS: u64 = 60_000_000;

/// Standard normal images, as normalised ones are.
fn images(count: usize, task: &Task, host: &Device) -> Tensor<4> {
    let _only_here = kiln_backend::seed(host, 7);
    let shape = [
        count,
        task.input.channels,
        task.input.height,
        task.input.width,
    ];
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), host)
}

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
    for row in MODELS.iter().filter(|row| row.macs < FEW_MACS) {
        let task = row.form.task();
        let network = initial_network(&ModelSettings::named(row.name), &task, 1).unwrap();
        let images = images(4, &task, &host);
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

/// The losses of three steps of SGD with momentum on eight images.
fn losses(name: &str, device: &Device) -> Vec<f32> {
    let host = kiln_backend::host();
    let task = Form::Cifar.task();
    let network = initial_network(&ModelSettings::named(name), &task, 1).unwrap();
    let images = images(8, &task, &host).into_data();
    let device = device.clone().autodiff();
    let images = Tensor::<4>::from_data(images, &device);
    let targets = Tensor::<1, Int>::from_ints([0, 1, 2, 3, 4, 5, 6, 7], &device);
    let mut settings = find_optimizer("momentum").unwrap().defaults();
    settings.lr = 0.01;
    let mut optimizer = settings.build().unwrap();
    let mut network = network.fork(&device).train();
    let step = |_| {
        let loss = CrossEntropyLossConfig::new()
            .init(&device)
            .forward(network.forward(images.clone()), targets.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(settings.lr, network.clone(), gradients);
        loss.into_scalar::<f32>()
    };
    (0..3).map(step).collect()
}

#[test]
fn three_steps_lose_as_on_flex() {
    let device = kiln_backend::open(&backend().parse().unwrap()).unwrap();
    for name in ["resnet20", "vgg11-bn-cifar"] {
        let expected = losses(name, &kiln_backend::host());
        let found = losses(name, &device);
        println!("{name}: flex {expected:?}, {} {found:?}", backend());
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-3;
        assert!(expected.iter().zip(&found).all(close), "{name}");
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
    let context = Context::new(store, folder.path().to_owned());
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
