//! `kiln schedule` and `kiln lr-find`.

use super::{kiln, refuses, stderr, stdout};
use std::fs;

#[test]
fn schedules_are_drawn_tabled_and_written_as_a_figure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let arguments = ["schedule", "cosine", "one-cycle", "--output", "rates.svg"];
    let output = kiln(path, &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    for words in ["learning rate", "epoch", "a cosine", "b one-cycle", "0.10"] {
        assert!(text.contains(words), "no {words} in:\n{text}");
    }
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|columns| columns <= 80), "{text}");
    let svg = fs::read_to_string(path.join("rates.svg")).unwrap();
    for words in [
        "<svg ",
        "learning rate",
        ">cosine<",
        ">one-cycle<",
        "</svg>",
    ] {
        assert!(svg.contains(words), "no {words} in:\n{svg}");
    }
    refuses(path, &arguments, 2, &["is there already", "--force"]);

    let sizes = ["--epochs", "2", "--steps-per-epoch", "4", "--lr", "0.8"];
    let warm = ["--set", "schedule.warmup_epochs=1"];
    let rates = [&["schedule", "linear"][..], &sizes, &warm].concat();
    let table = stdout(&kiln(path, &[&rates[..], &["--format", "csv"]].concat()));
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "step,epoch,linear");
    assert_eq!((lines[1], lines[4]), ("0,0,2e-1", "3,0.75,8e-1"));
    assert_eq!(lines.len(), 9);
    let json = stdout(&kiln(path, &[&rates[..], &["--format", "json"]].concat()));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["rates"][3], 0.8);
    assert_eq!(json[0]["schedule"]["warmup_epochs"], 1.0);
}

#[test]
fn schedules_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let set = |set| ["schedule", "piecewise-linear", "--set", set];
    refuses(path, &["schedule", "cosin"], 2, &["did you mean 'cosine'?"]);
    refuses(path, &["schedule", "step", "--lr", "-1"], 2, &["above 0"]);
    refuses(
        path,
        &["schedule", "step", "--epochs", "0"],
        2,
        &["0 epochs"],
    );
    refuses(path, &set("schedule.knots=1:2,x"), 2, &["EPOCH:FACTOR"]);
    refuses(path, &set("schedule.gamma=2"), 2, &["up to 1"]);
    refuses(
        path,
        &set("schedule.milestones=[5,2]"),
        2,
        &["a rising list"],
    );
    refuses(path, &set("train.epochs=3"), 2, &["only schedule.*"]);
}

const FIND: [&str; 8] = [
    "lr-find",
    "mlp",
    "--dataset",
    "digits",
    "--limit-train",
    "500",
    "--steps",
    "60",
];

#[test]
fn a_range_test_suggests_a_rate_and_writes_what_it_saw() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let files = ["--csv", "lr.csv", "--output", "lr.svg"];
    let output = kiln(path, &[&FIND[..], &files].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains("smoothed loss") && text.contains("(valley)"),
        "{text}"
    );
    assert!(
        text.contains("try: kiln train mlp --dataset digits"),
        "{text}"
    );
    let table = fs::read_to_string(path.join("lr.csv")).unwrap();
    let rows: Vec<Vec<f64>> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    assert!(rows.len() > 20, "{table}");
    assert_eq!(rows[0][1], 1e-7);
    assert!(rows.windows(2).all(|pair| pair[1][1] > pair[0][1]));
    assert!((rows[0][2] - 10f64.ln()).abs() < 1.0, "an untrained loss");
    let svg = fs::read_to_string(path.join("lr.svg")).unwrap();
    assert!(
        svg.contains("smoothed loss") && svg.contains("valley"),
        "{svg}"
    );
    assert!(!path.join("runs").exists(), "nothing else is written");
    let again = stdout(&kiln(path, &[&FIND[..], &["--threads", "1"]].concat()));
    assert_eq!(again, text, "the same whatever the threads");
}

#[test]
fn range_tests_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let with = |more: &[&'static str]| [&FIND[..6], more].concat();
    refuses(path, &with(&["--from", "0"]), 2, &["above 0 and grow"]);
    refuses(path, &with(&["--to", "1e-9"]), 2, &["above 0 and grow"]);
    refuses(path, &with(&["--steps", "3"]), 2, &["at least 10"]);
    refuses(path, &with(&["--optimizer", "adm"]), 2, &["'adam'"]);
    refuses(
        path,
        &with(&["--csv", "a", "--output", "a"]),
        2,
        &["name two"],
    );
    refuses(path, &with(&["--csv", "none/a"]), 2, &["make it first"]);
    refuses(path, &["lr-find"], 2, &["no model was named"]);
}
