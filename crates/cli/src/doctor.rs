//! `kiln doctor`: what this program and this machine can do.

use crate::{
    arguments::{DoctorArguments, Format},
    data, output, revision,
};
use kiln_backend::{BACKENDS, adapters};
use kiln_catalog::{Choice, DATASETS};
use kiln_lab::{LabError, Machine};
use kiln_store::Store;
use serde_json::json;
use std::{io::IsTerminal, process::ExitCode};

/// Shows backends, adapters, data and versions.
pub fn run(arguments: &DoctorArguments) -> Result<ExitCode, LabError> {
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let machine = Machine::here(revision());
    let terminal = std::io::stdout().is_terminal();
    let backends: Vec<_> = BACKENDS
        .iter()
        .map(|backend| {
            let found = backend.compiled.then(|| adapters(backend));
            let devices = found.clone().and_then(Result::ok).unwrap_or_default();
            let state = match found {
                None => format!("not compiled in; add it with --features {}", backend.name),
                Some(Err(error)) => error.to_string(),
                Some(Ok(devices)) if devices.is_empty() => "no device found".to_owned(),
                Some(Ok(devices)) => devices.join("; "),
            };
            (backend, devices, state)
        })
        .collect();
    if arguments.format == Format::Json {
        let backends: Vec<_> = backends
            .iter()
            .map(|(backend, devices, state)| {
                json!({"name": backend.name, "compiled": backend.compiled, "devices": devices, "state": state})
            })
            .collect();
        let sets: Vec<_> = DATASETS
            .iter()
            .map(|row| data::describe(&Choice::Named(row), &store))
            .collect();
        output::json(&json!({
            "machine": machine, "terminal": terminal, "backends": backends,
            "data_folder": store.root(), "datasets": sets,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let revision = machine
        .revision
        .as_deref()
        .map_or_else(String::new, |revision| format!(" ({revision})"));
    output::line(&format!(
        "kiln {}{revision}, Burn {}\n{}, {} threads, {}\nterminal: {}\n",
        machine.kiln,
        machine.burn,
        machine.platform,
        machine.threads,
        machine.simd,
        if terminal {
            "yes, the dashboard can be shown"
        } else {
            "no, one line per epoch"
        },
    ));
    let rows: Vec<_> = backends
        .into_iter()
        .map(|(backend, _, state)| vec![backend.name.to_owned(), state])
        .collect();
    output::line(&output::table(&["backend", "devices"], &rows));
    let rows: Vec<_> = DATASETS
        .iter()
        .map(|row| {
            vec![
                row.name.to_owned(),
                data::state(&Choice::Named(row), &store),
            ]
        })
        .collect();
    output::line(&format!("data folder {}", store.root().display()));
    output::text(&output::table(&["data set", "state"], &rows));
    Ok(ExitCode::SUCCESS)
}
