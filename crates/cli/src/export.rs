//! `kiln export`.

use crate::{
    arguments::{ExportArguments, WeightFormat},
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
    if let Some(code) = crate::device::settle("flex")? {
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
        Ok(folder) => return Exportable::of_run(&folder, arguments.checkpoint.into()),
        Err(error) => error,
    };
    if kiln_models::find(what).is_err() {
        return Err(LabError::usage(format!(
            "{what} is neither a network (`kiln list models` shows all) nor a run: {no_run}"
        )));
    }
    let (model, mut task) = chosen_model(what, &arguments.set)?;
    task.input = arguments.input.unwrap_or(task.input);
    task.classes = arguments.classes.unwrap_or(task.classes);
    Exportable::untrained(&model, &task, arguments.seed)
}
