//! `kiln import`.

use crate::{arguments::ImportArguments, output, revision};
use kiln_lab::{
    ImportContext, LabError, Layers, Settings, chosen_model, draft, import, one_network, run_of,
    without_data,
};
use kiln_models::Task;
use kiln_store::Store;
use std::process::ExitCode;

/// Makes a run folder of a weight file.
pub fn run(arguments: &ImportArguments) -> Result<ExitCode, LabError> {
    if let Some(code) = kiln_backend::settle("flex")? {
        return Ok(code);
    }
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let (settings, task) = match &arguments.dataset {
        Some(dataset) => (with_data(arguments, dataset, &store)?, None),
        None => {
            let (model, usual) = chosen_model(&arguments.model, &arguments.set)?;
            let usual = run_of(&arguments.weights).map_or(usual, |run| run.task());
            let task = Task {
                input: arguments.input.unwrap_or(usual.input),
                classes: arguments.classes.unwrap_or(usual.classes),
            };
            (without_data(model)?, Some(task))
        }
    };
    let context = ImportContext {
        store,
        output_dir: arguments.output.folder(),
        name: arguments.name.clone(),
        arguments: std::env::args().collect(),
        revision: revision().map(str::to_owned),
        note: output::note,
    };
    let folder = import(&settings, task, &arguments.weights, context)?;
    output::line(&folder.path().display().to_string());
    Ok(ExitCode::SUCCESS)
}

fn with_data(
    arguments: &ImportArguments,
    dataset: &str,
    store: &Store,
) -> Result<Settings, LabError> {
    one_network(&arguments.model, &arguments.set)?;
    let mut flags = vec![
        ("model.name", arguments.model.clone().into()),
        ("data.dataset", dataset.into()),
    ];
    if let Some(input) = arguments.input {
        flags.push(("data.input", input.to_string().into()));
    }
    if let Some(classes) = arguments.classes {
        if classes < 2 {
            return Err(LabError::usage(format!(
                "--classes is {classes}, but it must be at least 2"
            )));
        }
        flags.push(("data.classes", (classes as i64).into()));
    }
    let layers = Layers {
        config: None,
        set: arguments.set.clone(),
        flags,
    };
    Ok(draft(&layers)?
        .complete(store, &arguments.output.folder())?
        .0)
}
