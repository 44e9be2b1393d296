//! The verbs about networks and their weights.

use crate::{kiln, refuses, stderr, stdout};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{fs, path::Path};

/// A file with one tensor of floats.
pub fn tensor_file(path: &Path, name: &str, shape: &[usize]) {
    let bytes = vec![0u8; shape.iter().product::<usize>() * 4];
    let view = TensorView::new(Dtype::F32, shape.to_vec(), &bytes).unwrap();
    fs::write(path, safetensors::serialize([(name, view)], None).unwrap()).unwrap();
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = kiln(folder, arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn lists_name_everything_that_other_commands_take() {
    let folder = tempfile::tempdir().unwrap();
    let text = stdout(&kiln(folder.path(), &["list", "models"]));
    assert!(text.contains("\nResNet\n"), "{text}");
    assert!(text.contains("61,706"), "{text}");
    for (what, name) in [
        ("models", "resnet20"),
        ("datasets", "digits"),
        ("optimizers", "adamw"),
        ("schedules", "cosine"),
        ("backends", "wgpu"),
        ("experiments", "mlp-vs-cnn"),
    ] {
        let listed = json(folder.path(), &["list", what, "--format", "json"]);
        let listed = listed.as_array().unwrap();
        assert!(listed.iter().any(|row| row["name"] == name), "{what}");
        let text = stdout(&kiln(folder.path(), &["list", what]));
        assert!(text.contains(name), "{what}: {text}");
    }
    refuses(folder.path(), &["list", "modls"], 2, &["models"]);
}

#[test]
fn a_summary_shows_the_arithmetic_of_every_layer() {
    let folder = tempfile::tempdir().unwrap();
    let lenet = json(folder.path(), &["summary", "lenet", "--format", "json"]);
    assert_eq!(
        (&lenet["params"], &lenet["macs"]),
        (&61706.into(), &416_520.into())
    );
    let first = &lenet["layers"][0];
    assert_eq!(
        (&first["name"], &first["kind"]),
        (&"conv1".into(), &"conv".into())
    );
    assert_eq!(first["output"], serde_json::json!([6, 28, 28]));
    assert_eq!(
        first["window"]["arithmetic"][0],
        "(28 - 5 + 2*2)/1 + 1 = 28"
    );
    assert_eq!(
        (&first["params"], &first["macs"]),
        (&156.into(), &117_600.into())
    );
    assert_eq!(first["receptive_field"], 5.0);
    let text = stdout(&kiln(folder.path(), &["summary", "LENET"]));
    assert!(text.contains("conv 5x5 pad 2, ReLU"), "{text}");
    let markdown = stdout(&kiln(
        folder.path(),
        &["summary", "lenet", "--format", "md"],
    ));
    assert!(markdown.starts_with("| layer | "), "{markdown}");
    let wide = [
        "summary",
        "mlp",
        "--set",
        "model.hidden=[512,512,512]",
        "--format",
        "json",
    ];
    assert_eq!(json(folder.path(), &wide)["params"], 932_362);
}

#[test]
fn what_no_network_can_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let small = ["summary", "lenet", "--input", "1x11x11"];
    refuses(
        at,
        &small,
        2,
        &["max pool 2x2", "= 0.5", "smallest image it takes is 12x12"],
    );
    refuses(
        at,
        &["summary", "lenett"],
        2,
        &["did you mean 'lenet'?", "kiln list models"],
    );
    refuses(
        at,
        &["summary", "lenet", "--classes", "0"],
        2,
        &["at least 2 classes"],
    );
    refuses(
        at,
        &["summary", "lenet", "--input", "3x0x1"],
        2,
        &["CHANNELSxHEIGHTxWIDTH"],
    );
    let no_option = ["summary", "resnet20", "--set", "model.hidden=[3]"];
    refuses(
        at,
        &no_option,
        2,
        &["resnet20 has no option model.hidden", "shortcut"],
    );
    let value = ["summary", "lenet", "--set", "model.activation=rellu"];
    refuses(at, &value, 2, &["relu"]);
    let width = ["summary", "mlp", "--set", "model.hidden=[0]"];
    refuses(at, &width, 2, &["a layer has 1 to"]);
    refuses(
        at,
        &["summary", "mlp", "--set", "train.epochs=1"],
        2,
        &["only model.*"],
    );
}

#[test]
fn raw_scores_are_those_of_the_exported_weights() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let export = ["export", "resnet20", "--output", "w.safetensors"];
    assert!(kiln(at, &export).status.success());
    refuses(
        at,
        &export,
        2,
        &["w.safetensors is there already", "--force"],
    );
    tensor_file(&at.join("in.safetensors"), "images", &[3, 3, 32, 32]);
    let with = |weights: &'static str, tensor: &'static str| {
        vec![
            "predict",
            "--model",
            "resnet20",
            "--weights",
            weights,
            "--tensor",
            tensor,
            "--output",
            "out.safetensors",
            "--force",
        ]
    };
    let output = kiln(at, &with("w.safetensors", "in.safetensors"));
    assert!(output.status.success(), "{}", stderr(&output));
    let bytes = fs::read(at.join("out.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("logits").unwrap().shape(), [3, 10]);

    tensor_file(&at.join("name.safetensors"), "pictures", &[1, 3, 32, 32]);
    let name = with("w.safetensors", "name.safetensors");
    refuses(at, &name, 2, &["no tensor 'images'", "pictures"]);
    tensor_file(&at.join("rank.safetensors"), "images", &[3, 32, 32]);
    let rank = with("w.safetensors", "rank.safetensors");
    refuses(at, &rank, 2, &["[count, channels, height, width]"]);
    refuses(
        at,
        &with("w.safetensors", "none.safetensors"),
        3,
        &["cannot be read"],
    );
    let whole = fs::read(at.join("w.safetensors")).unwrap();
    fs::write(at.join("half.safetensors"), &whole[..whole.len() / 2]).unwrap();
    let half = with("half.safetensors", "in.safetensors");
    refuses(at, &half, 3, &["half.safetensors"]);
    fs::write(at.join("pickle.pth"), b"\x80\x02]q\x00(K\x01K\x02e.").unwrap();
    refuses(
        at,
        &with("pickle.pth", "in.safetensors"),
        3,
        &["pickle.pth"],
    );
    let other = ["export", "lenet", "--output", "lenet.safetensors"];
    assert!(kiln(at, &other).status.success());
    let other = with("lenet.safetensors", "in.safetensors");
    refuses(
        at,
        &other,
        2,
        &["another network", "are missing", "the images are 3x32x32"],
    );
}

#[test]
fn imported_weights_are_a_run_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert!(
        kiln(at, &["export", "mlp", "--output", "w.safetensors"])
            .status
            .success()
    );
    let import = [
        "import",
        "--model",
        "mlp",
        "--weights",
        "w.safetensors",
        "--dataset",
        "digits",
    ];
    let output = kiln(at, &import);
    assert!(output.status.success(), "{}", stderr(&output));
    let eval = json(at, &["eval", "latest", "--format", "json"]);
    assert_eq!(eval["count"], 2000);
    let listed = stdout(&kiln(at, &["runs", "list"]));
    assert!(listed.contains("imported"), "{listed}");
    let train = [
        "train",
        "mlp",
        "--dataset",
        "digits",
        "--weights",
        "latest",
        "--freeze",
        "backbone",
        "--epochs",
        "1",
        "--limit-train",
        "256",
        "--limit-val",
        "100",
        "--classes",
        "10",
    ];
    let output = kiln(at, &train);
    assert!(output.status.success(), "{}", stderr(&output));
    let wrong = ["import", "--model", "lenet", "--weights", "w.safetensors"];
    refuses(at, &wrong, 2, &["another network"]);
    assert_eq!(fs::read_dir(at.join("runs")).unwrap().count(), 3);
    let nothing = [
        "train",
        "mlp",
        "--dataset",
        "digits",
        "--weights",
        "nowhere",
    ];
    refuses(at, &nothing, 2, &["neither a file nor a run"]);
}
