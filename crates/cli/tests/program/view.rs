//! `kiln view`.

use super::{kiln, refuses, short, stderr, stdout};
use std::fs;

const CNN: [&str; 8] = [
    "train",
    "cnn-meml",
    "--dataset",
    "digits",
    "--epochs",
    "1",
    "--limit-train",
    "128",
];

#[test]
fn every_figure_of_a_network_is_drawn_as_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let output = kiln(path, &CNN);
    assert!(output.status.success(), "{}", stderr(&output));
    let output = kiln(path, &["view", "latest", "--image", "3"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let files = stdout(&output);
    assert_eq!(files.lines().count(), 10, "{files}{}", stderr(&output));
    assert_eq!(stderr(&output), "");
    let figure = |name: &str| {
        let line = files
            .lines()
            .find(|line| line.ends_with(&format!("/{name}.svg")));
        fs::read_to_string(line.unwrap()).unwrap()
    };
    assert!(files.lines().all(|line| line.contains("/figures/")));
    let maps = figure("feature-maps");
    for words in [
        "<svg ",
        "Feature maps: cnn-meml on digits",
        "Image 3 of the test images, true class",
        "conv1, ReLU: 8x24x24",
        "fc1: 10",
        "data:image/png;base64,",
    ] {
        assert!(maps.contains(words), "no '{words}'");
    }
    let filters = figure("filters");
    assert!(filters.contains("1x5x5, 8 outputs") && filters.contains("weight"));
    assert!(figure("confusion").contains("predicted class"));
    assert!(figure("weights").contains("200 weights, 0.0 % exactly 0"));
    assert!(figure("exemplars").contains("conv2, ReLU: 16x10x10, 16 channels"));
    assert!(figure("grad-cam").contains("Layer conv2, ReLU: 16x10x10"));
    // Again the same bytes, whatever the threads.
    let cam = figure("grad-cam");
    let again = kiln(path, &["view", "latest", "--image", "3", "--threads", "1"]);
    assert!(again.status.success());
    assert_eq!((figure("grad-cam"), figure("feature-maps")), (cam, maps));
}

#[test]
fn a_network_without_maps_has_the_other_figures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(kiln(path, &short(&[])).status.success());
    let output = kiln(path, &["view", "latest", "--output", "figures"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 9, "{}", stdout(&output));
    let note = stderr(&output);
    assert!(
        note.contains("no grad-cam: mlp has no layer of maps"),
        "{note}"
    );
    let filters = fs::read_to_string(path.join("figures/filters.svg")).unwrap();
    assert!(
        filters.contains("1x28x28, 256 outputs"),
        "rows of weights as pictures"
    );
    let exemplars = fs::read_to_string(path.join("figures/exemplars.svg")).unwrap();
    assert!(exemplars.contains("layers.3, ReLU: 84"));
    let refused = ["view", "latest", "grad-cam"];
    refuses(
        path,
        &refused,
        2,
        &["mlp has no layer of maps over the image"],
    );
    let there = ["view", "latest", "weights", "--output", "figures"];
    refuses(path, &there, 2, &["is there already", "--force"]);
}

#[test]
fn weights_without_a_data_set_are_looked_at_with_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let weights = ["export", "mlp", "--output", "mlp.safetensors"];
    assert!(kiln(path, &weights).status.success());
    let import = ["import", "--model", "mlp", "--weights", "mlp.safetensors"];
    assert!(kiln(path, &import).status.success());
    let output = kiln(path, &["view", "latest"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 2, "{}", stdout(&output));
    assert!(
        stderr(&output).contains("no saliency: the run"),
        "{}",
        stderr(&output)
    );
    fs::write(
        path.join("grey.pgm"),
        [&b"P5 28 28 255\n"[..], &[90; 784]].concat(),
    )
    .unwrap();
    let output = kiln(path, &["view", "latest", "--image", "grey.pgm"]);
    assert_eq!(stdout(&output).lines().count(), 6, "{}", stderr(&output));
    refuses(
        path,
        &["view", "latest", "errors"],
        2,
        &["without a data set"],
    );
    refuses(
        path,
        &["view", "latest", "--image", "0"],
        2,
        &["without a data set"],
    );
}

#[test]
fn views_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    refuses(path, &["view", "latest"], 2, &["no run 'latest'"]);
    assert!(kiln(path, &CNN).status.success());
    let view = |more: &[&'static str]| [&["view", "latest"], more].concat();
    refuses(
        path,
        &view(&["filtrs"]),
        2,
        &["no figure 'filtrs'", "did you mean 'filters'"],
    );
    refuses(
        path,
        &view(&["--image", "2000"]),
        2,
        &["--image is 2000, but the test images are 0 to 1999"],
    );
    refuses(path, &view(&["--image", "none.png"]), 3, &["none.png"]);
    fs::write(path.join("text.png"), "not a picture").unwrap();
    refuses(path, &view(&["--image", "text.png"]), 3, &["text.png"]);
    refuses(
        path,
        &view(&["filters", "--layer", "cnv2"]),
        2,
        &["no layer 'cnv2', did you mean 'conv2'", "conv1, relu1"],
    );
    refuses(
        path,
        &view(&["--class", "ten"]),
        2,
        &["no class 'ten'", "0, 1, 2"],
    );
    refuses(
        path,
        &view(&["filters", "--layer", "fc1"]),
        2,
        &["sees no image"],
    );
    refuses(
        path,
        &view(&["grad-cam", "--layer", "fc1"]),
        2,
        &["gives no maps"],
    );
    refuses(
        path,
        &view(&["weights", "--layer", "relu1"]),
        2,
        &["relu1 has no weights"],
    );
    refuses(
        path,
        &view(&["--split", "val", "--image", "5000"]),
        2,
        &["the val images are 0 to"],
    );
}
