//! The program as a person meets it: arguments, output, exit codes. It stands
//! beside the program because Cargo tells only its own package where it is.

#![allow(clippy::unwrap_used)]

mod around;
mod augment;
mod bench;
mod bits;
mod book;
mod choices;
mod conv;
mod files;
mod networks;
mod playground;
mod rates;
mod report;
mod resume;
mod view;

use std::{
    path::Path,
    process::{Command, Output},
};

const VERBS: [&str; 21] = [
    "repro",
    "train",
    "sweep",
    "compare",
    "export",
    "import",
    "list",
    "summary",
    "conv",
    "bench",
    "schedule",
    "lr-find",
    "eval",
    "predict",
    "playground",
    "view",
    "report",
    "data",
    "runs",
    "doctor",
    "completions",
];

/// Runs the program with an empty data folder and no network.
fn kiln(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.args(arguments).current_dir(folder);
    command.env("KILN_DATA_DIR", folder.join("data"));
    for variable in ["KILN_RUNS_DIR", "BURN_DEVICE"] {
        command.env_remove(variable);
    }
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The program refuses with this exit code, one sentence and no panic.
#[track_caller]
fn refuses(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let output = kiln(folder, arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    assert_eq!(stdout(&output), "", "{arguments:?}");
    for word in words {
        assert!(text.contains(word), "{arguments:?}: no '{word}' in: {text}");
    }
}

const SHORT: [&str; 10] = [
    "train",
    "mlp",
    "--dataset",
    "digits",
    "--epochs",
    "2",
    "--limit-train",
    "200",
    "--limit-val",
    "50",
];

fn short(more: &[&'static str]) -> Vec<&'static str> {
    SHORT.iter().chain(more).copied().collect()
}

#[test]
fn help_names_an_example_for_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let help = stdout(&kiln(folder.path(), &["--help"]));
    for verb in VERBS {
        assert!(help.contains(verb), "{verb}");
        let help = stdout(&kiln(folder.path(), &[verb, "--help"]));
        assert!(help.contains("Example: kiln"), "{verb}");
    }
    for (verb, verbs) in [
        ("data", "list info show verify fetch import"),
        ("runs", "list rm"),
    ] {
        for inner in verbs.split(' ') {
            let help = stdout(&kiln(folder.path(), &[verb, inner, "--help"]));
            assert!(help.contains("Example: kiln"), "{verb} {inner}");
        }
    }
    assert!(help.contains("Exit codes"));
}

#[test]
fn a_training_prints_one_line_per_epoch_and_evaluates() {
    let folder = tempfile::tempdir().unwrap();
    let output = kiln(folder.path(), &short(&[]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lines = stdout(&output);
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(
        lines
            .lines()
            .all(|line| line.starts_with("epoch ") && line.contains("images/s"))
    );
    assert!(stderr(&output).contains("run folder runs/"));

    let output = kiln(folder.path(), &["eval", "latest", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in [
        "run",
        "dataset",
        "split",
        "count",
        "loss",
        "accuracy",
        "per_class",
        "confusion",
    ] {
        assert!(report.get(key).is_some(), "{key}");
    }
    assert_eq!(report["count"], 2000);
    let table = stdout(&kiln(folder.path(), &["eval", "latest"]));
    assert!(
        table.contains("accuracy") && table.contains("predicted"),
        "{table}"
    );

    let list = stdout(&kiln(folder.path(), &["runs", "list"]));
    assert!(
        list.contains("-mlp-digits") && list.contains("completed"),
        "{list}"
    );
    assert!(
        kiln(folder.path(), &["runs", "rm", "latest"])
            .status
            .success()
    );
    let list = stdout(&kiln(folder.path(), &["runs", "list", "--format", "json"]));
    assert_eq!(list.trim(), "[]");
}

#[test]
fn json_progress_is_one_object_per_epoch_and_none_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let output = kiln(folder.path(), &short(&["--progress", "json"]));
    let records: Vec<serde_json::Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["epoch"], 2);
    let output = kiln(folder.path(), &short(&["--progress", "none"]));
    assert_eq!(
        (stdout(&output), stderr(&output)),
        (String::new(), String::new())
    );
}

#[test]
fn without_data_or_network_the_built_in_digits_are_taken_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "train",
        "mlp",
        "--offline",
        "--epochs",
        "1",
        "--limit-train",
        "100",
    ];
    let output = kiln(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).starts_with("training on digits, because mnist is not there"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_is_unknown_is_a_usage_error_with_a_suggestion() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    refuses(folder, &["train", "lennet"], 2, &["did you mean 'lenet'"]);
    refuses(
        folder,
        &["train", "lenet", "--dataset", "minst"],
        2,
        &["did you mean 'mnist'"],
    );
    refuses(
        folder,
        &["train", "lenet", "--dataset", "digits", "--backend", "flx"],
        2,
        &["did you mean 'flex'"],
    );
    refuses(
        folder,
        &["train", "lenet", "--epocs", "3"],
        2,
        &["--epochs"],
    );
    refuses(folder, &["trian"], 2, &["train"]);
    refuses(
        folder,
        &short(&["--set", "optimizer.lrr=1"]),
        2,
        &["did you mean optimizer.lr?"],
    );
    refuses(folder, &short(&["--config", "no.toml"]), 2, &["no.toml"]);
    refuses(
        folder,
        &short(&["--progress", "tui"]),
        2,
        &["needs a terminal"],
    );
}

#[test]
fn impossible_numbers_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, value, words) in [
        ("--batch-size", "0", "at least 1"),
        ("--batch-size", "100000000", "only 200 training images"),
        ("--lr", "-0.1", "above 0"),
        ("--seed", "-1", "must be at least 0"),
        ("--val-split", "1.0", "no training image"),
        ("--val-split", "20000", "only 12000"),
    ] {
        refuses(folder.path(), &short(&[flag, value])[..], 2, &[words]);
    }
    refuses(
        folder.path(),
        &["train", "mlp", "-d", "digits", "--epochs", "0"],
        2,
        &["at least 1"],
    );
}

#[test]
fn missing_data_and_backends_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    refuses(
        folder,
        &["train", "lenet", "--dataset", "mnist", "--offline"],
        3,
        &["mnist", "offline"],
    );
    refuses(folder, &["data", "verify", "cifar10"], 3, &["cifar10"]);
    if !kiln_backend::BACKENDS
        .iter()
        .any(|backend| backend.name == "cuda" && backend.compiled)
    {
        refuses(
            folder,
            &short(&["--backend", "cuda:1"]),
            1,
            &["--features cuda"],
        );
    }
}

#[test]
fn what_is_no_run_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    refuses(path, &["eval", "latest"], 2, &["no run 'latest'"]);
    std::fs::create_dir_all(path.join("runs/holiday")).unwrap();
    refuses(path, &["eval", "holiday"], 2, &["is no run folder"]);
    std::fs::write(path.join("runs/holiday/run.json"), "{").unwrap();
    refuses(path, &["eval", "holiday"], 3, &["run.json is damaged"]);
}

