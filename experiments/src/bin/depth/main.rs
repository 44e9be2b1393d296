//! Which activation lets a deep network learn, and do residual connections
//! rescue it?

mod residual;
mod start;

use kiln_experiments::{
    Experiment, Figure, Ran, Scale, Section, accuracy_table, points, rising, signed_points,
};
use kiln_figures::Axis;
use kiln_lab::{Comparison, ComparisonResult, EvalSplit, LabError, Measure};
use std::process::ExitCode;

/// Units of every hidden layer.
const WIDTH: usize = 64;

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "depth",
        about: "Perceptrons of more and more hidden layers of 64 units, which differ in the function between the layers alone: all four begin with the same weights, by He's scheme. Then what becomes of a deep network without any such function, how many units never answer, and the CIFAR ResNets with and without their shortcuts.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let mut all: Vec<_> = depths(scale)
        .iter()
        .map(|depth| perceptron(scale, *depth))
        .collect();
    all.push(linear(scale));
    all.extend(residual::comparisons(scale));
    all
}

/// Hidden layers.
fn depths(scale: Scale) -> &'static [usize] {
    scale.pick(&[2, 6], &[2, 8, 32], &[2, 4, 8, 16, 32])
}

/// `64` so many times, as a list.
fn hidden(depth: usize) -> String {
    let widths: Vec<_> = (0..depth).map(|_| WIDTH.to_string()).collect();
    format!("[{}]", widths.join(","))
}

/// The images and the time that perceptrons get.
fn images(scale: Scale, epochs: usize) -> [String; 4] {
    [
        format!(
            "data.dataset={}",
            scale.pick("digits:800", "mnist", "mnist")
        ),
        format!("data.limit_train={}", scale.pick(400, 5_000, 20_000)),
        format!("data.limit_val={}", scale.pick(50, 1_000, 5_000)),
        format!("train.epochs={epochs}"),
    ]
}

fn perceptron(scale: Scale, depth: usize) -> Comparison {
    let title = format!("{depth} hidden layers");
    let mut comparison = Comparison::new(&format!("mlp-{depth}"), &title, &["model.activation"])
        .share(images(scale, scale.pick(2, 5, 10)))
        .share([
            "model.name=mlp".to_owned(),
            format!("model.hidden={}", hidden(depth)),
            "model.init=he".to_owned(),
            "optimizer.name=adam".to_owned(),
            "optimizer.lr=0.001".to_owned(),
        ])
        .arm("sigmoid", "model.activation=sigmoid")
        .arm("tanh", "model.activation=tanh")
        .arm("ReLU", "model.activation=relu")
        .arm("leaky ReLU", "model.activation=leaky-relu");
    comparison.seeds = scale.pick(2, 3, 5);
    comparison.measures = vec![Measure {
        name: "units that never answer",
        of: start::silent,
    }];
    comparison
}

fn linear(scale: Scale) -> Comparison {
    let deep = format!("model.name=mlp model.hidden={}", hidden(8));
    let mut comparison = Comparison::new(
        "linear",
        "Eight hidden layers without a function between them",
        &["model"],
    )
    .share(images(scale, scale.pick(2, 20, 30)))
    .share([
        "model.init=lecun",
        "optimizer.name=adam",
        "optimizer.lr=0.001",
    ])
    .arm("one layer", "model.name=softmax")
    .arm("linear", &format!("{deep} model.activation=linear"))
    .arm("ReLU", &format!("{deep} model.activation=relu"));
    comparison.seeds = scale.pick(2, 3, 5);
    comparison.measures = vec![Measure {
        name: "product of the weights",
        of: start::collapse,
    }];
    comparison
}

/// Comparisons with their depths.
type ByDepth<'a> = Vec<(usize, &'a ComparisonResult)>;

/// The comparisons whose names are `network` and one of the `depths`.
fn by_depth<'a>(ran: &'a Ran, network: &str, depths: &[usize]) -> ByDepth<'a> {
    let found = |depth: &usize| Some((*depth, ran.result(&format!("{network}-{depth}"))?));
    depths.iter().filter_map(found).collect()
}

