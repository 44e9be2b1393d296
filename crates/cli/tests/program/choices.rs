//! Flags and keys that cannot be meant: none is taken and left aside.

use crate::{kiln, refuses, short, stderr};

#[test]
fn no_flag_is_accepted_and_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let words = [
        "data.input is 1x32x32, but the images of digits are 1x28x28",
        "only a folder of pictures",
    ];
    refuses(at, &short(&["--input", "1x32x32"]), 2, &words);
    let classes = ["train", "mlp", "--dataset", "digits", "--classes", "0"];
    refuses(
        at,
        &classes,
        2,
        &["--classes is 0, but it must be at least 2"],
    );
    let output = kiln(
        at,
        &short(&["--input", "1x28x28", "--set", "data.classes=0"]),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    for flag in [
        ["--seed", "3"],
        ["--classes", "3"],
        ["--input", "1x28x28"],
        ["--set", "model.hidden=[3]"],
    ] {
        let export = [&["export", "latest", "--output", "w"][..], &flag].concat();
        refuses(
            at,
            &export,
            2,
            &[flag[0], "belongs to a network", "is a run"],
        );
    }
    let export = ["export", "mlp", "--checkpoint", "last", "--output", "w"];
    refuses(at, &export, 2, &["--checkpoint belongs to a run"]);
    let output = ["predict", "latest", "a.png", "--output", "y"];
    refuses(at, &output, 2, &["--tensor"]);
    assert!(!at.join("y").exists());
    let top = ["predict", "latest", "a.png", "--top", "0"];
    refuses(at, &top, 2, &["--top is 0, but it must be at least 1"]);
    for start in [
        &["summary", "mlp"][..],
        &["export", "mlp", "--output", "w"],
        &["import", "--model", "mlp", "--weights", "w"],
        &[
            "import",
            "--model",
            "mlp",
            "--weights",
            "w",
            "--dataset",
            "digits",
        ],
    ] {
        let other = [start, &["--set", "model.name=lenet"]].concat();
        refuses(at, &other, 2, &["names another network than mlp"]);
    }
}

#[test]
fn a_wrong_option_is_named_with_what_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (model, set, words) in [
        (
            "lenet",
            "model.activation=foo",
            &["model.activation is", "foo", "sigmoid"][..],
        ),
        (
            "lenet",
            "model.init=kaiming",
            &["model.init is", "kaiming", "orthogonal"],
        ),
        (
            "mlp",
            "model.hidden=[-1]",
            &["model.hidden", "a list of whole numbers"],
        ),
        (
            "mlp",
            "model.hidden=[1.5]",
            &["model.hidden", "a list of whole numbers"],
        ),
        ("mlp", "model.hidden=many", &["model.hidden", "a list"]),
        ("mlp", "model.hidden", &["write --set model.hidden=VALUE"]),
        ("lenet", "model.xyz=1", &["model.xyz", "does not exist"]),
    ] {
        let arguments = ["summary", model, "--set", set];
        refuses(at, &arguments, 2, words);
        let text = stderr(&kiln(at, &arguments));
        assert_eq!(text.lines().count(), 1, "{text}");
        let is_foreign = set.contains("xyz") && text.contains("shortcut");
        assert!(!is_foreign, "{text}");
    }
    let none = short(&["--set", "optimizer.decay=conv9"]);
    let words = [
        "optimizer.decay is 'conv9', which is in no parameter's path",
        "the first of this network is",
    ];
    refuses(at, &none, 2, &words);
    assert!(!at.join("runs").exists());
    let wrong = short(&["--set", "data.preprocessing=zca"]);
    refuses(at, &wrong, 2, &["data.preprocessing is", "mean-image"]);
    for set in ["model.activation=Leaky_ReLU", "model.init=HE"] {
        let output = kiln(at, &["summary", "lenet", "--set", set]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

#[test]
fn a_second_task_is_learned_beside_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let parity = "regularization.parity=0.5";
    let small = ["--epochs", "8", "--limit-train", "500", "--limit-val", "50"];
    let mut train = vec!["train", "mlp", "--dataset", "digits", "--set", parity];
    train.extend(small);
    let trained = kiln(folder.path(), &train);
    assert_eq!(trained.status.code(), Some(0), "{}", stderr(&trained));
    let manifest = std::fs::read(folder.path().join("runs/latest/run.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    // Two more outputs of 84 inputs and a bias each.
    assert_eq!(manifest["parameters"], 223_398 - 85 * 10 + 85 * 12);
    assert_eq!(manifest["classes"].as_array().unwrap().len(), 10);
    let output = kiln(folder.path(), &["eval", "latest", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["confusion"].as_array().unwrap().len(), 10);
    assert!(report["accuracy"].as_f64().unwrap() > 0.3, "{report}");
    refuses(
        folder.path(),
        &["train", "lenet", "--dataset", "shapes", "--set", parity],
        2,
        &["regularization.parity", "no digits"],
    );
}
