//! Files that the program writes, and files that it starts from.

use crate::{kiln, networks::tensor_file, refuses, short, stderr, stdout};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn does(folder: &Path, arguments: &[&str]) -> String {
    let output = kiln(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    stderr(&output)
}

fn latest(folder: &Path) -> PathBuf {
    fs::canonicalize(folder.join("runs/latest")).unwrap()
}

#[test]
fn no_output_replaces_a_file_unasked_or_one_that_is_still_needed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    does(at, &short(&["--progress", "none"]));
    tensor_file(&at.join("in.safetensors"), "images", &[1, 1, 28, 28]);
    let predict = |output: &'static str, more: &[&'static str]| {
        let start = [
            "predict",
            "latest",
            "--tensor",
            "in.safetensors",
            "--output",
        ];
        [&start[..], &[output], more].concat()
    };
    fs::write(at.join("there.txt"), "mine").unwrap();
    refuses(
        at,
        &predict("there.txt", &[]),
        2,
        &["is there already", "--force"],
    );
    assert_eq!(fs::read(at.join("there.txt")).unwrap(), b"mine");
    does(at, &predict("there.txt", &["--force"]));
    let same = predict("./in.safetensors", &["--force"]);
    refuses(at, &same, 2, &["is also the file of --tensor"]);
    for name in ["runs/latest/run.json", "runs/latest/checkpoints/new"] {
        refuses(
            at,
            &predict(name, &["--force"]),
            2,
            &["lies in the run folder"],
        );
        let export = ["export", "latest", "--force", "--output", name];
        refuses(at, &export, 2, &["lies in the run folder"]);
    }
    refuses(
        at,
        &predict("no/o.safetensors", &[]),
        2,
        &["the folder no is not there"],
    );
    refuses(
        at,
        &["export", "mlp", "--output", "no/o"],
        2,
        &["the folder no is not there"],
    );
    refuses(
        at,
        &["export", "mlp", "--output", "runs", "--force"],
        2,
        &["is a folder"],
    );

    does(at, &["export", "latest", "--output", "w.safetensors"]);
    let own = [
        "predict",
        "--model",
        "mlp",
        "--weights",
        "w.safetensors",
        "--tensor",
        "in.safetensors",
        "--force",
        "--output",
        "w.safetensors",
    ];
    refuses(at, &own, 2, &["is also the file of --weights"]);
    does(at, &["eval", "latest"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["list", "models"][..],
        &["--help"],
        &["completions", "bash"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(full)
            .output()
            .unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(
            text.starts_with("error: standard output could not be written"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn an_import_says_what_it_assumed_and_can_be_trained_from() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    does(at, &["export", "mlp", "--output", "w.safetensors"]);
    let import = ["import", "--model", "mlp", "--weights", "w.safetensors"];
    let said = does(at, &[&import[..], &["--dataset", "digits"]].concat());
    assert!(
        said.contains("those of a training on digits: mean 0."),
        "{said}"
    );
    does(at, &["eval", "latest"]);
    let said = does(at, &import);
    assert!(
        said.contains("numbers and the usual of mlp: pixels from 0 to 1"),
        "{said}"
    );

    let config = latest(at).join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let weights = latest(at).join("model.safetensors");
    assert!(
        text.contains(&format!("weights = \"{}\"", weights.display())),
        "{text}"
    );
    fs::copy(config, at.join("import.toml")).unwrap();
    let train = ["train", "--config", "import.toml"];
    refuses(at, &train, 2, &["imported without a data set", "--dataset"]);
    let short = ["--epochs", "1", "--limit-train", "200", "--limit-val", "50"];
    let train = [&train[..], &["--dataset", "digits"], &short].concat();
    let said = does(at, &train);
    let start = format!("starting from {}\n", weights.display());
    assert!(said.contains(&start), "{said}");
    let log = fs::read_to_string(latest(at).join("log.txt")).unwrap();
    assert!(log.contains(&start), "{log}");
    let silent = kiln(at, &[&train[..], &["--progress", "none"]].concat());
    assert_eq!(stderr(&silent), "");
}

#[test]
fn weights_in_a_run_folder_keep_classes_and_normalisation() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    does(at, &short(&["--progress", "none"]));
    let manifest = |at: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(latest(at).join("run.json")).unwrap()).unwrap()
    };
    let (run, trained) = (latest(at), manifest(at));
    let weights = run.join("model.safetensors").display().to_string();
    let import = ["import", "--model", "mlp", "--weights", &weights];
    for dataset in [&["--dataset", "digits"][..], &[]] {
        let said = does(at, &[&import[..], dataset].concat());
        assert!(said.contains("are those of the run 2"), "{said}");
        let imported = manifest(at);
        assert_eq!(imported["status"], "imported");
        for key in ["classes", "input", "normalization"] {
            assert_eq!(imported[key], trained[key], "{key}");
        }
        does(at, &["eval", "latest"]);
    }
    let other = [&import[..], &["--classes", "7"]].concat();
    refuses(
        at,
        &other,
        2,
        &["10 classes of 1x28x28", "not of 7 classes"],
    );
}

#[test]
fn a_training_says_what_it_starts_from() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let seven = [
        "export",
        "mlp",
        "--classes",
        "7",
        "--output",
        "w.safetensors",
    ];
    does(at, &seven);
    let said = does(
        at,
        &short(&["--weights", "w.safetensors", "--freeze", "backbone"]),
    );
    assert!(
        said.contains("w.safetensors; drawn anew: layers.5.weight, layers.5.bias"),
        "{said}"
    );
    assert!(
        said.contains("\n850 of 223398 parameters learn\n"),
        "{said}"
    );
    let said = does(at, &short(&["--freeze", "backbone"]));
    assert!(
        said.contains("what is frozen is random, because no weights were named"),
        "{said}"
    );
    let of = |model| ["train", model, "-d", "digits", "--freeze", "backbone"];
    refuses(at, &of("softmax"), 2, &["all head"]);
    refuses(at, &of("lenet5-1998"), 2, &["no head"]);
}

#[test]
fn weights_may_be_a_run_in_the_folder_of_runs_however_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let here = ["--output-dir", "here"];
    does(at, &short(&["--output-dir", "here", "--name", "first"]));
    let run = fs::read_link(at.join("here/latest")).unwrap();
    let set = format!("transfer.weights={}", run.display());
    let arguments = short(&["--set"]);
    let arguments: Vec<&str> = arguments.into_iter().chain([set.as_str()]).collect();
    refuses(at, &arguments, 2, &["neither a file nor a run"]);
    let said = does(at, &[&arguments[..], &here].concat());
    assert!(said.contains("starting from"), "{said}");
    refuses(
        at,
        &short(&["--weights", "no.safetensors"]),
        3,
        &["are not there"],
    );
}

#[test]
fn a_run_that_failed_early_is_said_to_have_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    does(at, &short(&["--progress", "none"]));
    let run = latest(at);
    let text = fs::read_to_string(run.join("run.json")).unwrap();
    let text = text.replace("\"completed\"", "\"failed\"");
    let text = text.replace("\"error\": null", "\"error\": \"no room\"");
    fs::write(run.join("run.json"), text).unwrap();
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    let words = ["ended without a checkpoint (failed: no room); train again"];
    refuses(at, &["eval", "latest"], 3, &words);
    refuses(at, &["export", "latest", "--output", "w"], 3, &words);
    assert_eq!(stdout(&kiln(at, &["predict", "latest", "a.png"])), "");
}
