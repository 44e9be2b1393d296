//! What is seen inside: gradients at the start, units that never answer, and
//! the one matrix that linear layers are.

use crate::perceptrons;
use kiln_experiments::{Figure, Ran, Section, short};
use kiln_figures::{Axis, LinePlot, Series, markdown, percent};
use kiln_lab::{ArmResult, CheckpointName, LabError, Measured, RunFolder, Settings, Specimen};
use kiln_models::weights::StateDict;
use kiln_store::Store;
use std::fmt::Write as _;

/// Images that gradients, units and class scores are seen for.
const IMAGES: usize = 500;
/// What is measured of units.
const BEFORE: &str = "at the start";
const AFTER: &str = "after training";

/// The share of hidden units that are above zero for none of the images, before
/// and after training.
pub fn silent(folder: &RunFolder, store: &Store) -> Result<Measured, LabError> {
    let settings = folder.manifest()?.settings;
    let before = Specimen::initial(&settings, IMAGES, store)?;
    let after = Specimen::trained(folder, CheckpointName::Best, IMAGES, store)?;
    Ok(vec![
        (BEFORE.to_owned(), silent_share(&before)),
        (AFTER.to_owned(), silent_share(&after)),
    ])
}

fn silent_share(specimen: &Specimen) -> f64 {
    let (mut units, mut silent) = (0, 0);
    for seen in specimen.activations() {
        let [_, width] = seen.values.shape()[..] else {
            continue;
        };
        if !["ReLU", "leaky ReLU", "tanh", "sigmoid"].contains(&seen.kind) {
            continue;
        }
        let mut answers = vec![false; width];
        for (at, value) in seen.values.iter::<f32>().enumerate() {
            answers[at % width] |= value > 0.0;
        }
        units += width;
        silent += answers.iter().filter(|answers| !**answers).count();
    }
    silent as f64 / units.max(1) as f64
}

/// How far the product of the weight matrices is from the network: the largest
/// deviation of a class score, as a share of the largest score. Nothing for
/// networks with a function between the layers.
pub fn collapse(folder: &RunFolder, store: &Store) -> Result<Measured, LabError> {
    let settings = folder.manifest()?.settings;
    let is_linear =
        settings.model.options.activation == Some(kiln_models::layers::Nonlinearity::Linear);
    if !is_linear {
        return Ok(Vec::new());
    }
    let specimen = Specimen::trained(folder, CheckpointName::Best, IMAGES, store)?;
    let images = &specimen.batch.images;
    let scores: Vec<f64> = specimen
        .network
        .forward(images.clone())
        .into_data()
        .iter()
        .collect();
    let pixels: Vec<f64> = images.clone().into_data().iter().collect();
    let (matrix, bias) = product(&StateDict::of(&specimen.network).map_err(LabError::run)?);
    let inputs = matrix.len() / bias.len();
    let one_map = pixels.chunks(inputs).flat_map(|image| {
        let rows = matrix.chunks(inputs).zip(&bias);
        rows.map(move |(row, bias)| bias + row.iter().zip(image).map(|(w, x)| w * x).sum::<f64>())
    });
    let largest = scores
        .iter()
        .fold(0.0_f64, |most, score| most.max(score.abs()));
    let deviations = scores.iter().zip(one_map).map(|(a, b)| (a - b).abs());
    let deviation = deviations.fold(0.0, f64::max) / largest;
    Ok(vec![("largest deviation".to_owned(), deviation)])
}

/// The layers multiplied into one: its weights, row by row, and its biases.
fn product(weights: &StateDict) -> (Vec<f64>, Vec<f64>) {
    let wide = |values: &[f32]| {
        values
            .iter()
            .map(|value| f64::from(*value))
            .collect::<Vec<_>>()
    };
    let mut layers: Vec<_> = weights
        .tensors()
        .iter()
        .filter_map(|(name, tensor)| {
            let path = name.strip_suffix(".weight")?;
            let number: usize = path.rsplit('.').next()?.parse().ok()?;
            let bias = weights.tensors().get(&format!("{path}.bias"))?;
            Some((
                number,
                tensor.shape[1],
                wide(&tensor.values),
                wide(&bias.values),
            ))
        })
        .collect();
    layers.sort_by_key(|(number, ..)| *number);
    let mut layers = layers.into_iter();
    let Some((_, columns, mut matrix, mut bias)) = layers.next() else {
        return (Vec::new(), Vec::new());
    };
    for (_, inputs, next, more) in layers {
        let combine = |row: &[f64], of: &dyn Fn(usize) -> f64| -> f64 {
            row.iter()
                .enumerate()
                .map(|(at, weight)| weight * of(at))
                .sum()
        };
        let rows = || next.chunks(inputs);
        let new_bias = rows().zip(&more);
        let new_bias: Vec<_> = new_bias
            .map(|(row, own)| own + combine(row, &|at| bias[at]))
            .collect();
        matrix = rows()
            .flat_map(|row| {
                let matrix = &matrix;
                (0..columns).map(move |column| combine(row, &|at| matrix[at * columns + column]))
            })
            .collect();
        bias = new_bias;
    }
    (matrix, bias)
}

