//! `kiln conv`: worked examples end to end.

use super::{kiln, refuses, stderr, stdout};
use serde_json::{Value, json};
use std::path::Path;

/// Runs `kiln conv` with these flags, as JSON.
fn conv(flags: &[&str]) -> Value {
    let arguments = [&["conv", "--format", "json"], flags].concat();
    let output = kiln(Path::new("."), &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

const IMAGE: &str = "4 5 8 7; 1 8 8 8; 3 6 6 4; 6 5 7 8";
const KERNEL: &str = "1 4 1; 1 4 3; 3 3 1";

#[test]
fn a_convolution_is_spelled_out() {
    let example = conv(&["--input", IMAGE, "--kernel", KERNEL]);
    assert_eq!(example["output"], json!([[122, 148], [126, 134]]));
    assert_eq!(example["shape"], json!([2, 2]));
    let step = &example["steps"][0];
    assert_eq!(step["operation"], "convolution 3x3");
    assert_eq!(
        step["sums"][0],
        "output[0][0] = 1*4 + 4*5 + 1*8 + 1*1 + 4*8 + 3*8 + 3*3 + 3*6 + 1*6 = 122"
    );
    assert_eq!(step["size"][1], "(4 - 3 + 2*0)/1 + 1 = 2");
    let flipped = ["--input", IMAGE, "--kernel", KERNEL, "--true-convolution"];
    let example = conv(&flipped);
    assert_eq!(example["output"], json!([[119, 148], [121, 143]]));
    let kernel = json!([[1, 3, 3], [3, 4, 1], [1, 4, 1]]);
    assert_eq!(example["steps"][0]["kernel"], kernel);
}

#[test]
fn a_whole_layer_goes_from_kernel_to_pooling() {
    let image = "0.5 -0.1 0.2 0.3 0.5; 0.8 0.1 -0.5 0.5 0.1; -1 0.2 0 0.3 -0.2; 0.7 0.1 0.2 -0.6 0.3; -0.4 0 0.2 0.3 -0.3";
    let layer = [
        "--input",
        image,
        "--kernel",
        "0 1 1; 1 0 1; 1 1 0",
        "--bias",
        "0.05",
        "--activation",
        "sigmoid",
        "--pool",
        "max:2",
    ];
    let example = conv(&layer);
    assert_eq!(
        example["steps"][0]["output"],
        json!([[-0.35, 1.35, 0.75], [-0.55, 0.85, 0.05], [0.75, 0.05, 1.15]])
    );
    assert_eq!(example["steps"][2]["left_over"], json!([1, 1]));
    let last = example["output"][0][0].as_f64().unwrap();
    assert!((last - 0.794_129_6).abs() < 1e-6, "{last}");
    let same = conv(&[&layer[..], &["--padding", "same"]].concat());
    assert_eq!(same["shape"], json!([2, 2]));
    assert_eq!(same["steps"][0]["output"][0][1], 1.65);
}

#[test]
fn one_row_and_pooling_alone_are_examples_too() {
    let example = conv(&["--input", "1 2 3 4 5", "--kernel", "2 1"]);
    assert_eq!(example["output"], json!([[4, 7, 10, 13]]));
    let negative = conv(&["--input", "-1 2; -3 -4", "--pool", "max:2"]);
    assert_eq!(negative["output"], json!([[2]]));
    let strided = ["--input", IMAGE, "--kernel", "-1", "--stride", "2x3"];
    assert_eq!(conv(&strided)["output"], json!([[-4, -7], [-3, -4]]));
}

#[test]
fn the_text_shows_input_kernel_sums_and_output() {
    let show = |flags: &[&str]| {
        let output = kiln(Path::new("."), &[&["conv"], flags].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let text = show(&["--input", IMAGE, "--kernel", KERNEL]);
    for words in [
        "input 4x4       kernel 3x3\n  4  5  8  7      1  4  1\n",
        "rows     (4 - 3 + 2*0)/1 + 1 = 2\n",
        " + 1*6 = 122\n",
        "output 2x2\n  122  148\n  126  134\n",
    ] {
        assert!(text.contains(words), "no '{words}' in:\n{text}");
    }
    let row = ["1"; 50].join(" ");
    let text = show(&["--input", &row, "--kernel", "1 1 1", "--stride", "4"]);
    assert!(text.contains("12.75 -> 12 (rounded down); the last 3 columns are in no window"));
    assert!(!text.contains("more; --format json"), "{text}");
    let text = show(&["--input", &row, "--pool", "max:1"]);
    assert!(
        text.contains("... and 14 more; --format json has all\n"),
        "{text}"
    );
}

#[test]
fn examples_that_cannot_be_are_refused() {
    let at = Path::new(".");
    for (flags, words) in [
        (&["--input", "1 2; 3"][..], "2 in row 1, 1 in row 2"),
        (&["--input", "", "--pool", "max:1"], "the matrix is empty"),
        (
            &["--input", "1 x", "--pool", "max:1"],
            "'x' is not a number",
        ),
        (&["--input", "1 nan"], "'nan' is not a finite number"),
        (&["--input", "1 2"], "nothing to compute"),
        (&["--input", "1 2", "--stride", "2"], "--kernel"),
        (
            &["--input", "1 2; 3 4", "--kernel", "1 2 3; 4 5 6; 7 8 9"],
            "convolution 3x3 does not fit a map of 2x2: its height (2 - 3 + 2*0)/1 + 1 = 0 is below 1",
        ),
        (&["--input", "1 2", "--pool", "max:3"], "does not fit"),
        (&["--input", "1 2", "--pool", "mean:2"], "average:2"),
        (&["--input", "1 2", "--activation", "sigmod"], "'sigmoid'"),
        (
            &["--input", "1 2", "--kernel", "1 2", "--padding", "same"],
            "odd number of rows and columns",
        ),
        (
            &["--input", "1", "--kernel", "1", "--bias", "inf"],
            "not a finite number",
        ),
        (
            &["--input", "1", "--kernel", "1", "--stride", "0"],
            "the stride is 0",
        ),
        (
            &["--input", "1", "--kernel", "1", "--dilation", "99999"],
            "up to 1000",
        ),
        (
            &["--input", "1", "--kernel", "1", "--padding", "-1"],
            "'-1' is no padding",
        ),
    ] {
        refuses(at, &[&["conv"], flags].concat(), 2, &[words]);
    }
}
