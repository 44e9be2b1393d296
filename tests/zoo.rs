//! Every row of the zoo, table-driven.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Distribution, Int, Tensor, activation::log_softmax},
};
use kiln_lab::initial_network;
use kiln_models::{MODELS, Network, Row, Task, parameters};
use kiln_training::{load_weights, weights_bytes, weights_sha256};
use kiln_vision::ImageSpec;

fn task(input: ImageSpec) -> Task {
    Task { input, classes: 10 }
}

fn network(row: &Row, input: ImageSpec) -> Network {
    initial_network(row.name, &task(input), 1).unwrap()
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

#[test]
fn parameter_counts_are_the_published_ones() {
    for row in MODELS {
        assert_eq!(
            parameters(&network(row, row.input)),
            row.parameters,
            "{}",
            row.name
        );
    }
}

#[test]
fn colour_images_and_other_sizes_are_taken() {
    for row in MODELS {
        for input in [
            ImageSpec::MNIST,
            ImageSpec::CIFAR,
            ImageSpec::new(1, 32, 32),
        ] {
            let network = network(row, input);
            for count in [1, 3] {
                let logits = network.forward(images(count, input, &Device::flex()));
                assert_eq!(logits.dims(), [count, 10], "{} {input}", row.name);
            }
        }
    }
}

#[test]
fn images_that_are_too_small_are_refused_in_words() {
    for name in ["lenet", "lenet5-1998"] {
        let error = initial_network(name, &task(ImageSpec::new(1, 11, 28)), 1).unwrap_err();
        assert!(error.to_string().contains("1x11x28"), "{error}");
    }
    assert!(initial_network("lenet", &task(ImageSpec::new(1, 12, 12)), 1).is_ok());
    let one_class = Task {
        input: ImageSpec::MNIST,
        classes: 1,
    };
    let error = initial_network("lenet", &one_class, 1).unwrap_err();
    assert!(error.to_string().contains("at least 2 classes"), "{error}");
}

#[test]
fn an_untrained_network_knows_nothing() {
    for row in MODELS {
        let network = network(row, row.input);
        let loss = values(mean_loss(network.forward(images(
            200,
            row.input,
            &Device::flex(),
        ))))[0];
        assert!((loss - 10f32.ln()).abs() < 0.1, "{}: {loss}", row.name);
    }
}

#[test]
fn every_parameter_receives_a_finite_gradient() {
    struct Check<'a>(&'a burn::tensor::Gradients, usize);
    impl ModuleVisitor for Check<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = param.val().grad(self.0).expect("a gradient");
            let gradient = values(gradient);
            assert!(gradient.iter().all(|value| value.is_finite()));
            assert!(gradient.iter().any(|value| *value != 0.0));
            self.1 += gradient.len();
        }
    }
    for row in MODELS {
        let network = network(row, row.input).train();
        let device = Device::flex().autodiff();
        let gradients = mean_loss(network.forward(images(20, row.input, &device))).backward();
        let mut check = Check(&gradients, 0);
        network.visit(&mut check);
        assert_eq!(check.1, row.parameters, "{}", row.name);
    }
}

#[test]
fn saved_weights_give_the_same_logits() {
    let folder = tempfile::tempdir().unwrap();
    for row in MODELS {
        let saved = network(row, row.input);
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, weights_bytes(&saved).unwrap()).unwrap();
        let other = initial_network(row.name, &task(row.input), 2).unwrap();
        assert_ne!(
            weights_sha256(&other).unwrap(),
            weights_sha256(&saved).unwrap()
        );
        let loaded = load_weights(other, &path).unwrap();
        assert_eq!(
            weights_sha256(&loaded).unwrap(),
            weights_sha256(&saved).unwrap()
        );
        let images = images(2, row.input, &Device::flex());
        assert_eq!(
            values(loaded.forward(images.clone())),
            values(saved.forward(images))
        );
    }
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let of = |name: &str| initial_network(name, &task(ImageSpec::MNIST), 1).unwrap();
    std::fs::write(&path, weights_bytes(&of("mlp")).unwrap()).unwrap();
    let error = load_weights(of("lenet"), &path).unwrap_err().to_string();
    assert!(error.contains("conv1.weight is missing"), "{error}");
    assert!(
        error.contains("fc1.weight is [256, 784] instead of [120, 400]"),
        "{error}"
    );
    std::fs::write(&path, b"not a file of tensors").unwrap();
    assert!(
        load_weights(of("lenet"), &path)
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
}

#[test]
fn weights_have_pytorchs_names_and_layout() {
    let lenet = initial_network("lenet", &task(ImageSpec::MNIST), 1).unwrap();
    let bytes = weights_bytes(&lenet).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut shapes: Vec<_> = file
        .iter()
        .map(|(name, view)| (name, view.shape().to_vec()))
        .collect();
    shapes.sort();
    let expected: [(&str, Vec<usize>); 10] = [
        ("conv1.bias", vec![6]),
        ("conv1.weight", vec![6, 1, 5, 5]),
        ("conv2.bias", vec![16]),
        ("conv2.weight", vec![16, 6, 5, 5]),
        ("fc1.bias", vec![120]),
        ("fc1.weight", vec![120, 400]),
        ("fc2.bias", vec![84]),
        ("fc2.weight", vec![84, 120]),
        ("fc3.bias", vec![10]),
        ("fc3.weight", vec![10, 84]),
    ];
    assert_eq!(shapes, expected);
}

#[test]
fn the_seed_alone_decides_the_first_weights() {
    let hash = |seed| {
        let network = initial_network("lenet", &task(ImageSpec::MNIST), seed).unwrap();
        weights_sha256(&network).unwrap()
    };
    let alone = hash(3);
    assert_ne!(alone, hash(4));
    let threads: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(move || hash(3)))
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), alone);
    }
}