/// Test accuracy by depth as a table, whose corner says what is counted, and
/// as a figure.
fn against_depth(
    found: &ByDepth,
    corner: &str,
    (title, x): (&str, Axis),
    (name, caption): (&str, &str),
) -> (String, Figure) {
    let rows = found.iter().map(|(depth, one)| (depth.to_string(), *one));
    let points = found.iter().map(|(depth, one)| (*depth as f64, *one));
    let table = accuracy_table(corner, &rows.collect::<Vec<_>>());
    let figure = Figure {
        name: name.to_owned(),
        caption: format!("{caption}; the bands are one standard deviation over the seeds"),
        svg: rising(title, x, &points.collect::<Vec<_>>()).svg(),
    };
    (table, figure)
}

fn perceptrons<'a>(ran: &'a Ran) -> ByDepth<'a> {
    by_depth(ran, "mlp", depths(ran.scale))
}

fn answer(ran: &Ran) -> String {
    let Some((depth, deepest)) = perceptrons(ran).pop() else {
        return "Nothing was trained.".to_owned();
    };
    let reached = deepest.arms.iter().map(|arm| {
        let test = arm.accuracy(EvalSplit::Test);
        let test = test.map_or_else(|| "nothing".to_owned(), |test| points(&test));
        format!("{} {test}", arm.arm.name)
    });
    let reached: Vec<_> = reached.collect();
    format!(
        "With {depth} hidden layers the functions reach {}, and {}.",
        reached.join(", "),
        residual::answer(ran)
    )
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    Ok(vec![
        accuracy(ran),
        start::gradients(ran)?,
        start::units(ran),
        collapsed(ran),
        residual::section(ran),
    ])
}

fn accuracy(ran: &Ran) -> Section {
    let (table, figure) = against_depth(
        &perceptrons(ran),
        "hidden layers",
        ("Test accuracy against depth", Axis::log("hidden layers")),
        (
            "accuracy",
            "Test accuracy against the number of hidden layers",
        ),
    );
    Section {
        title: "How deep each function learns".to_owned(),
        text: format!(
            "A network that always gives the most frequent class has about 10 %.\n\n{table}"
        ),
        figures: vec![figure],
    }
}

fn collapsed(ran: &Ran) -> Section {
    let text = ran.result("linear").map_or_else(String::new, |result| {
        let largest = |name: &str| {
            let arm = result.arm("linear")?;
            let values = arm.outcomes.iter().map(|one| one.measured(name));
            values.collect::<Option<Vec<_>>>()?.into_iter().reduce(f64::max)
        };
        let product = match largest("largest deviation") {
            Some(deviation) => format!(
                "Multiplied into one 10x784 matrix, its nine weight matrices give the same class scores: over the seeds and 500 images they deviate by at most {deviation:.1e} of the largest score, which is rounding."
            ),
            None => "It failed.".to_owned(),
        };
        let difference = |first: &str, second: &str| {
            Some(result.difference(first, second)?.accuracy)
        };
        let compared = match difference("linear", "one layer") {
            Some(found) if found.excludes_zero() => format!(
                "Its test accuracy differs from that of one layer, softmax regression, by {} points, so the depth changes what is found in this time, though not what could be.",
                signed_points(&found)
            ),
            Some(found) => format!(
                "Its test accuracy is that of one layer, softmax regression, within what the seeds vary: the difference is {} points.",
                signed_points(&found)
            ),
            None => String::new(),
        };
        let bent = difference("ReLU", "linear").map_or_else(String::new, |found| format!(
            " With ReLU between them the same layers differ from the linear ones by {} points.",
            signed_points(&found)
        ));
        format!("Nine linear layers are one linear map. {product} {compared}{bent}")
    });
    Section {
        title: "Without a function, depth collapses".to_owned(),
        text,
        figures: Vec::new(),
    }
}
