//! How much does a network's accuracy depend on the scale of its first weights?

use kiln_experiments::{
    Experiment, Figure, Ran, Scale, Section, accuracies, accuracy_table, points, short,
};
use kiln_figures::{Axis, LinePlot, Series, markdown};
use kiln_lab::{Comparison, ComparisonResult, EvalSplit, LabError, Specimen};
use std::process::ExitCode;

/// The ways, from the smallest weights to the largest in the hidden layers.
const SCHEMES: [(&str, &str); 7] = [
    ("N(0, 0.01²)", "model.init=normal-0.01"),
    ("PyTorch's default", "model.init=default"),
    ("LeCun", "model.init=lecun"),
    ("Glorot", "model.init=glorot"),
    ("orthogonal", "model.init=orthogonal"),
    ("He", "model.init=he"),
    ("N(0, 1)", "model.init=normal-1"),
];

const FUNCTIONS: [(&str, &str); 2] = [("tanh", "tanh"), ("relu", "ReLU")];
/// Images that activations are seen for.
const IMAGES: usize = 500;
/// Units of every hidden layer.
const WIDTH: usize = 100;

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "initialization",
        about: "The same network, the same images, the same steps; only the distribution of the first weights differs. Ten hidden layers of 100 units with tanh and with ReLU, and LeNet, whose five layers forgive more; SGD with momentum, as Adam's steps do not follow the size of the gradient and so hide a part of the harm. Biases begin at zero but for PyTorch's default. What is called too small is the deviation 0.01 that was usual for AlexNet, too large the deviation 1.",
        comparisons,
        answer,
        sections,
    })
}

fn depth(scale: Scale) -> usize {
    scale.pick(4, 10, 10)
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let layers = vec![WIDTH.to_string(); depth(scale)].join(",");
    let mut all: Vec<_> = FUNCTIONS
        .iter()
        .map(|(function, name)| {
            let title = format!("{} hidden layers with {name}", depth(scale));
            comparison(scale, function, &title).share([
                "model.name=mlp".to_owned(),
                format!("model.hidden=[{layers}]"),
                format!("model.activation={function}"),
            ])
        })
        .collect();
    all.push(comparison(scale, "lenet", "LeNet").share(["model.name=lenet"]));
    all
}

fn comparison(scale: Scale, name: &str, title: &str) -> Comparison {
    let mut comparison = Comparison::new(name, title, &["model.init"]).share([
        format!(
            "data.dataset={}",
            scale.pick("digits:400", "mnist", "mnist")
        ),
        format!("data.limit_train={}", scale.pick(200, 3_000, 20_000)),
        format!("data.limit_val={}", scale.pick(30, 1_000, 5_000)),
        format!("train.epochs={}", scale.pick(1, 5, 8)),
        "train.batch_size=50".to_owned(),
        "optimizer.name=momentum".to_owned(),
        "optimizer.lr=0.01".to_owned(),
    ]);
    for (name, key) in SCHEMES {
        comparison = comparison.arm(name, key);
    }
    comparison.seeds = scale.pick(1, 3, 5);
    comparison
}

/// Name and mean accuracy of every arm that did not fail, the best first.
fn ranked(result: &ComparisonResult) -> Vec<(&str, f64)> {
    let arms = result.arms.iter();
    let mut arms: Vec<_> = arms
        .filter_map(|arm| Some((arm.arm.name.as_str(), arm.accuracy(EvalSplit::Test)?.mean)))
        .collect();
    arms.sort_by(|a, b| b.1.total_cmp(&a.1));
    arms
}

fn answer(ran: &Ran) -> String {
    let parts: Vec<_> = ran
        .results
        .iter()
        .map(|result| {
            let ranked = ranked(result);
            let failed = result.arms.len() - ranked.len();
            let (Some(best), Some(worst)) = (ranked.first(), ranked.last()) else {
                return format!("{}: every scheme failed", result.title);
            };
            let shown = |name: &str| {
                let arm = result
                    .arm(name)
                    .and_then(|arm| arm.accuracy(EvalSplit::Test));
                arm.map_or_else(|| "-".to_owned(), |test| points(&test))
            };
            let failed = match failed {
                0 => String::new(),
                1 => ", and one diverged".to_owned(),
                count => format!(", and {count} diverged"),
            };
            format!(
                "{}: from {} with {} down to {} with {}{failed}",
                result.title,
                shown(best.0),
                best.0,
                shown(worst.0),
                worst.0
            )
        })
        .collect();
    format!("{}.", parts.join("; "))
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    let mut all = vec![accuracy(ran)];
    for (function, name) in FUNCTIONS {
        if let Some(result) = ran.result(function) {
            all.push(activations(ran, result, name)?);
        }
    }
    Ok(all)
}

