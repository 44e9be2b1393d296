//! `kiln export`.

use crate::{
    arguments::{Checkpoint, ExportArguments, WeightFormat},
    output,
};
use kiln_lab::{ExportFormat, Exportable, LabError, RunFolder, chosen_model};
use std::process::ExitCode;

impl From<WeightFormat> for ExportFormat {
    fn from(format: WeightFormat) -> Self {
        match format {
            WeightFormat::Safetensors => Self::Safetensors,
            WeightFormat::Burnpack => Self::Burnpack,
            WeightFormat::Onnx => Self::Onnx,
        }
    }
}

/// Writes the weights of a run, or of an untrained network, to a file.
pub fn run(arguments: &ExportArguments) -> Result<ExitCode, LabError> {
    if let Some(code) = kiln_backend::settle("flex")? {
        return Ok(code);
    }
    let source = source(arguments)?;
    source.write(arguments.format.into(), &arguments.output, arguments.force)?;
    output::line(&format!("{}: {}", arguments.output.display(), source.what));
    Ok(ExitCode::SUCCESS)
}

/// A run of that name, or else a network.
fn source(arguments: &ExportArguments) -> Result<Exportable, LabError> {
    let what = &arguments.what;
    let no_run = match RunFolder::open(what, &arguments.runs.folder()) {
        Ok(folder) => {
            only_of_networks(arguments)?;
            let checkpoint = arguments.checkpoint.unwrap_or(Checkpoint::Best);
            return Exportable::of_run(&folder, checkpoint.into());
        }
        Err(error) => error,
    };
    if kiln_models::find(what).is_err() {
        return Err(LabError::usage(format!(
            "{what} is neither a network (`kiln list models` shows all) nor a run: {no_run}"
        )));
    }
    if arguments.checkpoint.is_some() {
        return Err(LabError::usage(format!(
            "--checkpoint belongs to a run, but {what} is a network; leave it out"
        )));
    }
    let (model, mut task) = chosen_model(what, &arguments.set)?;
    task.input = arguments.input.unwrap_or(task.input);
    task.classes = arguments.classes.unwrap_or(task.classes);
    Exportable::untrained(&model, &task, arguments.seed.unwrap_or(1))
}

/// What a run has of its own cannot be chosen for it.
fn only_of_networks(arguments: &ExportArguments) -> Result<(), LabError> {
    let flags = [
        ("--seed", arguments.seed.is_some()),
        ("--input", arguments.input.is_some()),
        ("--classes", arguments.classes.is_some()),
        ("--set", !arguments.set.is_empty()),
    ];
    match flags.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(LabError::usage(format!(
            "{flag} belongs to a network, but {} is a run, which has its own; leave it out",
            arguments.what
        ))),
    }
}
