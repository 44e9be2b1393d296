//! How much of a convolution's advantage is locality, and how much weight
//! sharing?

use kiln_experiments::{Experiment, Figure, Ran, Scale, Section, band, moved, signed_points};
use kiln_figures::{Axis, LinePlot, markdown, thousands};
use kiln_lab::{Comparison, ComparisonResult, EvalSplit, Interval, LabError};
use std::process::ExitCode;

const DENSE: &str = "dense, as many units";
const SMALL: &str = "dense, as many weights";
const LOCAL: &str = "local";
const SHARED: &str = "local and shared";
/// Every arm with its network.
const ARMS: [(&str, &str); 4] = [
    // 6 maps of 12x12 units, then 16 of 4x4.
    (DENSE, "model.name=mlp model.hidden=[864,256]"),
    (SMALL, "model.name=mlp model.hidden=[80]"),
    (LOCAL, "model.name=locally-connected"),
    (SHARED, "model.name=cnn-shared"),
];
/// Images that a network sees in training, unless that makes too many or too
/// few epochs.
const SEEN: usize = 60_000;
const SEEN_FULL: usize = 100_000;

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "weight-sharing",
        about: "A convolutional layer is a dense layer with two restrictions: each unit sees a small window (locality), and all windows have the same weights (sharing). Here they come one after the other. The first network has two dense layers of 864 and 256 units with ReLU; in the second the same units see windows of 5x5 with stride 2, each with weights of its own (`locally-connected`); in the third the windows share their weights (`cnn-shared`), which changes neither units nor connections nor multiply-accumulates (LeCun 1989). A dense network with about as many weights and multiply-accumulates as the local one stands beside them. Few images see more epochs, so that all networks take about equally many steps.",
        comparisons,
        answer,
        sections,
    })
}

/// Training images of the comparisons.
fn counts(scale: Scale) -> &'static [usize] {
    scale.pick(
        &[100, 600],
        &[100, 300, 1000, 3000, 10_000],
        &[100, 300, 1000, 3000, 10_000, 30_000],
    )
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    counts(scale)
        .iter()
        .map(|count| comparison(scale, *count))
        .collect()
}

fn comparison(scale: Scale, count: usize) -> Comparison {
    let seen = scale.pick(2000, SEEN, SEEN_FULL);
    let epochs = (seen / count).clamp(scale.pick(2, 5, 5), scale.pick(10, 60, 100));
    let title = format!("{} training images", thousands(count as u64));
    let mut comparison = Comparison::new(&format!("images-{count}"), &title, &["model"]).share([
        format!(
            "data.dataset={}",
            scale.pick("digits:1000", "mnist", "mnist")
        ),
        format!("data.limit_train={count}"),
        format!("data.limit_val={}", scale.pick(150, 500, 1000)),
        "train.batch_size=50".to_owned(),
        format!("train.epochs={epochs}"),
    ]);
    for (name, keys) in ARMS {
        comparison = comparison.arm(name, keys);
    }
    comparison.seeds = scale.pick(2, 3, 5);
    comparison.pairs = vec![[LOCAL, DENSE], [LOCAL, SMALL], [SHARED, LOCAL]];
    comparison
}

fn result<'a>(ran: &'a Ran, count: usize) -> Option<&'a ComparisonResult> {
    ran.result(&format!("images-{count}"))
}

/// What a step from one network to the next brings.
fn step(result: &ComparisonResult, from: &str, to: &str) -> Option<Interval> {
    Some(result.difference(to, from)?.accuracy)
}

fn answer(ran: &Ran) -> String {
    let counts = counts(ran.scale);
    let at = |count: usize| {
        let result = result(ran, count)?;
        let locality = step(result, DENSE, LOCAL)?;
        let sharing = step(result, LOCAL, SHARED)?;
        Some(format!(
            "with {} training images the test accuracy {} when units see windows, and {} when the windows share their weights",
            thousands(count as u64),
            moved(&locality),
            moved(&sharing)
        ))
    };
    let (first, last) = (counts[0], counts[counts.len() - 1]);
    let weights = |name| {
        let arm = result(ran, first)?.arm(name)?;
        Some(thousands(arm.arm.parameters as u64))
    };
    let found = at(first)
        .zip(at(last))
        .zip(weights(LOCAL).zip(weights(SHARED)));
    match found {
        Some(((few, many), (local, shared))) => format!(
            "From dense to convolutional, {few}; {many}, which leaves {shared} of {local} weights."
        ),
        None => "A training failed.".to_owned(),
    }
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    let mut rows = Vec::new();
    for count in counts(ran.scale) {
        let shown = |from, to| {
            let step = result(ran, *count).and_then(|result| step(result, from, to));
            step.map_or("-".to_owned(), |step| signed_points(&step))
        };
        rows.push(vec![
            thousands(*count as u64),
            shown(DENSE, LOCAL),
            shown(LOCAL, SHARED),
            shown(SMALL, LOCAL),
        ]);
    }
    let series = ARMS.map(|(name, _)| {
        let points = counts(ran.scale).iter().filter_map(|count| {
            let arm = result(ran, *count)?.arm(name)?;
            Some((*count as f64, arm.accuracy(EvalSplit::Test)?))
        });
        band(name, &points.collect::<Vec<_>>(), 100.0)
    });
    let plot = LinePlot {
        title: "Test accuracy against the number of training images".to_owned(),
        x: Axis::log("training images"),
        y: Axis::linear("test accuracy (%)"),
        series: series.to_vec(),
        marks: Vec::new(),
    };
    Ok(vec![Section {
        title: "What each step brings".to_owned(),
        text: format!(
            "Points of test accuracy, paired by seed, with the 95 % interval:\n\n{}",
            markdown(
                &[
                    "training images",
                    "locality: local − dense",
                    "sharing: shared − local",
                    "local − dense with as many weights",
                ],
                &rows
            )
        ),
        figures: vec![Figure {
            name: "accuracy".to_owned(),
            caption: "Test accuracy against the number of training images; the bands are one standard deviation over the seeds".to_owned(),
            svg: plot.svg(),
        }],
    }])
}
