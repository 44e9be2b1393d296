//! The CIFAR ResNets with and without their shortcuts.

use crate::{ByDepth, against_depth, by_depth};
use kiln_experiments::{Ran, Scale, Section, signed_points};
use kiln_figures::{Axis, markdown};
use kiln_lab::{Comparison, ComparisonResult, EvalSplit, Interval};

const RESIDUAL: &str = "residual";
const PLAIN: &str = "plain";

/// Layers with weights.
fn depths(scale: Scale) -> &'static [usize] {
    match scale {
        Scale::Smoke => &[20],
        Scale::Quick => &[20, 32],
        Scale::Full => &[20, 32, 56],
        Scale::Long => &[20, 32, 44, 56, 110],
    }
}

/// One comparison for each depth.
pub fn comparisons(scale: Scale) -> Vec<Comparison> {
    depths(scale)
        .iter()
        .map(|depth| at(scale, *depth))
        .collect()
}

fn at(scale: Scale, depth: usize) -> Comparison {
    let (data, train, val, epochs) = match scale {
        Scale::Smoke => ("shapes:200", "100", "20", 1),
        Scale::Quick => ("mnist", "800", "200", 4),
        Scale::Full => ("cifar10", "3000", "500", 8),
        Scale::Long => ("cifar10", "all", "all", 60),
    };
    let title = format!("{depth} convolutional layers");
    let mut comparison = Comparison::new(&format!("cnn-{depth}"), &title, &["model.shortcut"])
        .share([
            format!("model.name=resnet{depth}"),
            format!("data.dataset={data}"),
            format!("data.limit_train={train}"),
            format!("data.limit_val={val}"),
            format!("train.epochs={epochs}"),
            "train.batch_size=50".to_owned(),
        ])
        .arm(PLAIN, "model.shortcut=none")
        .arm(RESIDUAL, "model.shortcut=pad");
    if scale != Scale::Long {
        comparison.splits = vec![EvalSplit::Train];
    }
    comparison.seeds = scale.pick(1, 3, 5);
    comparison
}

fn results<'a>(ran: &'a Ran) -> ByDepth<'a> {
    by_depth(ran, "cnn", depths(ran.scale))
}

/// What the shortcuts bring.
fn gain(result: &ComparisonResult, split: EvalSplit) -> Option<Interval> {
    let plain = result.arm(PLAIN)?;
    result
        .arm(RESIDUAL)?
        .minus(plain, |one| one.accuracy(split))
}

/// The end of a sentence.
pub fn answer(ran: &Ran) -> String {
    let Some((depth, deepest)) = results(ran).pop() else {
        return "no convolutional network was trained".to_owned();
    };
    match gain(deepest, EvalSplit::Test) {
        None => format!("a training of the {depth} convolutional layers failed"),
        Some(gain) if !gain.excludes_zero() => format!(
            "shortcuts change the accuracy of {depth} convolutional layers by {} percentage points, which the seeds cannot tell from nothing",
            signed_points(&gain)
        ),
        Some(gain) => format!(
            "shortcuts {} of {depth} convolutional layers by {} percentage points",
            match gain.mean > 0.0 {
                true => "raise the accuracy",
                false => "lower the accuracy",
            },
            signed_points(&gain)
        ),
    }
}

/// The section about it.
pub fn section(ran: &Ran) -> Section {
    let found = results(ran);
    let gains: Vec<_> = found
        .iter()
        .map(|(depth, result)| {
            let cell = |split| {
                let gain = gain(result, split);
                gain.map_or_else(|| "-".to_owned(), |gain| signed_points(&gain))
            };
            vec![
                depth.to_string(),
                cell(EvalSplit::Test),
                cell(EvalSplit::Train),
            ]
        })
        .collect();
    let (table, figure) = against_depth(
        &found,
        "layers",
        (
            "With and without shortcuts",
            Axis::linear("layers with weights"),
        ),
        (
            "shortcuts",
            "Test accuracy against the number of layers with and without shortcuts",
        ),
    );
    let head = [
        "layers",
        "shortcuts bring (points)",
        "on the training images",
    ];
    Section {
        title: "Residual connections".to_owned(),
        text: format!(
            "Both have the same layers and equally many weights; the shortcuts, which pad with zeros, have none (K. He et al. 2015, sections 3.3 and 4.2). Where the plain network is behind on the images that it learns from, too, it is not overfitting that holds it back: it is harder to train.\n\n{table}\n{}",
            markdown(&head, &gains)
        ),
        figures: vec![figure],
    }
}
