//! `kiln report`.

use super::{kiln, refuses, stderr, stdout};
use std::fs;

#[test]
fn a_report_is_one_file_that_needs_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    for (model, name) in [("lenet", "one"), ("mlp", "two")] {
        let arguments = [
            "train",
            model,
            "--dataset",
            "digits",
            "--limit-train",
            "200",
            "--limit-val",
            "50",
            "--epochs",
            "2",
            "--name",
            name,
            "--l1",
            "0.001",
        ];
        let output = kiln(dir.path(), &arguments);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let runs: Vec<_> = fs::read_dir(dir.path().join("runs"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "latest")
        .collect();
    let mut arguments = vec!["report"];
    arguments.extend(runs.iter().map(String::as_str));
    let output = kiln(dir.path(), &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "report.html\n");
    // A perceptron has no maps to explain.
    assert!(
        stderr(&output).contains("no grad-cam"),
        "{}",
        stderr(&output)
    );
    let html = fs::read_to_string(dir.path().join("report.html")).unwrap();
    for part in [
        "What came out",
        "What differs",
        "model.name",
        "Accuracy",
        "Configuration",
        "epochs = 2",
        "<td>mlp</td>",
        "accuracy on the test images, now",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for run in &runs {
        assert!(html.contains(run.as_str()), "{run}");
    }
    for elsewhere in ["<script", "<link", "src=", "@import", "url("] {
        assert!(!html.contains(elsewhere), "{elsewhere}");
    }
    let address = html.replace("http://www.w3.org/2000/svg", "");
    assert!(
        !address.contains("http"),
        "only the name of SVG is an address"
    );
    refuses(
        dir.path(),
        &["report", "latest"],
        2,
        &["report.html", "--force"],
    );
    let again = kiln(dir.path(), &["report", "latest", "--force"]);
    assert!(again.status.success(), "{}", stderr(&again));
    refuses(dir.path(), &["report", "nothing"], 2, &["there is no run"]);
    refuses(
        dir.path(),
        &["report", "latest", "--output", "a.html", "--image", "99999"],
        2,
        &["--image is 99999", "0 to"],
    );
    assert!(!dir.path().join("a.html").exists());
}