/// The norm of each layer's gradient before the first step: the geometric mean
/// over the seeds.
fn norms(arm: &ArmResult, store: &Store) -> Result<Vec<f64>, LabError> {
    let mut logarithms: Vec<f64> = Vec::new();
    let seeds = arm.outcomes.len().max(1);
    for seed in 1..=seeds as u64 {
        let mut settings: Settings = arm.arm.settings.clone();
        settings.train.seed = seed;
        let norms = Specimen::initial(&settings, IMAGES, store)?.gradient_norms();
        logarithms.resize(norms.len(), 0.0);
        for (sum, (_, norm)) in logarithms.iter_mut().zip(&norms) {
            *sum += norm.ln() / seeds as f64;
        }
    }
    Ok(logarithms.into_iter().map(f64::exp).collect())
}

/// The section on gradients at the start, in the deepest network.
pub fn gradients(ran: &Ran) -> Result<Section, LabError> {
    let mut text = String::new();
    let mut series = Vec::new();
    let mut rows = Vec::new();
    if let Some((depth, deepest)) = perceptrons(ran).pop() {
        for arm in &deepest.arms {
            let norms = norms(arm, ran.store)?;
            let (first, last) = (norms[0], norms[depth]);
            rows.push(vec![
                arm.arm.name.clone(),
                short(first),
                short(last),
                short(first / last),
            ]);
            let places = norms.iter().enumerate();
            series.push(Series {
                name: arm.arm.name.clone(),
                points: places.map(|(at, norm)| ((at + 1) as f64, *norm)).collect(),
                ..Series::default()
            });
        }
        let head = ["", "first layer", "last layer", "first / last"];
        let _ = write!(
            text,
            "The norm of the gradient of the loss by each layer's weights, for {IMAGES} training images and {depth} hidden layers, before the first step; the geometric mean over the seeds. A gradient passes every layer on its way down and is multiplied each time by the weights and by the slope of the function, which is at most 1/4 for the sigmoid and at most 1 for the others.\n\n{}",
            markdown(&head, &rows)
        );
    }
    let plot = LinePlot {
        title: "Gradients before the first step".to_owned(),
        x: Axis::linear("layer, from the images to the class scores"),
        y: Axis::log("norm of the gradient by its weights"),
        series,
        marks: Vec::new(),
    };
    Ok(Section {
        title: "What comes down to the first layer".to_owned(),
        text,
        figures: vec![Figure {
            name: "gradients".to_owned(),
            caption: "Norm of the gradient in each layer before the first step".to_owned(),
            svg: plot.svg(),
        }],
    })
}

/// The section on units that never answer.
pub fn units(ran: &Ran) -> Section {
    let mut rows = Vec::new();
    for (depth, result) in perceptrons(ran) {
        for name in ["ReLU", "leaky ReLU"] {
            let share = |when: &str| {
                let share = result.arm(name)?.over(|one| one.measured(when))?;
                Some(percent(share.mean))
            };
            let cell = |when| share(when).unwrap_or_else(|| "-".to_owned());
            rows.push(vec![
                depth.to_string(),
                name.to_owned(),
                cell(BEFORE),
                cell(AFTER),
            ]);
        }
    }
    let head = ["hidden layers", "", BEFORE, AFTER];
    Section {
        title: "Units that never answer".to_owned(),
        text: format!(
            "The share of hidden units that are above zero for none of {IMAGES} training images, the mean over the seeds. Such a unit of a ReLU gives zero and gets no gradient from these images: it is dead. One of a leaky ReLU still gives a hundredth of its input, and its gradient can bring it back.\n\n{}",
            markdown(&head, &rows)
        ),
        figures: Vec::new(),
    }
}
