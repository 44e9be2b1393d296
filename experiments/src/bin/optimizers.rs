//! How do the learning algorithms compare at the lecture's rate, and each at
//! its own?

use burn::tensor::Tensor;
use kiln_experiments::{
    Experiment, Figure, Ran, Scale, Section, points, signed_points, trajectory,
};
use kiln_figures::{Axis, LinePlot, Series, markdown};
use kiln_lab::{ArmResult, Comparison, ComparisonResult, EvalSplit, LabError, Search};
use kiln_training::{OptimizerSettings, find_optimizer};
use std::process::ExitCode;

/// Name in the tables, name of the optimizer, and its rate on the ravine.
const ALGORITHMS: [(&str, &str, f64); 6] = [
    ("GD", "gd", 0.035),
    ("SGD", "sgd", 0.035),
    ("momentum", "momentum", 0.01),
    ("AdaGrad", "adagrad", 0.6),
    ("RMSprop", "rmsprop", 0.03),
    ("Adam", "adam", 0.15),
];

/// The lecture's rate.
const LECTURE: f64 = 1e-3;

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "optimizers",
        about: "The lecture's CNN (two padded 5x5 convolutions, 3,274,634 parameters) on 12,000 training and 2,000 validation images of MNIST, 128 a step: one curve for each learning algorithm at the lecture's rate of 0.001, and one at a rate that was searched alike for all. Gradient descent takes one step per epoch, with the gradient of all images.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let mut lecture =
        Comparison::new("lecture", "At the lecture's rate", &["optimizer"]).share(shared(scale));
    let mut tuned =
        Comparison::new("tuned", "Each at its own rate", &["optimizer"]).share(shared(scale));
    for (name, optimizer, _) in ALGORITHMS {
        let keys = format!("optimizer.name={optimizer}");
        lecture = lecture.arm(name, &format!("{keys} optimizer.lr={LECTURE}"));
        tuned = tuned.searched_arm(name, &keys, "optimizer.lr");
    }
    tuned.search = Some(Search {
        factors: scale.pick(
            vec![0.3, 1.0],
            vec![0.1, 0.3, 1.0, 3.0, 10.0],
            vec![0.1, 0.3, 1.0, 3.0, 10.0],
        ),
        epochs: scale.pick(1, 1, 2),
    });
    for comparison in [&mut lecture, &mut tuned] {
        comparison.seeds = scale.pick(1, 3, 3);
        let names = ALGORITHMS.map(|(name, ..)| name);
        let (adam, others) = names.split_last().expect("there are six");
        comparison.pairs = others.iter().map(|other| [adam, *other]).collect();
    }
    vec![lecture, tuned]
}

fn shared(scale: Scale) -> Vec<String> {
    let network = scale.pick("lenet", "cnn-ntu", "cnn-ntu");
    vec![
        format!("model.name={network}"),
        format!(
            "data.dataset={}",
            scale.pick("digits:1600", "mnist", "mnist")
        ),
        format!("data.limit_train={}", scale.pick(1000, 2000, 12_000)),
        format!("data.limit_val={}", scale.pick(250, 1000, 2000)),
        format!("train.epochs={}", scale.pick(2, 3, 5)),
        "train.batch_size=128".to_owned(),
        "schedule.name=constant".to_owned(),
        "data.preprocessing=none".to_owned(),
    ]
}

/// The arms by test accuracy, the best first.
fn ranked(result: &ComparisonResult) -> Vec<(&ArmResult, kiln_lab::Interval)> {
    let arms = result.arms.iter();
    let mut ranked: Vec<_> = arms
        .filter_map(|arm| Some((arm, arm.accuracy(EvalSplit::Test)?)))
        .collect();
    ranked.sort_by(|a, b| b.1.mean.total_cmp(&a.1.mean));
    ranked
}

fn answer(ran: &Ran) -> String {
    let order = |name: &str| {
        let ranked = ran.result(name).map(ranked).unwrap_or_default();
        let shown = ranked
            .iter()
            .map(|(arm, accuracy)| format!("{} {}", arm.arm.name, points(accuracy)));
        shown.collect::<Vec<_>>().join(", ")
    };
    format!(
        "At the lecture's rate: {}; each at its own: {}.",
        order("lecture"),
        order("tuned")
    )
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    let mut sections = Vec::new();
    if let (Some(lecture), Some(tuned)) = (ran.result("lecture"), ran.result("tuned")) {
        sections.push(side_by_side(lecture, tuned));
    }
    sections.push(ravine()?);
    sections.push(one_dimension()?);
    Ok(sections)
}

fn side_by_side(lecture: &ComparisonResult, tuned: &ComparisonResult) -> Section {
    let rows = tuned.arms.iter().map(|arm| {
        let accuracy = |arm: Option<&ArmResult>| {
            let accuracy = arm.and_then(|arm| arm.accuracy(EvalSplit::Test));
            accuracy.map_or_else(|| "-".to_owned(), |accuracy| points(&accuracy))
        };
        vec![
            arm.arm.name.clone(),
            accuracy(lecture.arm(&arm.arm.name)),
            accuracy(Some(arm)),
            arm.arm.settings.optimizer.lr.to_string(),
            lecture
                .arm(&arm.arm.name)
                .and_then(|before| arm.minus(before, |one| one.accuracy(EvalSplit::Test)))
                .map_or_else(|| "-".to_owned(), |gain| signed_points(&gain)),
        ]
    });
    let head = [
        "",
        "at 0.001",
        "at its own rate",
        "its own rate",
        "gain (points)",
    ];
    Section {
        title: "Both side by side".to_owned(),
        text: format!(
            "A rate was chosen by short trainings with one seed, which is what a search of this size costs; the longer trainings show whether it was worth it.\n\n{}",
            markdown(&head, &rows.collect::<Vec<_>>())
        ),
        figures: Vec::new(),
    }
}

