//! Every experiment in its smoke form, as a person types it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Instant,
};

/// The binary of every experiment; `tests/tidy.rs` holds the table to them.
const BINARIES: &[(&str, &str)] = &[
    ("mlp-vs-cnn", env!("CARGO_BIN_EXE_mlp-vs-cnn")),
    ("optimizers", env!("CARGO_BIN_EXE_optimizers")),
    ("regularization", env!("CARGO_BIN_EXE_regularization")),
    ("shuffled-pixels", env!("CARGO_BIN_EXE_shuffled-pixels")),
    ("shift", env!("CARGO_BIN_EXE_shift")),
    ("depth", env!("CARGO_BIN_EXE_depth")),
    ("pooling", env!("CARGO_BIN_EXE_pooling")),
    ("architectures", env!("CARGO_BIN_EXE_architectures")),
    ("initialization", env!("CARGO_BIN_EXE_initialization")),
    ("preprocessing", env!("CARGO_BIN_EXE_preprocessing")),
    ("signals", env!("CARGO_BIN_EXE_signals")),
    ("weight-sharing", env!("CARGO_BIN_EXE_weight-sharing")),
];

/// Seconds of a smoke form at most: it has 15 alone on two cores, and here
/// other tests beside it.
const LONGEST: f64 = 120.0;

fn run(binary: &str, arguments: &[&str]) -> Output {
    let output = Command::new(binary)
        .args(arguments)
        .args(["--offline", "--data-dir", "no-data"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output();
    output.expect("the experiment starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

#[test]
fn every_experiment_answers_in_its_smoke_form_and_its_results_hold() {
    for row in kiln_lab::EXPERIMENTS {
        let found = BINARIES.iter().find(|(name, _)| *name == row.name);
        let (name, binary) = found.unwrap_or_else(|| panic!("{} has no binary here", row.name));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("text");
        let began = Instant::now();
        let first = run(binary, &["--smoke", "--output-dir", path]);
        assert!(first.status.success(), "{name}: {}", text(&first.stderr));
        let seconds = began.elapsed().as_secs_f64();
        assert!(seconds < LONGEST, "{name} took {seconds:.0} s");
        let page = std::fs::read_to_string(folder.path().join("README.md")).expect("a page");
        let answer = text(&first.stdout);
        assert!(!answer.trim().is_empty(), "{name}");
        assert!(page.contains(answer.trim()), "{name}: {answer}");
        for figure in page
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let local = !figure.contains(':');
            assert!(
                !local || folder.path().join(figure).is_file(),
                "{name}: {figure}"
            );
        }
        let before: Vec<_> = files(folder.path())
            .into_iter()
            .map(|path| (std::fs::read(&path).expect("a file"), path))
            .collect();
        let second = run(binary, &["--smoke", "--output-dir", path]);
        assert!(second.status.success(), "{name}: {}", text(&second.stderr));
        for (bytes, path) in before {
            let same = std::fs::read(&path).expect("a file") == bytes;
            assert!(
                same,
                "{name}: {} changed when nothing was to be done",
                path.display()
            );
        }
        let check = run(binary, &["--check", "--output-dir", path]);
        assert!(check.status.success(), "{name}: {}", text(&check.stderr));
        assert!(text(&check.stdout).contains("bit for bit"), "{name}");
    }
}

/// A short one, whose smoke form has one seed.
const SHORT: &str = env!("CARGO_BIN_EXE_preprocessing");

/// The JSON of how the results in `folder` were made.
fn provenance(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("provenance.json")).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

fn keep(folder: &Path, provenance: &serde_json::Value) {
    std::fs::write(folder.join("provenance.json"), provenance.to_string()).expect("a file");
}

#[test]
fn results_keep_the_day_on_which_they_were_made_until_others_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text");
    let made = |more: &[&str]| {
        let arguments = [&["--smoke", "--output-dir", path], more].concat();
        let output = run(SHORT, &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        provenance(folder.path())
    };
    let mut stored = made(&[]);
    stored["date"] = "1998-11-01".into();
    stored["machine"]["revision"] = "of then".into();
    keep(folder.path(), &stored);
    assert_eq!(made(&[]), stored);
    let more = made(&["--seeds", "2"]);
    assert_ne!(more["date"], stored["date"]);
    assert_ne!(more["machine"]["revision"], stored["machine"]["revision"]);
    assert_eq!(more["seeds"], 2);
}

#[test]
fn larger_results_are_not_overwritten_and_missing_forms_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text");
    let smoke = ["--smoke", "--output-dir", path];
    let more = run(SHORT, &[&smoke[..], &["--seeds", "2"]].concat());
    assert!(more.status.success(), "{}", text(&more.stderr));
    let before = std::fs::read(folder.path().join("results.csv")).expect("a table");
    let refused = |arguments: &[&str], words: &str| {
        let output = run(SHORT, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && said.lines().count() == 1, "{said}");
        let now = std::fs::read(folder.path().join("results.csv")).expect("a table");
        assert!(now == before, "{words}");
    };
    refused(&smoke, "holds the results of 2 seeds");
    let mut stored = provenance(folder.path());
    stored["scale"] = "quick".into();
    keep(folder.path(), &stored);
    refused(&smoke, "holds the results of the quick form");
    refused(&["--long"], "has no form beyond the full one");
}

/// The rows of `results.csv` without what time and memory they took.
fn results(folder: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(folder.join("results.csv")).expect("a table");
    let head = reader.headers().expect("a head").clone();
    let measured = ["seconds", "images_per_second", "peak_memory_mb"];
    let keep = |(name, cell): (&str, &str)| (!measured.contains(&name)).then(|| cell.to_owned());
    let rows = reader.records().map(|row| {
        let row = row.expect("a row");
        head.iter().zip(row.iter()).filter_map(keep).collect()
    });
    rows.collect()
}

/// One with shared trainings, and one with searches.
#[test]
fn an_experiment_that_is_killed_and_continued_has_the_same_table() {
    for (_, binary) in &BINARIES[..2] {
        killed_and_continued(binary);
    }
}

fn killed_and_continued(binary: &str) {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let [whole, pieces] = folders
        .each_ref()
        .map(|one| one.path().to_str().expect("text"));
    let arguments = |folder| ["--smoke", "--seeds", "2", "--output-dir", folder];
    assert!(run(binary, &arguments(whole)).status.success());
    let mut kills = 0;
    for wait in [300, 500, 800, 1300, 2100] {
        let mut child = Command::new(binary)
            .args(arguments(pieces))
            .args(["--offline", "--data-dir", "no-data"])
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the experiment starts");
        std::thread::sleep(std::time::Duration::from_millis(wait));
        if child.try_wait().expect("it can be asked").is_none() {
            kills += 1;
        }
        let _ = child.kill();
        child.wait().expect("it ends");
    }
    assert!(kills > 0, "it was done before it could be killed");
    let last = run(binary, &arguments(pieces));
    assert!(last.status.success(), "{}", text(&last.stderr));
    assert_eq!(results(folders[1].path()), results(folders[0].path()));
}
