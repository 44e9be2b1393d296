//! `kiln report`.

use crate::{arguments::ReportArguments, output};
use kiln_lab::{LabError, ReportRequest, RunFolder, check_output, report};
use kiln_store::{Store, atomic_write};
use std::process::ExitCode;

/// Writes one HTML file about runs.
pub fn run(arguments: &ReportArguments) -> Result<ExitCode, LabError> {
    let parent = arguments.runs_in.folder();
    let folders = arguments
        .runs
        .iter()
        .map(|run| RunFolder::open(run, &parent));
    let folders = folders.collect::<Result<Vec<_>, _>>()?;
    let file = &arguments.output;
    check_output(("--output", file), arguments.force, &[])?;
    let backend = match (&arguments.backend, folders.first()) {
        (Some(backend), _) => backend.clone(),
        (None, Some(first)) => first.manifest()?.settings.device.backend,
        (None, None) => "flex".to_owned(),
    };
    if let Some(code) = kiln_backend::settle(&backend)? {
        return Ok(code);
    }
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let request = ReportRequest {
        split: arguments.split.into(),
        backend: Some(backend),
        image: arguments.image,
    };
    let html = report(&folders, &request, &store, output::note)?;
    atomic_write(file, html.as_bytes())
        .map_err(|error| LabError::run(format!("writing {} failed: {error}", file.display())))?;
    output::line(&file.display().to_string());
    Ok(ExitCode::SUCCESS)
}
