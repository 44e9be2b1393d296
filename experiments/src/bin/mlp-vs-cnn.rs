//! Does a convolutional network beat a perceptron on the same images?

use kiln_experiments::{Experiment, Figure, Ran, Scale, Section, band, points, signed_points};
use kiln_figures::{Axis, LinePlot, markdown, thousands};
use kiln_lab::{ArmDifference, Comparison, Equal, EvalSplit, LabError};
use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "mlp-vs-cnn",
        about: "First the lecture's own comparison: a perceptron of 178,110 parameters and a convolutional network of 5,386, 5,000 training and 5,000 validation images of MNIST, Adam at 0.005, 1,000 images a step. Then LeNet-5 against perceptrons that have as many parameters as it, as many multiply-accumulates; against MLPNet, which is matched in neither, on digits, clothes and photographs, and for growing numbers of training images.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let mut all = vec![
        lecture(scale),
        as_many(scale, "parameters", "75,32", Equal::Parameters(0.01)),
        as_many(scale, "macs", "480,84", Equal::MultiplyAccumulates(0.01)),
    ];
    all.extend(data_sets(scale).iter().map(|name| on(scale, name)));
    all.extend(
        sizes(scale)
            .iter()
            .map(|(images, epochs)| of_size(scale, *images, *epochs)),
    );
    all
}

fn digits(scale: Scale) -> &'static str {
    scale.pick("digits:2400", "mnist", "mnist")
}

/// MEML's model1 and model2.
fn lecture(scale: Scale) -> Comparison {
    let images = scale.pick(1500, 5000, 5000);
    let mut lecture = Comparison::new("lecture", "The lecture's two networks", &["model"])
        .share([
            format!("data.dataset={}", digits(scale)),
            format!("data.limit_train={images}"),
            format!("data.limit_val={}", scale.pick(400, 5000, 5000)),
            format!("train.epochs={}", scale.pick(3, 20, 20)),
        ])
        .share([
            "train.batch_size=1000",
            "optimizer.name=adam",
            "optimizer.lr=0.005",
            "schedule.name=constant",
            "data.preprocessing=none",
        ])
        .arm("MLP", "model.name=mlp-meml")
        .arm("CNN", "model.name=cnn-meml");
    lecture.seeds = scale.pick(2, 3, 10);
    lecture
}

/// LeNet-5 and a perceptron of two hidden layers that costs the same.
fn as_many(scale: Scale, name: &str, hidden: &str, equal: Equal) -> Comparison {
    let title = match equal {
        Equal::Parameters(_) => "As many parameters",
        _ => "As many multiply-accumulates",
    };
    let mut comparison = Comparison::new(name, title, &["model"])
        .share(usual(scale, digits(scale)))
        .arm("MLP", &format!("model.name=mlp model.hidden=[{hidden}]"))
        .arm("LeNet", "model.name=lenet");
    comparison.equal = equal;
    comparison.seeds = seeds(scale);
    comparison
}

fn data_sets(scale: Scale) -> &'static [&'static str] {
    scale.pick(
        &["shapes"],
        &["fashion-mnist", "cifar10"],
        &["mnist", "fashion-mnist", "cifar10"],
    )
}

/// LeNet-5 and the lecture's larger perceptron.
fn on(scale: Scale, dataset: &str) -> Comparison {
    let mut comparison = Comparison::new(dataset, &format!("On {dataset}"), &["model"])
        .share(usual(scale, scale.pick("shapes:1600", dataset, dataset)))
        .arm("MLP", "model.name=mlp")
        .arm("LeNet", "model.name=lenet");
    comparison.seeds = seeds(scale);
    comparison
}

fn usual(scale: Scale, dataset: &str) -> Vec<String> {
    vec![
        format!("data.dataset={dataset}"),
        format!("data.limit_train={}", scale.pick("1000", "5000", "all")),
        format!("data.limit_val={}", scale.pick("250", "1000", "all")),
        format!("train.epochs={}", scale.pick(2, 10, 10)),
    ]
}

fn seeds(scale: Scale) -> u64 {
    scale.pick(1, 3, 5)
}

