//! `kiln predict`.

use crate::{
    arguments::{Format, PredictArguments},
    output,
};
use kiln_lab::{
    Exportable, LabError, Prediction, RawImages, RunFolder, check_output, chosen_model,
    network_with, predict,
};
use kiln_models::Network;
use serde_json::json;
use std::{path::Path, process::ExitCode};

/// Classifies pictures, or gives the raw scores of a tensor of images.
pub fn run(arguments: &PredictArguments) -> Result<ExitCode, LabError> {
    check(arguments)?;
    if let Some(code) = kiln_backend::settle("flex")? {
        return Ok(code);
    }
    match (&arguments.tensor, &arguments.output) {
        (Some(tensor), Some(output)) => raw(arguments, tensor, output)?,
        _ => pictures(arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses flags that cannot be meant together.
fn check(arguments: &PredictArguments) -> Result<(), LabError> {
    if arguments.top == 0 {
        return Err(LabError::usage("--top is 0, but it must be at least 1"));
    }
    let alone = match (&arguments.tensor, &arguments.output) {
        (None, Some(_)) => {
            "--output takes the raw scores of --tensor, which is missing; pictures are answered on standard output"
        }
        (Some(_), None) => "--tensor needs an --output for the raw scores",
        _ => return Ok(()),
    };
    Err(LabError::usage(alone))
}

fn pictures(arguments: &PredictArguments) -> Result<(), LabError> {
    let Some(run) = &arguments.run else {
        return Err(LabError::usage(
            "pictures need a run, which knows classes and normalisation; make one of a weight file with `kiln import`",
        ));
    };
    if arguments.images.is_empty() {
        return Err(LabError::usage(
            "no picture was named; write `kiln predict latest digit.png`, or --tensor and --output for raw numbers",
        ));
    }
    let folder = RunFolder::open(run, &arguments.runs.folder())?;
    let images: Vec<&Path> = arguments.images.iter().map(AsRef::as_ref).collect();
    let predictions = predict(
        &folder,
        arguments.checkpoint.into(),
        &images,
        arguments.invert,
    )?;
    match arguments.format {
        Format::Json => {
            let objects: Vec<_> = predictions
                .iter()
                .map(|p| object(p, arguments.top))
                .collect();
            output::json(&objects)?;
        }
        Format::Table => {
            for prediction in &predictions {
                output::line(&sentence(prediction, arguments.top));
            }
        }
    }
    Ok(())
}

fn raw(arguments: &PredictArguments, tensor: &Path, output: &Path) -> Result<(), LabError> {
    let mut inputs = vec![("--tensor", tensor)];
    if let Some(weights) = &arguments.weights {
        inputs.push(("--weights", weights));
    }
    check_output(("--output", output), arguments.force, &inputs)?;
    let images = RawImages::read(tensor)?;
    let (network, classes) = network(arguments, &images)?;
    images.classify(&network, classes, output)
}

/// The network of a run, or one of the zoo with the weights of a file.
fn network(arguments: &PredictArguments, images: &RawImages) -> Result<(Network, usize), LabError> {
    if let (Some(model), Some(weights)) = (&arguments.model, &arguments.weights) {
        let (model, mut task) = chosen_model(model, &arguments.set)?;
        task.input = images.input;
        task.classes = arguments.classes.unwrap_or(task.classes);
        return Ok((network_with(&model, &task, weights)?, task.classes));
    }
    let Some(run) = &arguments.run else {
        return Err(LabError::usage(
            "no network was named; give a run, or --model and --weights",
        ));
    };
    let folder = RunFolder::open(run, &arguments.runs.folder())?;
    let source = Exportable::of_run(&folder, arguments.checkpoint.into())?;
    if images.input != source.task.input {
        return Err(LabError::usage(format!(
            "the images are {}, but {} takes {}",
            images.input,
            folder.name(),
            source.task.input
        )));
    }
    Ok((source.network, source.task.classes))
}

fn object(prediction: &Prediction, top: usize) -> serde_json::Value {
    let classes = prediction.classes.iter().take(top);
    let classes: Vec<_> = classes
        .map(|(class, probability)| json!({"class": class, "probability": probability}))
        .collect();
    json!({"image": prediction.image, "classes": classes})
}

fn sentence(prediction: &Prediction, top: usize) -> String {
    let classes = prediction.classes.iter().take(top);
    let classes: Vec<_> = classes
        .map(|(class, probability)| format!("{class} {}", output::percent(*probability)))
        .collect();
    format!("{}: {}", prediction.image.display(), classes.join(", "))
}
