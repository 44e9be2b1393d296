//! `kiln view`.

use crate::{arguments::ViewArguments, output};
use kiln_lab::{
    LabError, RunFolder, check_output,
    view::{ImageChoice, Inside, NotDrawn, VIEWS, View, ViewRequest, draw},
};
use kiln_store::{Store, atomic_write};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Draws figures of a trained network.
pub fn run(arguments: &ViewArguments) -> Result<ExitCode, LabError> {
    let folder = RunFolder::open(&arguments.run, &arguments.runs.folder())?;
    let backend = match &arguments.backend {
        Some(backend) => backend.clone(),
        None => folder.manifest()?.settings.device.backend,
    };
    if let Some(code) = kiln_backend::settle(&backend)? {
        return Ok(code);
    }
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let request = ViewRequest {
        split: arguments.split.into(),
        checkpoint: arguments.checkpoint.into(),
        backend: Some(backend),
        image: arguments.image.as_deref().map(ImageChoice::from),
        invert: arguments.invert,
        class: arguments.class.clone(),
        layer: arguments.layer.clone(),
    };
    let mut views = arguments.figures.clone();
    let named = !views.is_empty();
    if !named {
        views = VIEWS.iter().map(|row| row.view).collect();
    }
    let inside = Inside::open(&folder, request, &store)?;
    let place = place(arguments, &folder)?;
    let file = |view: View| place.join(format!("{}.svg", view.name()));
    if arguments.output.is_some() {
        for view in &views {
            check_output(("--output", &file(*view)), arguments.force, &[])?;
        }
    }
    for view in views {
        match draw(view, &inside) {
            Ok(svg) => write(&file(view), &svg)?,
            Err(NotDrawn::Nothing(why)) if named => return Err(LabError::usage(why)),
            Err(NotDrawn::Nothing(why)) => output::note(&format!("no {}: {why}", view.name())),
            Err(NotDrawn::Failed(error)) => return Err(error),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder for the figures, made where it is not there.
fn place(arguments: &ViewArguments, folder: &RunFolder) -> Result<PathBuf, LabError> {
    let own = || folder.path().join("figures");
    let place = arguments.output.clone().unwrap_or_else(own);
    fs::create_dir_all(&place).map_err(|error| {
        LabError::usage(format!(
            "the folder {} cannot be made: {error}; name another with --output",
            place.display()
        ))
    })?;
    Ok(place)
}

fn write(file: &Path, svg: &str) -> Result<(), LabError> {
    atomic_write(file, svg.as_bytes())
        .map_err(|error| LabError::run(format!("writing {} failed: {error}", file.display())))?;
    output::line(&file.display().to_string());
    Ok(())
}
