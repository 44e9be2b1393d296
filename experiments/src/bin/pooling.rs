//! Does it matter how a network shrinks its maps, and how it pads them?

use kiln_experiments::{
    Experiment, Figure, Ran, Scale, Section, accuracies, accuracy_table, points, signed_points,
};
use kiln_lab::{Comparison, ComparisonResult, EvalSplit, LabError};
use std::process::ExitCode;

const POOLINGS: [(&str, &str); 5] = [
    ("max", "model.pooling=max"),
    ("sum", "model.pooling=sum"),
    ("L2", "model.pooling=l2"),
    ("average", "model.pooling=average"),
    ("stride", "model.pooling=stride"),
];

const OVERLAPPING: [(&str, &str); 5] = [
    ("max 2x2", "model.pooling=max"),
    ("max 3x3", "model.pooling=max model.pool_size=3"),
    ("L2 3x3", "model.pooling=l2 model.pool_size=3"),
    ("average 3x3", "model.pooling=average model.pool_size=3"),
    ("Gaussian 3x3", "model.pooling=gaussian model.pool_size=3"),
];

const PADDINGS: [(&str, &str); 4] = [
    ("zeros", "model.padding=zeros"),
    ("reflect", "model.padding=reflect"),
    ("replicate", "model.padding=replicate"),
    ("valid", "model.padding=valid"),
];

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "pooling",
        about: "LeNet with five ways to make one value of each 2x2 square: the largest, the sum, the root of the sum of squares, the mean, and the first value alone, which is a convolution with stride 2 in place of pooling. The same with windows of 3x3, which overlap, and with the mean weighted by a Gaussian, which is the plain mean in a square of 2x2. Then two padded 5x5 convolutions with 32 and 64 maps and 64 units (`cnn-ntu`), with an image that goes on beyond its edge as zeros, mirrored, or as its last pixel, and without padding (valid), where the maps shrink and the first linear layer has fewer weights.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let mnist = scale.pick("digits:400", "mnist", "mnist");
    let cifar = scale.pick("shapes:400", "cifar10", "cifar10");
    vec![
        pooling(scale, ("pooling-mnist", "Pooling"), mnist, &POOLINGS),
        pooling(scale, ("pooling-cifar10", "Pooling"), cifar, &POOLINGS),
        pooling(
            scale,
            ("overlapping-mnist", "Overlapping pooling"),
            mnist,
            &OVERLAPPING,
        ),
        padding(scale, cifar),
    ]
}

/// The data set as it is called.
fn called(data: &str) -> &str {
    match data {
        "mnist" => "MNIST",
        "cifar10" => "CIFAR-10",
        other => other,
    }
}

fn pooling(
    scale: Scale,
    (name, kind): (&str, &str),
    data: &str,
    arms: &[(&str, &str)],
) -> Comparison {
    let title = format!("{kind} on {}", called(data));
    let axis = ["model.pooling", "model.pool_size"];
    let comparison = Comparison::new(name, &title, &axis).share([
        "model.name=lenet".to_owned(),
        format!("data.limit_train={}", scale.pick(100, 3_000, 20_000)),
        format!("data.limit_val={}", scale.pick(30, 1_000, 5_000)),
        format!("train.epochs={}", scale.pick(1, 5, 8)),
    ]);
    ways(comparison, scale, data, arms)
}

fn padding(scale: Scale, data: &str) -> Comparison {
    let title = format!("Padding on {}", called(data));
    let comparison = Comparison::new("padding-cifar10", &title, &["model.padding"]).share([
        "model.name=cnn-ntu".to_owned(),
        "model.hidden=[64]".to_owned(),
        format!("data.limit_train={}", scale.pick(50, 1_000, 5_000)),
        format!("data.limit_val={}", scale.pick(20, 500, 1_000)),
        format!("train.epochs={}", scale.pick(1, 4, 8)),
    ]);
    ways(comparison, scale, data, &PADDINGS)
}

