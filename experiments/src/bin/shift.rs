//! How much accuracy is left when the test images are shifted, and which
//! layers are equivariant?

use kiln_experiments::{
    Experiment, Figure, Ran, Scale, Section, band,
    equivariance::{of_layers, of_network, tensor},
    points, signed_points,
};
use kiln_figures::{Axis, LinePlot, markdown};
use kiln_lab::{
    ArmResult, CheckpointName, Comparison, Interval, LabError, Measure, Measured, RunFolder,
    evaluate_changed, first_images, trained_network,
};
use kiln_store::Store;
use kiln_vision::Images;
use std::process::ExitCode;

/// Pixels that images are shifted by, in the smoke form and in the others.
const FEW: &[usize] = &[0, 2, 4];
const MANY: &[usize] = &[0, 1, 2, 3, 4, 5, 6, 7, 8];
/// Down, up, right, left.
const DIRECTIONS: [[isize; 2]; 4] = [[1, 0], [-1, 0], [0, 1], [0, -1]];
/// The shift that the answer tells.
const TOLD: usize = 4;
/// Shifts that equivariance is measured with: of layers, and of networks, whose
/// last maps are four pixels apart.
const LAYERS: [usize; 2] = [1, 2];
const NETWORKS: [usize; 3] = [1, 2, 4];
/// Training images that it is measured on.
const IMAGES: usize = 100;

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "shift",
        about: "The networks learn from images whose digits stand in the middle, or from images that are shifted anew in every epoch by up to four whole pixels (`crop:4`). Then the test images are shifted by 0 to 8 pixels down, up, right and left with black coming in, and the accuracy is the mean of the four directions. A layer is equivariant if shifting its input shifts its output, f(t(x)) = t(f(x)), and invariant if nothing changes, f(t(x)) = f(x); below, both are measured.",
        comparisons,
        answer,
        sections,
    })
}

fn shifts(scale: Scale) -> &'static [usize] {
    scale.pick(FEW, MANY, MANY)
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let set = scale.pick("digits:1600", "mnist", "mnist");
    let mut comparison = Comparison::new(
        "shift",
        "Trained without and with shifts",
        &["model", "data.augment"],
    )
    .share([
        format!("data.dataset={set}"),
        format!("data.limit_train={}", scale.pick(1000, 10_000, 20_000)),
        format!("data.limit_val={}", scale.pick(250, 1000, 5000)),
        format!("train.epochs={}", scale.pick(2, 5, 10)),
    ])
    .arm("MLP", "model.name=mlp")
    .arm(
        "MLP, shifted in training",
        "model.name=mlp data.augment=crop:4",
    )
    .arm("CNN", "model.name=lenet")
    .arm(
        "CNN, shifted in training",
        "model.name=lenet data.augment=crop:4",
    );
    comparison.seeds = scale.pick(2, 3, 5);
    comparison.pairs = vec![
        ["CNN", "MLP"],
        ["CNN, shifted in training", "MLP, shifted in training"],
        ["MLP, shifted in training", "MLP"],
        ["CNN, shifted in training", "CNN"],
    ];
    comparison.measures = vec![
        scale.pick(
            Measure {
                name: "few shifts",
                of: |folder, store| accuracies(folder, store, FEW),
            },
            Measure {
                name: "shifts",
                of: |folder, store| accuracies(folder, store, MANY),
            },
            Measure {
                name: "shifts",
                of: |folder, store| accuracies(folder, store, MANY),
            },
        ),
        Measure {
            name: "equivariance",
            of: equivariance,
        },
    ];
    vec![comparison]
}

/// Test accuracy at every shift, the mean of four directions.
fn accuracies(folder: &RunFolder, store: &Store, shifts: &[usize]) -> Result<Measured, LabError> {
    let mut measured = Measured::new();
    for shift in shifts {
        // Without a shift all directions are the same.
        let directions = &DIRECTIONS[..if *shift == 0 { 1 } else { 4 }];
        let changes = directions.iter().map(|direction| {
            let by = direction.map(|way| way * *shift as isize);
            move |images: &Images| images.shifted(by, 0)
        });
        let found = evaluate_changed(folder, CheckpointName::Best, None, changes, store)?;
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        measured.push((at(*shift), mean));
    }
    Ok(measured)
}

fn at(shift: usize) -> String {
    format!("accuracy at {shift}")
}

/// The error of every layer of the trained network at a few shifts.
fn equivariance(folder: &RunFolder, store: &Store) -> Result<Measured, LabError> {
    let network = trained_network(folder, CheckpointName::Best)?;
    let (images, normalization) = first_images(&folder.manifest()?.settings, IMAGES, store)?;
    let mut measured = Measured::new();
    for shift in NETWORKS {
        let moved = images.shifted([0, shift as isize], 0);
        let [still, moved] = [&images, &moved].map(|images| tensor(images, &normalization));
        for (layer, error) in of_network(&network, still, moved, shift) {
            measured.push((format!("{layer} by {shift}"), error));
        }
    }
    Ok(measured)
}

fn measured(arm: &ArmResult, name: &str) -> Option<Interval> {
    arm.over(|outcome| outcome.measured(name))
}

fn arms<'a>(ran: &'a Ran) -> &'a [ArmResult] {
    ran.results.first().map_or(&[], |result| &result.arms)
}

