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
    let wrong = short(&["--set", "data.preprocessing=zca"]);
    refuses(at, &wrong, 2, &["data.preprocessing is", "mean-image"]);
    for set in ["model.activation=Leaky_ReLU", "model.init=HE"] {
        let output = kiln(at, &["summary", "lenet", "--set", set]);
        assert!(output.status.success(), "{}", stderr(&output));
    }
}
