//! Augmentation, sheets of images, test-time views and ensembles.

use super::{kiln, refuses, short, stderr, stdout};
use serde_json::Value;
use std::{fs, path::Path};

fn json(at: &Path, arguments: &[&str]) -> Value {
    let output = kiln(at, &[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_training_says_what_it_does_to_images_and_refuses_what_they_do_not_bear() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let output = kiln(at, &short(&["--augment", "Rotate:10,shift:2"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let config = fs::read_to_string(at.join("runs/latest/config.toml")).unwrap();
    assert!(
        config.contains("augment = \"rotate:10,shift:2\""),
        "{config}"
    );
    for (list, words) in [
        (
            "crop:2,flip",
            ["data.augment is crop:2,flip for digits", "'flip' mirrors"],
        ),
        (
            "basci",
            ["there is no augmentation 'basci'", "did you mean 'basic'"],
        ),
        ("rotate:400", ["rotate:DEGREES", "from 0 to 180"]),
    ] {
        refuses(at, &short(&["--augment", list]), 2, &words);
    }
    assert_eq!(
        fs::read_dir(at.join("runs")).unwrap().count(),
        2,
        "run and latest"
    );
}

#[test]
fn images_are_shown_on_a_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let show = ["data", "show", "shapes:100"];
    let output = kiln(
        at,
        &[&show[..], &["--count", "10", "--augment", "basic"]].concat(),
    );
    assert_eq!(stdout(&output), "10 images, crop:4,flip: shapes-100.png\n");
    let png = fs::read(at.join("shapes-100.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    refuses(
        at,
        &show,
        2,
        &["shapes-100.png is there already", "--force"],
    );
    let more = ["--index", "3", "--split", "test", "--force", "--count", "4"];
    let shown = json(at, &[&show[..], &more].concat());
    assert_eq!(shown["images"], 4);
    assert_eq!(shown["augment"], Value::Null);
    let digits = ["data", "show", "digits:50", "--augment", "flip"];
    refuses(
        at,
        &digits,
        2,
        &["--augment is flip for digits:50", "leave it out"],
    );
    let count = [&show[..], &["--output", "a.png", "--count", "0"]].concat();
    refuses(at, &count, 2, &["--count is 0"]);
    let index = [&show[..], &["--output", "a.png", "--index", "100"]].concat();
    refuses(at, &index, 2, &["--index is 100", "0 to 99"]);
}

#[test]
fn several_runs_are_evaluated_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let run = |dataset, seed| {
        let train = ["train", "mlp", "--dataset", dataset, "--seed", seed];
        let short = ["--epochs", "2", "--limit-train", "200", "--limit-val", "50"];
        let output = kiln(at, &[&train[..], &short].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let latest = fs::canonicalize(at.join("runs/latest")).unwrap();
        latest.file_name().unwrap().to_string_lossy().into_owned()
    };
    let (a, b) = (run("digits", "1"), run("digits", "2"));
    let c = run("digits:1000", "1");
    refuses(
        at,
        &["eval", &a, &b],
        2,
        &["several runs", "add --ensemble"],
    );
    refuses(at, &["eval", &a, "--ensemble"], 2, &["at least two runs"]);
    let apart = ["eval", &a, &c, "--ensemble"];
    refuses(
        at,
        &apart,
        2,
        &["no ensemble: their data sets are digits and digits:1000"],
    );
    refuses(at, &["eval", &a, "--tta", "3"], 2, &["--tta"]);
    let report = json(at, &["eval", &a, &b, "--ensemble", "--tta", "1"]);
    assert_eq!(report["members"][1]["run"], b.as_str());
    assert_eq!(report["members"][0]["tta"], 1);
    assert!(report["accuracy"].as_f64().unwrap() > 0.2);
    let table = stdout(&kiln(at, &["eval", &a, &b, "--ensemble"]));
    for words in [&a, &b, "ensemble ", "2 runs on the test images of digits"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let alone = stdout(&kiln(at, &["eval", &a, "--tta", "1"]));
    assert!(
        alone.contains(", test-time augmentation 1, best weights"),
        "{alone}"
    );
    assert!(
        at.join("runs")
            .join(&a)
            .join("eval/test-best-tta1.json")
            .is_file()
    );
}
