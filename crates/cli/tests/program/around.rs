//! What stands around a training: several seeds, sweeps, comparisons, time,
//! and what is only shown.

use super::{kiln, refuses, short, stderr, stdout};
use std::fs;

#[test]
fn several_seeds_end_with_mean_and_deviation_and_are_not_trained_twice() {
    let dir = tempfile::tempdir().unwrap();
    let output = kiln(dir.path(), &short(&["--seeds", "2"]));
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("seed   1  best val acc"), "{text}");
    assert!(
        lines[2].starts_with("2 runs: validation accuracy"),
        "{text}"
    );
    assert!(lines[2].contains('±'), "{text}");
    let output = kiln(dir.path(), &short(&["--seeds", "3", "--progress", "json"]));
    let text = stdout(&output);
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["runs"].as_array().unwrap().len(), 3);
    // Two epochs of the third seed, and the group.
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn members_name_the_command_that_tests_them_together() {
    let dir = tempfile::tempdir().unwrap();
    let output = kiln(dir.path(), &short(&["--members", "2"]));
    let text = stderr(&output);
    let line = text.lines().last().unwrap();
    assert!(line.contains("kiln eval runs/"), "{text}");
    assert!(line.ends_with("member2 --ensemble"), "{text}");
    let newest = "the newest run in it is runs/latest";
    refuses(dir.path(), &["eval", "runs"], 2, &[newest]);
}

#[test]
fn a_printed_configuration_gives_the_same_weights() {
    let dir = tempfile::tempdir().unwrap();
    let output = kiln(dir.path(), &short(&["--lr", "0.01", "--print-config"]));
    let text = stdout(&output);
    assert!(text.contains("lr = 0.01"), "{text}");
    assert!(!dir.path().join("runs").exists());
    fs::write(dir.path().join("this.toml"), &text).unwrap();
    for arguments in [
        short(&["--lr", "0.01"]),
        vec!["train", "--config", "this.toml"],
    ] {
        let output = kiln(dir.path(), &arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let written = dir.path().join("runs/latest/config.toml");
        assert_eq!(fs::read_to_string(written).unwrap(), text);
    }
    let runs: Vec<_> = fs::read_dir(dir.path().join("runs"))
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| fs::read(entry.path().join("model.safetensors")).unwrap())
        .collect();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn a_dry_run_shows_steps_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let output = kiln(dir.path(), &short(&["--dry-run"]));
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains("2 of 128 images in an epoch, 4 in 2 epochs"),
        "{text}"
    );
    let several = kiln(dir.path(), &short(&["--dry-run", "--accumulate", "2"]));
    let several = stdout(&several);
    assert!(
        several.contains("1 of 2 batches of 128 images in an epoch, 2 in 2 epochs"),
        "{several}"
    );
    assert!(
        text.contains("200 training and 50 validation images"),
        "{text}"
    );
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 0);
    refuses(
        dir.path(),
        &["train", "lenet", "--dataset", "mnist", "--dry-run"],
        3,
        &["mnist"],
    );
}

#[test]
fn a_time_becomes_epochs_or_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let train = |time| ["train", "lenet", "--dataset", "digits", "--max-time", time];
    refuses(dir.path(), &train("5"), 2, &["--max-time", "no unit"]);
    refuses(dir.path(), &train("0s"), 2, &["above 0"]);
    refuses(
        dir.path(),
        &train("5ms"),
        2,
        &["one epoch takes", "--limit-train"],
    );
    refuses(
        dir.path(),
        &["train", "mlp", "--max-time", "5s", "--epochs", "3"],
        2,
        &["cannot be used with"],
    );
    assert!(!dir.path().join("runs").exists());
    let mut arguments = vec!["train", "mlp", "--dataset", "digits", "--max-time", "3s"];
    arguments.extend(["--limit-train", "500", "--dry-run"]);
    let output = kiln(dir.path(), &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("an epoch takes about"));
}

#[test]
fn runs_are_compared_and_bad_names_refused() {
    let dir = tempfile::tempdir().unwrap();
    kiln(dir.path(), &short(&["--name", "one"]));
    kiln(dir.path(), &short(&["--name", "two", "--lr", "0.01"]));
    let names: Vec<_> = fs::read_dir(dir.path().join("runs"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "latest")
        .collect();
    let output = kiln(dir.path(), &["compare", &names[0], &names[1]]);
    let text = stdout(&output);
    assert!(text.contains("optimizer.lr"), "{text}");
    assert!(!text.contains("not a fair"), "{text}");
    let output = kiln(
        dir.path(),
        &["compare", &names[0], &names[1], "--format", "json"],
    );
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["settings"][0]["key"], "optimizer.lr");
    refuses(
        dir.path(),
        &["compare", "latest", "nothing"],
        2,
        &["no run 'nothing'"],
    );
    refuses(dir.path(), &["compare", "latest"], 2, &["2 values"]);
}

#[test]
fn a_sweep_prints_its_table_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[base]\nmodel = 'mlp'\ndataset = 'digits'\ndata.limit_train = 200\ndata.limit_val = 50\ntrain.epochs = 1\n[grid]\noptimizer.lr = [0.1, 0.001]\n";
    fs::write(dir.path().join("lr.toml"), text).unwrap();
    let output = kiln(dir.path(), &["sweep", "lr.toml"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 3);
    assert!(dir.path().join("runs/lr/results.csv").is_file());
    let again = kiln(dir.path(), &["sweep", "lr.toml"]);
    assert!(stderr(&again).contains("2 runs done before"));
    assert_eq!(stdout(&again), stdout(&output));
    refuses(
        dir.path(),
        &["sweep", "no.toml"],
        2,
        &["no.toml cannot be read"],
    );
}

#[test]
fn recipes_are_listed_and_a_wrong_name_is_corrected() {
    let dir = tempfile::tempdir().unwrap();
    let output = kiln(dir.path(), &["list", "recipes"]);
    assert!(stdout(&output).contains("\nresnet20-cifar10 "));
    refuses(
        dir.path(),
        &["train", "--config", "resnet20-cifar"],
        2,
        &["did you mean 'resnet20-cifar10'?"],
    );
    let output = kiln(
        dir.path(),
        &[
            "train",
            "--config",
            "cnn-meml-mnist",
            "--dataset",
            "digits",
            "--print-config",
        ],
    );
    let text = stdout(&output);
    assert!(
        text.contains("batch_size = 1000"),
        "{text}{}",
        stderr(&output)
    );
    assert!(text.contains("dataset = \"digits\""), "{text}");
}
