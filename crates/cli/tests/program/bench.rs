//! Timing networks: columns, refusals, profiles. No test looks at a speed.

use crate::{kiln, refuses, stderr, stdout};
use serde_json::Value;
use std::{fs, path::Path};

const SHORT: [&str; 6] = ["--batch-size", "4", "--warmup", "1", "--iters", "2"];

fn bench(folder: &Path, arguments: &[&str]) -> String {
    let arguments: Vec<_> = ["bench"].iter().chain(arguments).chain(&SHORT).collect();
    let arguments: Vec<_> = arguments.into_iter().copied().collect();
    let output = kiln(folder, &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn a_bench_has_the_columns_of_timm_and_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let text = bench(
        folder.path(),
        &["softmax", "mlp", "--threads", "1", "--format", "json"],
    );
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(records.len(), 2);
    let mlp = &records[1];
    assert_eq!(
        (&mlp["model"], &mlp["backend"]),
        (&"mlp".into(), &"flex".into())
    );
    assert_eq!(
        (&mlp["param_count"], &mlp["threads"]),
        (&223_398.into(), &1.into())
    );
    for mode in ["infer", "train"] {
        let column = |name: &str| &mlp[format!("{mode}_{name}")];
        assert_eq!(column("batch_size"), 4);
        assert_eq!(column("img_size"), 28);
        assert_eq!(column("iters"), 2);
        let number = |name: &str| column(name).as_f64().unwrap();
        let [first, median, third] = ["step_time_q1", "step_time", "step_time_q3"].map(number);
        assert!(0.0 < first && first <= median && median <= third, "{mlp}");
        let speed = 4e3 / median;
        assert!(
            (number("samples_per_sec") / speed - 1.0).abs() < 0.01,
            "{mlp}"
        );
        assert!(number("gflop_per_sec") > 0.0 && number("peak_share") > 0.0);
        #[cfg(target_os = "linux")]
        assert!(number("memory_mb") > 1.0);
    }
    // 2 x 223,048 multiply-accumulates x 4 images, and three times that.
    assert_eq!(mlp["infer_gflop"], 0.001784);
    assert_eq!(mlp["train_gflop"], 0.005353);
}

#[test]
fn a_bench_is_a_table_or_rows_for_a_spreadsheet() {
    let folder = tempfile::tempdir().unwrap();
    let table = bench(folder.path(), &["lenet", "--bench", "infer"]);
    for word in [
        "model", "images/s", "GFLOP/s", "of peak", "lenet", "1x28x28",
    ] {
        assert!(table.contains(word), "{word}: {table}");
    }
    assert!(!table.contains("train"), "{table}");
    let rows = bench(folder.path(), &["softmax", "mlp", "--format", "csv"]);
    let lines: Vec<_> = rows.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("model,infer_samples_per_sec,infer_step_time,"));
    assert!(lines[0].contains(",train_samples_per_sec,"));
    assert!(lines[2].starts_with("mlp,"));
}

#[test]
fn images_and_classes_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "resnet9",
        "--image-size",
        "16",
        "--classes",
        "3",
        "--bench",
        "infer",
    ];
    let text = bench(
        folder.path(),
        &[&arguments[..], &["--format", "json"]].concat(),
    );
    let records: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(records[0]["infer_img_size"], 16);
    let folder = folder.path();
    refuses(
        folder,
        &["bench", "lenet", "--image-size", "3"],
        2,
        &["does not fit"],
    );
    let both = ["bench", "lenet", "--image-size", "32", "--input", "1x32x32"];
    refuses(folder, &both, 2, &["cannot be used with"]);
}

#[test]
fn a_bench_that_cannot_be_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused: [(&[&str], &[&str]); 9] = [
        (&["lenett"], &["did you mean 'lenet'"]),
        (&["lenet", "--iters", "0"], &["--iters is 0"]),
        (&["lenet", "--batch-size", "0"], &["--batch-size is 0"]),
        (
            &["lenet", "--threads", "0"],
            &["--threads is 0", "from 1 to 1024"],
        ),
        (&["lenet", "--format", "xml"], &["table, csv, json"]),
        (&["lenet", "--backend", "flx"], &["did you mean 'flex'"]),
        (&[], &["no network was named"]),
        (&["lenet", "--bench", "loader"], &["without a network"]),
        (&["lenet", "--trace", "step.json"], &["--profile"]),
    ];
    for (arguments, words) in refused {
        refuses(folder.path(), &[&["bench"], arguments].concat(), 2, words);
    }
}

#[test]
fn a_profile_shows_phases_and_layers_and_writes_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["lenet", "--profile", "--trace", "step.json"];
    let table = bench(folder.path(), &arguments);
    for word in [
        "loader",
        "optimizer",
        "metrics",
        "conv1",
        "max_pool2",
        "backward ms",
        "fc3",
    ] {
        assert!(table.contains(word), "{word}: {table}");
    }
    let trace = fs::read(folder.path().join("step.json")).unwrap();
    let trace: Value = serde_json::from_slice(&trace).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let of = |cat: &str| events.iter().filter(|event| event["cat"] == cat).count();
    assert_eq!((of("phase"), of("forward"), of("backward")), (5, 12, 12));
    refuses(
        folder.path(),
        &[&["bench"], &arguments[..]].concat(),
        2,
        &["step.json is there already", "--force"],
    );
    let two = ["bench", "lenet", "mlp", "--profile", "--trace", "two.json"];
    refuses(folder.path(), &two, 2, &["one network"]);
    let rows = bench(folder.path(), &["mlp", "--profile", "--format", "csv"]);
    assert!(
        rows.lines()
            .any(|row| row.contains(",layer,layers.1,linear,1,")),
        "{rows}"
    );
}

#[test]
fn the_loader_is_timed_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let text = bench(folder.path(), &["--bench", "loader", "--format", "json"]);
    let records: Value = serde_json::from_str(&text).unwrap();
    assert!(records[0]["loader_samples_per_sec"].as_f64().unwrap() > 0.0);
    assert!(bench(folder.path(), &["--bench", "loader"]).contains("images/s"));
}

#[test]
fn every_verb_that_computes_takes_a_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["train", "eval", "predict", "bench"] {
        let help = stdout(&kiln(folder.path(), &[verb, "--help"]));
        assert!(help.contains("--threads <N>"), "{verb}");
    }
    for arguments in [
        &["train", "mlp", "--threads", "0"][..],
        &["eval", "latest", "--threads", "2000"],
        &["predict", "latest", "a.png", "--threads", "0"],
    ] {
        refuses(folder.path(), arguments, 2, &["from 1 to 1024"]);
    }
    let train = [
        "train",
        "mlp",
        "--dataset",
        "digits",
        "--limit-train",
        "200",
        "--limit-val",
        "50",
    ];
    let few = ["--epochs", "1", "--threads", "3"];
    let output = kiln(folder.path(), &[&train[..], &few].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let run = fs::read(folder.path().join("runs/latest/run.json")).unwrap();
    let run: Value = serde_json::from_slice(&run).unwrap();
    assert_eq!(run["machine"]["threads"], 3);
    assert_eq!(run["device"], "flex: CPU, 3 threads");
}