/// With an arm for each way.
fn ways(comparison: Comparison, scale: Scale, data: &str, ways: &[(&str, &str)]) -> Comparison {
    let mut comparison = comparison.share([
        format!("data.dataset={data}"),
        "train.batch_size=50".to_owned(),
    ]);
    for (name, key) in ways {
        comparison = comparison.arm(name, key);
    }
    comparison.seeds = scale.pick(1, 3, 5);
    comparison
}

/// How far the best arm is from the worst, in words.
fn apart(result: &ComparisonResult) -> String {
    let test = |name: &str| {
        let arm = result.arm(name)?;
        Some(arm.accuracy(EvalSplit::Test)?.mean)
    };
    let names = result.arms.iter().map(|arm| arm.arm.name.as_str());
    let mut known: Vec<_> = names.filter_map(|name| Some((name, test(name)?))).collect();
    known.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (Some(best), Some(worst)) = (known.first(), known.last()) else {
        return format!("{}: every training failed", result.title);
    };
    let difference = result.difference(best.0, worst.0);
    let Some(difference) = difference.map(|found| found.accuracy) else {
        return format!("{}: a training failed", result.title);
    };
    let verdict = match difference.excludes_zero() {
        true => "",
        false => ", which the seeds cannot tell from nothing",
    };
    format!(
        "{}: from {} down to {} it is {} percentage points{verdict}",
        result.title,
        best.0,
        worst.0,
        signed_points(&difference)
    )
}

fn answer(ran: &Ran) -> String {
    let parts: Vec<_> = ran.results.iter().map(apart).collect();
    format!("{}.", parts.join("; "))
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    let section = |(word, title, text): (&str, &str, &str)| {
        let found: Vec<_> = ran
            .results
            .iter()
            .filter(|result| result.name.starts_with(word))
            .collect();
        let rows: Vec<_> = found
            .iter()
            .map(|result| (result.title.clone(), *result))
            .collect();
        let figure = |result: &&ComparisonResult| Figure {
            name: format!("{}-ways", result.name),
            caption: "Test accuracy of each way with its 95 % interval".to_owned(),
            svg: accuracies(&result.title, &[("", *result)]).svg(),
        };
        Section {
            title: title.to_owned(),
            text: format!("{text}\n\n{}\n{}", accuracy_table("", &rows), noise(&found)),
            figures: found.iter().map(figure).collect(),
        }
    };
    let parts = [
        (
            "pooling",
            "Ways of pooling",
            "The sum is four times the mean, which changes nothing but the scale that the next layer begins with.",
        ),
        (
            "overlapping",
            "Windows that overlap",
            "Windows of 3x3 that stand 2 pixels apart (A. Krizhevsky et al. 2012, section 3.4). At the edge, where a window hangs over it, the means are of the pixels that are there, and a Gaussian has zeros beyond.",
        ),
        (
            "padding",
            "Ways of padding",
            "Without padding the network has fewer weights and less arithmetic, as the table of the comparison says.",
        ),
    ];
    Ok(parts.map(section).into())
}

/// Which ways differ from the first beyond the noise, in a sentence for each
/// comparison.
fn noise(found: &[&ComparisonResult]) -> String {
    let sentence = |result: &&ComparisonResult| {
        let first = result.arms.first()?;
        let reached = points(&first.accuracy(EvalSplit::Test)?);
        let others = result.differences().into_iter();
        let differing: Vec<_> = others
            .filter(|other| other.accuracy.excludes_zero())
            .map(|other| format!("{} by {}", other.first, signed_points(&other.accuracy)))
            .collect();
        let name = &first.arm.name;
        Some(match differing.is_empty() {
            true => format!(
                "- {}: none differs from {name} ({reached}) beyond what the seeds vary.",
                result.title
            ),
            false => format!(
                "- {}: from {name} ({reached}) differ beyond what the seeds vary {} points.",
                result.title,
                differing.join(", ")
            ),
        })
    };
    found
        .iter()
        .filter_map(sentence)
        .collect::<Vec<_>>()
        .join("\n")
}
