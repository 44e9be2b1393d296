//! Which of the three ways to centre the pixels is worth it?

use kiln_experiments::{
    Experiment, Figure, Ran, Scale, Section, accuracies, accuracy_table, signed_points,
};
use kiln_lab::{ArmResult, Comparison, ComparisonResult, Interval, LabError};
use std::process::ExitCode;

/// A network on a data set.
struct Case {
    name: &'static str,
    title: &'static str,
    model: &'static str,
    /// The data set, and the built-in one instead.
    data: [&'static str; 2],
}

const CASES: [Case; 3] = [
    Case {
        name: "mlp",
        title: "MLP on MNIST",
        model: "mlp",
        data: ["mnist", "digits:400"],
    },
    Case {
        name: "lenet",
        title: "LeNet on MNIST",
        model: "lenet",
        data: ["mnist", "digits:400"],
    },
    Case {
        name: "cifar10",
        title: "LeNet on CIFAR-10",
        model: "lenet",
        data: ["cifar10", "shapes:400"],
    },
];

const NONE: &str = "none";

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "preprocessing",
        about: "Pixels as numbers from 0 to 1 (none); with the mean image taken away, as AlexNet does; with the mean of each channel taken away, as VGG does; and divided by the standard deviation of each channel too, as the published code of ResNet does. Means and deviations are those of the training images. The learning algorithm is SGD with momentum, whose steps follow the scale of the inputs, where Adam would make up for it in part.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    CASES.iter().map(|case| comparison(scale, case)).collect()
}

fn comparison(scale: Scale, case: &Case) -> Comparison {
    let [real, built_in] = case.data;
    let title = match scale {
        Scale::Smoke => format!("{} on {built_in}", case.model),
        _ => case.title.to_owned(),
    };
    let mut comparison = Comparison::new(case.name, &title, &["data.preprocessing"])
        .share([
            format!("model.name={}", case.model),
            format!("data.dataset={}", scale.pick(built_in, real, real)),
            format!("data.limit_train={}", scale.pick(200, 5_000, 20_000)),
            format!("data.limit_val={}", scale.pick(30, 1_000, 5_000)),
            format!("train.epochs={}", scale.pick(2, 5, 10)),
            "train.batch_size=50".to_owned(),
            "optimizer.name=momentum".to_owned(),
            "optimizer.lr=0.01".to_owned(),
        ])
        .arm(NONE, "data.preprocessing=none")
        .arm("mean image", "data.preprocessing=mean-image")
        .arm("channel mean", "data.preprocessing=channel-mean")
        .arm(
            "channel mean and std",
            "data.preprocessing=channel-mean-std",
        );
    comparison.seeds = scale.pick(1, 3, 5);
    comparison
}

/// How much a way is better than none.
fn gain(result: &ComparisonResult, arm: &ArmResult) -> Option<Interval> {
    Some(result.difference(&arm.arm.name, NONE)?.accuracy)
}

/// The way that brings most, with what it brings.
fn best(result: &ComparisonResult) -> Option<(&str, Interval)> {
    let others = result.arms.iter().skip(1);
    let gains = others.filter_map(|arm| Some((arm.arm.name.as_str(), gain(result, arm)?)));
    gains.max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))
}

fn answer(ran: &Ran) -> String {
    let parts: Vec<_> = ran
        .results
        .iter()
        .map(|result| match best(result) {
            None => format!("{}: a training failed", result.title),
            Some((arm, gain)) if gain.excludes_zero() && gain.mean > 0.0 => format!(
                "{}: {arm} brings most, {} percentage points against none",
                result.title,
                signed_points(&gain)
            ),
            Some((arm, gain)) => format!(
                "{}: nothing that the seeds can tell from none, at best {arm} with {} percentage points",
                result.title,
                signed_points(&gain)
            ),
        })
        .collect();
    format!("{}.", parts.join("; "))
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    let rows: Vec<_> = ran
        .results
        .iter()
        .map(|result| (result.title.clone(), result))
        .collect();
    let figure = |result: &ComparisonResult| Figure {
        name: format!("{}-ways", result.name),
        caption: "Test accuracy under each way with its 95 % interval".to_owned(),
        svg: accuracies(&result.title, &[("", result)]).svg(),
    };
    Ok(vec![Section {
        title: "All networks".to_owned(),
        text: format!(
            "Test accuracy of each network under each way. Taking a mean away moves the inputs, which a bias can learn to do as well. Dividing by the standard deviation makes them three to four times as large, which for SGD works like a larger learning rate of the first layer, too: a longer training or a larger rate may make up for a part of it.\n\n{}",
            accuracy_table("", &rows)
        ),
        figures: ran.results.iter().map(figure).collect(),
    }])
}
