//! L1 on more images: what each share of exact zeros costs.

use crate::{NETWORKS, base, capital};
use kiln_experiments::{Figure, Ran, Scale, Section, band, points, signed_points};
use kiln_figures::{Axis, LinePlot, markdown, percent};
use kiln_lab::{
    CheckpointName, Comparison, ComparisonResult, EvalSplit, Interval, LabError, Measure, Measured,
    RunFolder, Specimen,
};
use kiln_models::weights::StateDict;
use kiln_store::Store;
use std::fmt::Write as _;

/// Weights of L1 in the loss.
const L1: [&str; 8] = ["0", "0.003", "0.01", "0.03", "0.1", "0.2", "0.3", "0.5"];

/// Rising L1 on more images.
pub fn comparison(scale: Scale, model: &str, name: &str) -> Comparison {
    let title = format!("{} under L1", capital(name));
    let axis = ["regularization.l1"];
    let comparison = Comparison::new(&format!("l1-{model}"), &title, &axis);
    let (train, epochs) = match scale {
        Scale::Smoke => ("200", 1),
        Scale::Quick => ("3000", 5),
        Scale::Full => ("20000", 5),
        Scale::Long => ("all", 20),
    };
    let mut comparison = base(scale, comparison, model).share([
        format!("data.limit_train={train}"),
        format!("train.epochs={epochs}"),
    ]);
    let rising = L1.iter().skip(scale.pick(6, 3, 1));
    for weight in L1.iter().take(1).chain(rising) {
        comparison = comparison.arm(&name_of(weight), &format!("regularization.l1={weight}"));
    }
    comparison.measures = vec![Measure {
        name: "zeros by layer",
        of: zeros,
    }];
    comparison
}

fn name_of(weight: &str) -> String {
    format!("l1 = {weight}")
}

/// The share of weights that are exactly zero: of all, and of each layer.
fn zeros(folder: &RunFolder, store: &Store) -> Result<Measured, LabError> {
    let network = Specimen::trained(folder, CheckpointName::Last, 1, store)?.network;
    let weights = StateDict::of(&network).map_err(LabError::run)?;
    let (mut all, mut zero) = (0, 0);
    let mut measured = Vec::new();
    for (name, tensor) in weights.tensors() {
        if tensor.shape.len() < 2 {
            continue;
        }
        let zeros = tensor.values.iter().filter(|value| **value == 0.0).count();
        let layer = name.trim_end_matches(".weight").to_owned();
        measured.push((layer, zeros as f64 / tensor.values.len() as f64));
        (all, zero) = (all + tensor.values.len(), zero + zeros);
    }
    measured.insert(0, ("all".to_owned(), zero as f64 / all as f64));
    Ok(measured)
}

/// Share of exact zeros and accuracy of every arm under L1.
fn sparsities(result: &ComparisonResult) -> Vec<(String, Interval, Interval)> {
    let arms = result.arms.iter().filter_map(|arm| {
        let zeros = arm.over(|one| one.measured("all"))?;
        Some((arm.arm.name.clone(), zeros, arm.accuracy(EvalSplit::Test)?))
    });
    arms.collect()
}

/// The section about it.
pub fn section(ran: &Ran) -> Section {
    let mut text = "Each step is followed by the proximal step of L1, which moves every weight by learning rate times `l1` towards zero and no further. Adam's own steps are about as long as the learning rate however small the gradient, so that `l1` is of effect from some hundredths on. The share of zeros is of all weights without biases after the last epoch, the accuracy of the same network.\n".to_owned();
    let mut series = Vec::new();
    for (model, name) in NETWORKS {
        let Some(result) = ran.result(&format!("l1-{model}")) else {
            continue;
        };
        let found = sparsities(result);
        let places: Vec<_> = found
            .iter()
            .map(|(_, zeros, accuracy)| (zeros.mean * 100.0, *accuracy))
            .collect();
        series.push(band(&capital(name), &places, 100.0));
        let _ = write!(text, "\n{}", sparsity_table(result, &capital(name)));
        text += &bend(result, name);
    }
    let plot = LinePlot {
        title: "Test accuracy against the share of exact zeros".to_owned(),
        x: Axis::linear("weights that are exactly zero (%)"),
        y: Axis::linear("test accuracy (%)"),
        series,
        marks: Vec::new(),
    };
    Section {
        title: "What zeros cost".to_owned(),
        text,
        figures: vec![Figure {
            name: "zeros".to_owned(),
            caption: "Test accuracy against the share of exact zeros under rising L1; the bands are one standard deviation over the seeds".to_owned(),
            svg: plot.svg(),
        }],
    }
}

fn sparsity_table(result: &ComparisonResult, name: &str) -> String {
    let layers: Vec<_> = result
        .arms
        .first()
        .and_then(|arm| arm.outcomes.first())
        .map(|one| one.measured.iter().map(|(name, _)| name.clone()).collect())
        .unwrap_or_default();
    let rows: Vec<_> = result
        .arms
        .iter()
        .map(|arm| {
            let zeros = layers.iter().map(|layer| {
                let share = arm.over(|one| one.measured(layer));
                share.map_or_else(|| "-".to_owned(), |share| percent(share.mean))
            });
            let test = arm.accuracy(EvalSplit::Test);
            let test = test.map_or_else(|| "failed".to_owned(), |test| points(&test));
            let mut row = vec![arm.arm.name.clone(), test];
            row.extend(zeros);
            row
        })
        .collect();
    let mut head = vec![name, "test accuracy"];
    head.extend(layers.iter().map(String::as_str));
    markdown(&head, &rows)
}

/// The sparsest network that is not worse than the dense one beyond the noise.
fn bend(result: &ComparisonResult, name: &str) -> String {
    let Some(dense) = result.arms.first() else {
        return String::new();
    };
    let arms = result.arms.iter().skip(1).filter_map(|arm| {
        let change = arm.minus(dense, |one| one.accuracy(EvalSplit::Test))?;
        let zeros = arm.over(|one| one.measured("all"))?;
        let is_worse = change.excludes_zero() && change.mean < 0.0;
        (!is_worse).then_some((arm, zeros.mean, change))
    });
    match arms.max_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((arm, zeros, change)) => format!(
            "\nThe most zeros of {name} whose cost the seeds cannot tell from none: {} with {}, test accuracy {} points.\n",
            percent(zeros),
            arm.arm.name,
            signed_points(&change)
        ),
        None => format!("\nOf {name}, every weight of L1 that was tried costs accuracy.\n"),
    }
}