/// Training images, and the epochs that teach them: fewer images, more of them.
fn sizes(scale: Scale) -> &'static [(usize, usize)] {
    scale.pick(
        &[(100, 4), (300, 3)],
        &[(100, 100), (300, 60), (1000, 40), (3000, 20)],
        &[
            (100, 100),
            (300, 60),
            (1000, 40),
            (3000, 25),
            (10_000, 15),
            (55_000, 10),
        ],
    )
}

fn of_size(scale: Scale, images: usize, epochs: usize) -> Comparison {
    let title = format!("{} training images", thousands(images as u64));
    let mut comparison = Comparison::new(&size_name(images), &title, &["model"])
        .share([
            format!("data.dataset={}", digits(scale)),
            format!("data.limit_train={images}"),
            format!("data.limit_val={}", scale.pick(300, 1000, 1000)),
            format!("train.epochs={epochs}"),
        ])
        .arm("MLP", "model.name=mlp")
        .arm("LeNet", "model.name=lenet");
    comparison.seeds = seeds(scale);
    comparison
}

fn size_name(images: usize) -> String {
    format!("images-{images}")
}

fn answer(ran: &Ran) -> String {
    let lecture = ran
        .result("lecture")
        .and_then(|one| one.difference("CNN", "MLP"));
    let Some(lecture) = lecture else {
        return "The comparison failed: see its table.".to_owned();
    };
    let equal = |name| {
        ran.result(name)
            .and_then(|one| one.difference("LeNet", "MLP"))
    };
    let gain = |difference: Option<ArmDifference>| {
        difference.map_or_else(|| "-".to_owned(), |found| signed_points(&found.accuracy))
    };
    let verdict = match (
        lecture.accuracy.excludes_zero(),
        lecture.accuracy.mean > 0.0,
    ) {
        (true, true) => {
            "Yes: with a thirty-third of its parameters the lecture's CNN gains on its MLP"
        }
        (true, false) => "No: the lecture's CNN loses against its MLP by",
        (false, _) => "The lecture's CNN and MLP cannot be told apart here: the difference is",
    };
    format!(
        "{verdict} {} percentage points of test accuracy (95 % interval); at equal parameters LeNet-5 gains {}, at equal multiply-accumulates {}.",
        signed_points(&lecture.accuracy),
        gain(equal("parameters")),
        gain(equal("macs")),
    )
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    let found: Vec<_> = sizes(ran.scale)
        .iter()
        .filter_map(|(images, _)| Some((*images, ran.result(&size_name(*images))?)))
        .collect();
    let curve = |arm: &str| {
        let accuracy = found.iter().filter_map(|(images, result)| {
            Some((*images as f64, result.arm(arm)?.accuracy(EvalSplit::Test)?))
        });
        band(arm, &accuracy.collect::<Vec<_>>(), 100.0)
    };
    let plot = LinePlot {
        title: "Accuracy against the number of training images".to_owned(),
        x: Axis::log("training images"),
        y: Axis::linear("test accuracy (%)"),
        series: vec![curve("MLP"), curve("LeNet")],
        marks: Vec::new(),
    };
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|(images, result)| {
            let shown = |arm: &str| {
                let accuracy = result
                    .arm(arm)
                    .and_then(|arm| arm.accuracy(EvalSplit::Test));
                accuracy.map_or_else(|| "-".to_owned(), |accuracy| points(&accuracy))
            };
            let difference = result.difference("LeNet", "MLP");
            vec![
                thousands(*images as u64),
                shown("MLP"),
                shown("LeNet"),
                difference.map_or_else(|| "-".to_owned(), |one| signed_points(&one.accuracy)),
            ]
        })
        .collect();
    let head = ["training images", "MLP", "LeNet", "LeNet − MLP (points)"];
    Ok(vec![Section {
        title: "How many images are needed".to_owned(),
        text: markdown(&head, &rows),
        figures: vec![Figure {
            name: "images".to_owned(),
            caption: "Test accuracy of both networks against the number of training images"
                .to_owned(),
            svg: plot.svg(),
        }],
    }])
}