fn accuracy(ran: &Ran) -> Section {
    let rows: Vec<_> = ran
        .results
        .iter()
        .map(|result| (result.title.clone(), result))
        .collect();
    let named: Vec<_> = ran
        .results
        .iter()
        .map(|result| (result.title.as_str(), result))
        .collect();
    Section {
        title: "Accuracy by scheme".to_owned(),
        text: format!(
            "A network that always gives the most frequent class has about 10 %. Where the loss became infinite or NaN with one of the seeds, it says failed: that is a result, too.\n\n{}",
            accuracy_table("", &rows)
        ),
        figures: vec![Figure {
            name: "accuracy".to_owned(),
            caption: "Test accuracy with each scheme with its 95 % interval".to_owned(),
            svg: accuracies("First weights", &named).svg(),
        }],
    }
}

/// How far apart the images are in each hidden layer before the first step.
fn activations(ran: &Ran, result: &ComparisonResult, name: &str) -> Result<Section, LabError> {
    let (mut series, mut rows) = (Vec::new(), Vec::new());
    for arm in &result.arms {
        let specimen = Specimen::initial(&arm.arm.settings, IMAGES, ran.store)?;
        let seen = specimen.activations().into_iter();
        let hidden = seen.filter(|seen| seen.kind == name);
        let deviations: Vec<_> = hidden
            .map(|seen| {
                let values: Vec<f64> = seen.values.iter().collect();
                deviation(&values, seen.values.shape()[1])
            })
            .collect();
        let (Some(first), Some(last)) = (deviations.first(), deviations.last()) else {
            continue;
        };
        rows.push(vec![
            arm.arm.name.clone(),
            short(*first),
            short(*last),
            short(last / first),
        ]);
        let places = deviations.iter().enumerate();
        series.push(Series {
            name: arm.arm.name.clone(),
            points: places
                .map(|(at, value)| ((at + 1) as f64, *value))
                .collect(),
            ..Series::default()
        });
    }
    let plot = LinePlot {
        title: format!("Activations before the first step, {name}"),
        x: Axis::linear("hidden layer"),
        y: Axis::log("standard deviation over the images"),
        series,
        marks: Vec::new(),
    };
    let head = [
        "",
        "first hidden layer",
        "last hidden layer",
        "last / first",
    ];
    Ok(Section {
        title: format!("What {name} makes of the images before the first step"),
        text: format!(
            "How far apart {IMAGES} training images are in each layer: the standard deviation of a unit over the images, the root of its mean square over the units, with seed 1. {} Where it shrinks from layer to layer the last one cannot tell the images apart any more, and the gradient shrinks alike on its way back.\n\n{}",
            remark(name),
            markdown(&head, &rows)
        ),
        figures: vec![Figure {
            name: format!("activations-{}", result.name),
            caption: "Standard deviation over the images of what each hidden layer gives before the first step"
                .to_owned(),
            svg: plot.svg(),
        }],
    })
}

fn remark(name: &str) -> &'static str {
    match name {
        "ReLU" => {
            "ReLU takes half of the variance away in every layer, which He's factor 2 gives back; for schemes made for tanh it is lost."
        }
        _ => {
            "tanh bounds its values by 1: too large weights do not make them explode but drive them to -1 and 1, where its slope is zero."
        }
    }
}

/// The standard deviation over the images, `values` being `[images, units]`:
/// the root of its mean square over the units.
fn deviation(values: &[f64], units: usize) -> f64 {
    let images = (values.len() / units) as f64;
    let variance = |unit: usize| {
        let own = || values.iter().skip(unit).step_by(units);
        let mean = own().sum::<f64>() / images;
        own().map(|value| (value - mean).powi(2)).sum::<f64>() / images
    };
    let variances: f64 = (0..units).map(variance).sum();
    (variances / units as f64).sqrt()
}