fn answer(ran: &Ran) -> String {
    let told = |name: &str| {
        let arm = arms(ran).iter().find(|arm| arm.arm.name == name)?;
        Some((arm, measured(arm, &at(TOLD))?))
    };
    let found = (|| {
        let (mlp, of_mlp) = told("MLP")?;
        let (cnn, of_cnn) = told("CNN")?;
        let (_, of_shifted) = told("CNN, shifted in training")?;
        let pairs = cnn.outcomes.iter().zip(&mlp.outcomes);
        let leads =
            pairs.map(|(cnn, mlp)| Some(cnn.measured(&at(TOLD))? - mlp.measured(&at(TOLD))?));
        let lead = Interval::of(&leads.collect::<Option<Vec<_>>>()?)?;
        Some((of_mlp, of_cnn, of_shifted, lead))
    })();
    let Some((mlp, cnn, shifted, lead)) = found else {
        return "A training failed.".to_owned();
    };
    let convolution = match (lead.excludes_zero(), lead.mean > 0.0) {
        (false, _) => "the seeds cannot tell whether convolution helps",
        (true, true) => "convolution helps",
        (true, false) => "convolution does harm",
    };
    format!(
        "With the test images shifted by {TOLD} pixels the MLP still recognises {}, the CNN {} and the CNN that was trained on shifted images {}: {convolution} ({} points between CNN and MLP).",
        points(&mlp),
        points(&cnn),
        points(&shifted),
        signed_points(&lead)
    )
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    Ok(vec![by_shift(ran), single_layers(ran)?, networks(ran)])
}

fn by_shift(ran: &Ran) -> Section {
    let mut head = vec!["pixels".to_owned()];
    head.extend(arms(ran).iter().map(|arm| arm.arm.name.clone()));
    let rows = shifts(ran.scale).iter().map(|shift| {
        let accuracy = |arm| measured(arm, &at(*shift)).map_or("-".to_owned(), |one| points(&one));
        let mut row = vec![shift.to_string()];
        row.extend(arms(ran).iter().map(accuracy));
        row
    });
    let series = arms(ran).iter().map(|arm| {
        let points = shifts(ran.scale).iter();
        let points = points.filter_map(|shift| Some((*shift as f64, measured(arm, &at(*shift))?)));
        band(&arm.arm.name, &points.collect::<Vec<_>>(), 100.0)
    });
    let plot = LinePlot {
        title: "Test accuracy on shifted images".to_owned(),
        x: Axis::linear("shift of the test images (pixels)"),
        y: Axis::linear("test accuracy (%)"),
        series: series.collect(),
        marks: Vec::new(),
    };
    let head: Vec<_> = head.iter().map(String::as_str).collect();
    Section {
        title: "Accuracy against shift".to_owned(),
        text: format!(
            "Test accuracy with the test images shifted, the mean of four directions:\n\n{}",
            markdown(&head, &rows.collect::<Vec<_>>())
        ),
        figures: vec![Figure {
            name: "accuracy".to_owned(),
            caption: "Test accuracy against the shift of the test images; the bands are one standard deviation over the seeds".to_owned(),
            svg: plot.svg(),
        }],
    }
}

/// What single layers do, whatever their weights.
fn single_layers(ran: &Ran) -> Result<Section, LabError> {
    let Some(arm) = arms(ran).first() else {
        return Err(LabError::run("nothing was trained"));
    };
    let (images, normalization) = first_images(&arm.arm.settings, IMAGES, ran.store)?;
    let images = tensor(&images, &normalization);
    let [one, two] = LAYERS.map(|shift| of_layers(images.clone(), shift));
    let rows = one
        .iter()
        .zip(&two)
        .map(|((name, one), (_, two))| vec![name.clone(), shown(*one), shown(*two)]);
    Ok(Section {
        title: "Equivariance of single layers".to_owned(),
        text: format!(
            "The relative error |f(t(x)) − t(f(x))| / |f(x)| of layers with weights as they are drawn, on {IMAGES} training images shifted to the right; what leaves at the right comes in at the left, and the two pixels at the edge do not count. Maps that are half as large can only move by whole pixels of their own: the better of the two is taken. For the last two the output has no place, and the error is |f(t(x)) − f(x)| / |f(x)|: how far they are from invariance.\n\n{}\nConvolution and ReLU are equivariant but for rounding. Whatever has stride 2 is so for even shifts alone; after an odd one the windows hold other pixels. The average over the whole image is invariant, a dense layer is neither.",
            markdown(
                &["layer", "by 1 pixel", "by 2 pixels"],
                &rows.collect::<Vec<_>>()
            )
        ),
        figures: Vec::new(),
    })
}

fn shown(error: f64) -> String {
    match error {
        0.0 => "0".to_owned(),
        0.0..1e-4 => format!("{error:.0e}"),
        _ => format!("{error:.3}"),
    }
}

/// What the trained networks make of shifted images, layer by layer.
fn networks(ran: &Ran) -> Section {
    let mut rows = Vec::new();
    for arm in arms(ran) {
        let outcome = arm
            .outcomes
            .iter()
            .find(|outcome| outcome.diverged.is_none());
        let names = outcome.iter().flat_map(|outcome| &outcome.measured);
        let layers = names.filter_map(|(name, _)| name.strip_suffix(" by 1"));
        for layer in layers {
            let mut row = vec![arm.arm.name.clone(), layer.to_owned()];
            row.extend(NETWORKS.map(|shift| {
                let error = measured(arm, &format!("{layer} by {shift}"));
                error.map_or("-".to_owned(), |error| shown(error.mean))
            }));
            rows.push(row);
        }
    }
    Section {
        title: "Equivariance of the trained networks".to_owned(),
        text: format!(
            "The same error after the layers of the trained networks, the mean over the seeds, with black coming in at the left as in the test above. After two poolings the maps' neighbours stand four pixels apart, so only a shift by four is a whole one there. Behind the maps come dense layers, to which every place is another input: there the error is the distance from invariance.\n\n{}",
            markdown(
                &[
                    "network",
                    "layer",
                    "by 1 pixel",
                    "by 2 pixels",
                    "by 4 pixels"
                ],
                &rows
            )
        ),
        figures: Vec::new(),
    }
}