fn chosen(optimizer: &str, lr: f64) -> Result<OptimizerSettings, LabError> {
    let mut settings = find_optimizer(optimizer)?.defaults();
    settings.lr = lr;
    Ok(settings)
}

/// A long narrow valley: 50 times as steep across as along.
fn valley(x: Tensor<1>) -> Tensor<1> {
    let weights = Tensor::<1>::from_floats([0.5, 25.0], &x.device());
    (x.square() * weights).sum()
}

fn ravine() -> Result<Section, LabError> {
    let contours = [0.5, 2.0, 6.0, 12.0, 20.0, 30.0].map(|height: f64| {
        let around = (0..=120).map(|at| f64::from(at) * std::f64::consts::TAU / 120.0);
        Series {
            points: around
                .map(|angle| {
                    let (along, across) = ((2.0 * height).sqrt(), (height / 25.0).sqrt());
                    (along * angle.cos(), across * angle.sin())
                })
                .collect(),
            backdrop: true,
            ..Series::default()
        }
    });
    let mut series: Vec<_> = contours.into();
    let mut rows = Vec::new();
    for (name, optimizer, lr) in ALGORITHMS {
        if name == "SGD" {
            continue; // without batches it is gradient descent
        }
        let path = trajectory(&chosen(optimizer, lr)?, &[-7.0, 1.0], 60, valley)?;
        let height = |point: &[f64]| 0.5 * point[0].powi(2) + 25.0 * point[1].powi(2);
        rows.push(vec![
            name.to_owned(),
            lr.to_string(),
            format!("{:.4}", height(&path[20])),
            format!("{:.4}", height(&path[60])),
        ]);
        series.push(Series {
            name: name.to_owned(),
            points: path.iter().map(|point| (point[0], point[1])).collect(),
            ..Series::default()
        });
    }
    let plot = LinePlot {
        title: "60 steps in a ravine, from (-7, 1)".to_owned(),
        x: Axis::linear("x"),
        y: Axis::linear("y"),
        series,
        marks: Vec::new(),
    };
    let head = ["", "rate", "f after 20 steps", "f after 60 steps"];
    Ok(Section {
        title: "In a ravine".to_owned(),
        text: format!(
            "f(x, y) = x²/2 + 25 y², 50 times as curved across as along, from (-7, 1) where f is 49.5. Gradient descent must keep its rate below 2/50, jumps from side to side and then goes along the floor by a fixed share of what is left; momentum gathers speed and overshoots; AdaGrad, RMSprop and Adam give each direction a rate of its own and take no notice of the steepness. The rates were set by hand so that the paths can be told apart: the table describes these paths, it does not rank the algorithms. SGD is not among them: without batches it is gradient descent.\n\n{}",
            markdown(&head, &rows)
        ),
        figures: vec![Figure {
            name: "ravine".to_owned(),
            caption: "Paths of the algorithms in the ravine; grey lines are of equal height"
                .to_owned(),
            svg: plot.svg(),
        }],
    })
}

/// The lecture's function, exp(-x) + x².
fn lecture_function(x: Tensor<1>) -> Tensor<1> {
    (x.clone().neg().exp() + x.square()).sum()
}

/// Its minimum, where exp(-x) = 2x.
const MINIMUM: f64 = 0.351_733_711;

fn one_dimension() -> Result<Section, LabError> {
    let mut series = Vec::new();
    for (name, optimizer, _) in ALGORITHMS {
        if name == "SGD" {
            continue;
        }
        let path = trajectory(&chosen(optimizer, 0.1)?, &[-0.5], 40, lecture_function)?;
        let steps = path.iter().enumerate();
        series.push(Series {
            name: name.to_owned(),
            points: steps.map(|(step, point)| (step as f64, point[0])).collect(),
            ..Series::default()
        });
    }
    let ends = series.iter().map(|one| {
        let last = one.points.last().map_or(f64::NAN, |point| point.1);
        vec![
            one.name.clone(),
            format!("{last:.5}"),
            format!("{:+.5}", last - MINIMUM),
        ]
    });
    let head = ["", "x after 40 steps", "from the minimum"];
    let text = format!(
        "f(x) = exp(-x) + x² from x = -0.5, every algorithm but SGD, which without batches is gradient descent, at a rate of 0.1. f'(0) = -1 and f'(0.5) = 0.39347, so the minimum is between: at x = {MINIMUM:.5}.\n\n{}",
        markdown(&head, &ends.collect::<Vec<_>>())
    );
    series.push(Series {
        points: vec![(0.0, MINIMUM), (40.0, MINIMUM)],
        backdrop: true,
        ..Series::default()
    });
    let plot = LinePlot {
        title: "Finding the minimum of exp(-x) + x²".to_owned(),
        x: Axis::whole("step"),
        y: Axis::linear("x"),
        series,
        marks: Vec::new(),
    };
    Ok(Section {
        title: "In one dimension".to_owned(),
        text,
        figures: vec![Figure {
            name: "one-dimension".to_owned(),
            caption: "x after each step; the grey line is the minimum".to_owned(),
            svg: plot.svg(),
        }],
    })
}
