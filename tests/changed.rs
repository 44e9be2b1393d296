//! Runs on images whose pixels stand elsewhere, and on other test images than
//! their own.

use crate::runs::{resolved, store};
use kiln_lab::{
    CheckpointName, Context, EvalRequest, EvalSplit, RunFolder, Settings, evaluate_changed,
    evaluate_run, first_images, predict, train,
};
use kiln_vision::{Arrangement, ImageSpec, Images, Invert};
use std::{fs, path::Path};

const SHORT: [&str; 4] = [
    "data.limit_train=300",
    "data.limit_val=50",
    "train.epochs=2",
    "train.batch_size=32",
];

fn settings(set: &[&str]) -> Settings {
    resolved(&[&SHORT, set]).unwrap()
}

fn trained(set: &[&str], parent: &Path) -> RunFolder {
    train(&settings(set), Context::new(store(), parent.to_owned()))
        .unwrap()
        .folder
}

/// Accuracy on the run's own test images, unchanged.
fn accuracy(folder: &RunFolder) -> f64 {
    let request = EvalRequest {
        split: EvalSplit::Test,
        checkpoint: CheckpointName::Best,
        backend: None,
        batch_size: 100,
        tta: 0,
    };
    evaluate_run(folder, &request, &store()).unwrap().accuracy
}

fn on(folder: &RunFolder, dataset: Option<&str>, change: fn(&Images) -> Images) -> String {
    let best = CheckpointName::Best;
    match evaluate_changed(folder, best, dataset, [change], &store()) {
        Ok(found) => found[0].to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_network_that_learned_shuffled_pixels_is_shown_no_others() {
    let parent = tempfile::tempdir().unwrap();
    let own = ["model.name=softmax", "data.dataset=digits"];
    let shuffled = [&own[..], &["data.pixels=shuffled"]].concat();
    let folder = trained(&shuffled, parent.path());
    let settings = settings(&own);
    let (plain, _) = first_images(&settings, 20, &store()).unwrap();
    let stored = folder.manifest().unwrap().settings;
    let (seen, normalization) = first_images(&stored, 20, &store()).unwrap();
    assert_eq!(seen, Arrangement::Shuffled.arranged(plain.clone()));

    // What the network says to a file is what it says to the shuffled pixels.
    let network = kiln_lab::trained_network(&folder, CheckpointName::Best).unwrap();
    for index in 0..20 {
        let file = parent.path().join("digit.pgm");
        let picture = [b"P5 28 28 255\n", plain.pixels(index)].concat();
        fs::write(&file, picture).unwrap();
        let said = predict(&folder, CheckpointName::Best, &[&file], Invert::No).unwrap();
        let mut values = Vec::new();
        normalization.append(seen.pixels(index), &mut values);
        let image = burn::tensor::TensorData::new(values, [1, 1, 28, 28]);
        let image = burn::tensor::Tensor::<4>::from_data(image, &kiln_backend::host());
        let class = network.forward(image).argmax(1).into_data();
        let class = class.iter::<i64>().next().unwrap();
        assert_eq!(said[0].classes[0].0, class.to_string(), "{index}");
    }
    let before = accuracy(&folder);
    assert!(before > 0.2, "{before}");
    assert_eq!(on(&folder, None, Images::clone), before.to_string());
}

#[test]
fn a_configuration_from_before_the_key_means_pixels_in_order() {
    let settings = settings(&["model.name=softmax", "data.dataset=digits"]);
    let text = settings.to_toml().unwrap();
    assert!(text.contains("pixels = \"in-order\""), "{text}");
    let old = text.replace("pixels = \"in-order\"\n", "");
    assert_eq!(toml::from_str::<Settings>(&old).unwrap(), settings);
    let wrong = resolved(&[&["model.name=softmax", "data.pixels=shufled"]]);
    let error = wrong.err().unwrap().to_string();
    assert!(
        error.contains("data.pixels is ") && error.contains("write in-order"),
        "{error}"
    );
}

#[test]
fn a_convolution_over_time_takes_signals_that_a_perceptron_refuses() {
    let parent = tempfile::tempdir().unwrap();
    let beginning = |signals: &Images| {
        signals.map(ImageSpec::new(1, 1, 256), |signal, samples| {
            samples.extend_from_slice(&signal[..256]);
        })
    };
    for name in ["signal", "softmax"] {
        let folder = trained(
            &[&format!("model.name={name}"), "data.dataset=signals"],
            &parent.path().join(name),
        );
        // The long signals begin as the short ones.
        let same = on(&folder, Some("signals-long"), beginning);
        assert_eq!(same, accuracy(&folder).to_string());
        let long = on(&folder, Some("signals-long"), Images::clone);
        match name {
            "signal" => assert!(long.parse::<f64>().unwrap() > 0.15, "{long}"),
            _ => assert!(
                long.contains("cannot take 1x1x2048; its network has one size"),
                "{long}"
            ),
        }
        let other = on(&folder, Some("digits"), Images::clone);
        assert!(
            other.contains("digits has other classes than signals"),
            "{other}"
        );
    }
}
