//! `kiln predict`.

use crate::{
    arguments::{Format, PredictArguments},
    output,
};
use kiln_lab::{LabError, Prediction, RunFolder, predict};
use serde_json::json;
use std::{path::Path, process::ExitCode};

/// Classifies pictures.
pub fn run(arguments: &PredictArguments) -> Result<ExitCode, LabError> {
    let folder = RunFolder::open(&arguments.run, &arguments.output.folder())?;
    if let Some(code) = crate::device::settle("flex")? {
        return Ok(code);
    }
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
    Ok(ExitCode::SUCCESS)
}

fn object(prediction: &Prediction, top: usize) -> serde_json::Value {
    let classes = prediction.classes.iter().take(top);
    let classes: Vec<_> = classes
        .map(|(class, probability)| json!({"class": class, "probability": probability}))
        .collect();
    json!({"image": prediction.image, "classes": classes})
}

fn sentence(prediction: &Prediction, top: usize) -> String {
    let classes = prediction.classes.iter().take(top.max(1));
    let classes: Vec<_> = classes
        .map(|(class, probability)| format!("{class} {}", output::percent(*probability)))
        .collect();
    format!("{}: {}", prediction.image.display(), classes.join(", "))
}