#[test]
fn pictures_are_classified_and_what_is_no_picture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(kiln(path, &short(&[])).status.success());
    let picture = path.join("digit.pgm");
    let mut bytes = b"P5 40 40 255\n".to_vec();
    bytes.extend((0..1600).map(|at| {
        if (18..22).contains(&(at % 40)) {
            0
        } else {
            255
        }
    }));
    std::fs::write(&picture, bytes).unwrap();
    let output = kiln(
        path,
        &["predict", "latest", "digit.pgm", "--format", "json"],
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report[0]["image"], "digit.pgm");
    assert_eq!(report[0]["classes"].as_array().unwrap().len(), 3);
    std::fs::write(path.join("text.png"), "not a picture").unwrap();
    refuses(path, &["predict", "latest", "text.png"], 3, &["text.png"]);
    refuses(path, &["predict", "latest", "none.png"], 3, &["none.png"]);
}

#[test]
fn the_doctor_knows_backends_and_data() {
    let folder = tempfile::tempdir().unwrap();
    let output = kiln(folder.path(), &["doctor", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["backends"].as_array().unwrap().len(),
        kiln_backend::BACKENDS.len()
    );
    assert_eq!(report["machine"]["burn"], kiln_backend::BURN_VERSION);
    let text = stdout(&kiln(folder.path(), &["doctor"]));
    assert!(
        text.contains("flex") && text.contains("mnist") && text.contains("missing"),
        "{text}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_kiln");
    let script = format!("{program} completions bash | head -1");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
}
