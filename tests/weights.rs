//! Weights that leave kiln and come back: names, files, imports, exports, and
//! trainings that start from them.

use crate::runs::{request, run_in, store};
use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Tensor},
};
use kiln_lab::{
    CheckpointName, EvalSplit, ExportFormat, Exportable, ImportContext, Layers, ModelSettings,
    Status, chosen_model, evaluate_run, import, initial_network, lazy_network, resolve,
    without_data,
};
use kiln_models::{Form, Network};
use kiln_weights::{StateDict, load_weights, weights_bytes, weights_sha256};
use std::path::Path;

fn network(name: &str) -> Network {
    initial_network(&ModelSettings::named(name), &Form::Mnist.task(), 1).unwrap()
}

fn context(parent: &Path) -> ImportContext {
    ImportContext {
        store: store(),
        output_dir: parent.to_owned(),
        name: None,
        arguments: vec!["kiln".into()],
        revision: None,
        note: |_| (),
    }
}

#[test]
fn loaded_weights_are_trained() {
    struct Check(usize);
    impl ModuleVisitor for Check {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            assert!(param.val().is_require_grad());
            self.0 += 1;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let lenet = || lazy_network(&ModelSettings::named("lenet"), &Form::Mnist.task()).unwrap();
    std::fs::write(&path, weights_bytes(&network("lenet")).unwrap()).unwrap();
    let device = Device::flex().autodiff();
    for network in [lenet().train(), lenet().to_device(&device), lenet()] {
        let mut check = Check(0);
        let loaded = load_weights(network, &path).unwrap();
        loaded.train().visit(&mut check);
        assert_eq!(check.0, 10);
    }
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    std::fs::write(&path, weights_bytes(&network("mlp")).unwrap()).unwrap();
    let error = load_weights(network("lenet"), &path).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("10 tensors are missing: conv1.bias, conv1.weight,"),
        "{error}"
    );
    assert!(error.contains("6 are unknown: layers.1.bias"), "{error}");
    std::fs::write(&path, b"not a file of tensors").unwrap();
    let error = load_weights(network("lenet"), &path).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn weights_have_pytorchs_names_and_layout() {
    let names = |name: &str| -> Vec<(String, Vec<usize>)> {
        let dict = StateDict::of(&network(name)).unwrap();
        let tensors = dict.tensors().iter();
        tensors
            .map(|(name, tensor)| (name.clone(), tensor.shape.clone()))
            .collect()
    };
    let expected = |names: &[(&str, &[usize])]| -> Vec<(String, Vec<usize>)> {
        let names = names.iter();
        names
            .map(|(name, shape)| ((*name).to_owned(), shape.to_vec()))
            .collect()
    };
    assert_eq!(
        names("lenet"),
        expected(&[
            ("conv1.bias", &[6]),
            ("conv1.weight", &[6, 1, 5, 5]),
            ("conv2.bias", &[16]),
            ("conv2.weight", &[16, 6, 5, 5]),
            ("fc1.bias", &[120]),
            ("fc1.weight", &[120, 400]),
            ("fc2.bias", &[84]),
            ("fc2.weight", &[84, 120]),
            ("fc3.bias", &[10]),
            ("fc3.weight", &[10, 84]),
        ])
    );
    assert_eq!(
        names("mlp"),
        expected(&[
            ("layers.1.bias", &[256]),
            ("layers.1.weight", &[256, 784]),
            ("layers.3.bias", &[84]),
            ("layers.3.weight", &[84, 256]),
            ("layers.5.bias", &[10]),
            ("layers.5.weight", &[10, 84]),
        ])
    );
}

#[test]
fn every_network_names_the_layer_that_gives_its_class_scores() {
    for row in kiln_models::MODELS {
        let network = lazy_network(&ModelSettings::named(row.name), &row.form.task()).unwrap();
        let head = network.head();
        let names = kiln_weights::parameter_names(&network);
        let found = names
            .iter()
            .any(|(_, name)| *name == format!("{head}.weight"));
        assert!(found || row.name == "lenet5-1998", "{}: {head}", row.name);
    }
}

#[test]
fn an_exported_run_comes_back_with_the_same_accuracy() {
    let parent = tempfile::tempdir().unwrap();
    let run = run_in(parent.path(), "lenet", &[]).unwrap().folder;
    let evaluate = |folder| {
        let report = evaluate_run(
            folder,
            &request(EvalSplit::Test, CheckpointName::Best),
            &store(),
        );
        report.unwrap()
    };
    let before = evaluate(&run);
    let exported = Exportable::of_run(&run, CheckpointName::Best).unwrap();
    let file = parent.path().join("lenet.safetensors");
    exported
        .write(ExportFormat::Safetensors, &file, false)
        .unwrap();
    let again = exported.write(ExportFormat::Safetensors, &file, false);
    assert!(again.unwrap_err().to_string().contains("--force"));

    let set = [
        "data.limit_train=256",
        "data.limit_val=100",
        "train.batch_size=32",
    ];
    let layers = Layers {
        config: None,
        set: set.map(str::to_owned).to_vec(),
        flags: vec![
            ("model.name", "lenet".into()),
            ("data.dataset", "digits".into()),
        ],
    };
    let (settings, _) = resolve(&layers, &store()).unwrap();
    let folder = import(&settings, None, &file, context(parent.path())).unwrap();
    let after = evaluate(&folder);
    assert_eq!(after.confusion, before.confusion);
    assert_eq!(after.weights_sha256, before.weights_sha256);
    assert_eq!(folder.manifest().unwrap().status, Status::Imported);

    // Burn's own format holds the same.
    let file = parent.path().join("lenet.bpk");
    exported
        .write(ExportFormat::Burnpack, &file, false)
        .unwrap();
    let loaded = kiln_weights::load_checkpoint_weights(network("lenet"), &file).unwrap();
    assert_eq!(weights_sha256(&loaded).unwrap(), before.weights_sha256);
}

#[test]
fn weights_without_a_data_set_are_imported_with_numbers_for_classes() {
    let parent = tempfile::tempdir().unwrap();
    let (model, task) = chosen_model("squeezenet1_1", &[]).unwrap();
    let file = parent.path().join("weights.safetensors");
    let exported = Exportable::untrained(&model, &task, 1).unwrap();
    exported
        .write(ExportFormat::Safetensors, &file, false)
        .unwrap();
    let settings = without_data(model).unwrap();
    let folder = import(&settings, Some(task), &file, context(parent.path())).unwrap();
    let manifest = folder.manifest().unwrap();
    assert_eq!(manifest.classes.len(), 1000);
    assert_eq!(manifest.normalization.mean, [0.485, 0.456, 0.406]);
    let report = evaluate_run(
        &folder,
        &request(EvalSplit::Test, CheckpointName::Best),
        &store(),
    );
    let error = report.unwrap_err().to_string();
    assert!(error.contains("imported without a data set"), "{error}");
}

/// The tensors that a training of one epoch changed.
fn changed(parent: &Path, weights: &Path, set: &[&str]) -> Vec<String> {
    let start = format!("transfer.weights={}", weights.display());
    let set: Vec<&str> = set
        .iter()
        .copied()
        .chain([start.as_str(), "train.epochs=1"])
        .collect();
    let run = run_in(parent, "resnet20", &set).unwrap().folder;
    let after = StateDict::read(&run.path().join("model.safetensors")).unwrap();
    let before = StateDict::read(weights).unwrap();
    let names = before.tensors().iter();
    names
        .filter(|(name, tensor)| after.tensors()[*name].values != tensor.values)
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn what_is_frozen_stays_bit_by_bit_and_the_rest_learns() {
    let parent = tempfile::tempdir().unwrap();
    let (model, mut task) = chosen_model("resnet20", &[]).unwrap();
    task.input = kiln_vision::ImageSpec::MNIST;
    let weights = parent.path().join("start.safetensors");
    let start = Exportable::untrained(&model, &task, 5).unwrap();
    start
        .write(ExportFormat::Safetensors, &weights, false)
        .unwrap();

    let head = changed(parent.path(), &weights, &["transfer.freeze=backbone"]);
    assert_eq!(head, ["fc.bias", "fc.weight"]);
    let set = [
        "transfer.freeze=^(conv1|bn1|layer[12])",
        "optimizer.head_lr=0.01",
    ];
    let late = changed(parent.path(), &weights, &set);
    assert!(
        late.iter()
            .all(|name| name.starts_with("layer3") || name.starts_with("fc"))
    );
    assert!(
        late.iter().any(|name| name.contains("running_var")),
        "{late:?}"
    );
    let all = changed(parent.path(), &weights, &[]);
    assert!(all.iter().any(|name| name == "conv1.weight"));

    for (freeze, words) in [
        ("^conv9", "matches no parameter"),
        (".", "leaves nothing to train"),
        ("(", "neither none, backbone nor a regular expression"),
    ] {
        let set = format!("transfer.freeze={freeze}");
        let error = run_in(parent.path(), "resnet20", &[&set]).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_head_for_other_classes_is_drawn_anew_and_learns_at_its_own_rate() {
    let parent = tempfile::tempdir().unwrap();
    let (model, mut task) = chosen_model("resnet20", &[]).unwrap();
    (task.input, task.classes) = (kiln_vision::ImageSpec::MNIST, 37);
    let weights = parent.path().join("start.safetensors");
    let start = Exportable::untrained(&model, &task, 5).unwrap();
    start
        .write(ExportFormat::Safetensors, &weights, false)
        .unwrap();
    let start = format!("transfer.weights={}", weights.display());
    let run = |set: &[&str]| {
        let set: Vec<&str> = set
            .iter()
            .copied()
            .chain([start.as_str(), "train.epochs=1"])
            .collect();
        run_in(parent.path(), "resnet20", &set)
    };
    let report = run(&["transfer.freeze=backbone"]).unwrap();
    assert_eq!(report.manifest.fresh, ["fc.weight", "fc.bias"]);
    assert_eq!(report.manifest.trainable_parameters, 650);
    assert!(report.manifest.parameters > 260_000);
    let other = run(&["transfer.freeze=backbone", "optimizer.head_lr=0.0001"]).unwrap();
    assert_ne!(
        other.manifest.weights_sha256,
        report.manifest.weights_sha256
    );
    let same = run(&["transfer.freeze=backbone", "optimizer.head_lr=0.002"]).unwrap();
    assert_eq!(same.manifest.weights_sha256, report.manifest.weights_sha256);
    let error = run(&["data.classes=11"]).err().unwrap().to_string();
    assert!(
        error.contains("data.classes is 11, but digits has 10 classes"),
        "{error}"
    );
}
