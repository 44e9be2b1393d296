//! `kiln repro`.

use crate::{
    arguments::{Format, Progress, ReproArguments},
    output, revision,
    train::catch_signals,
};
use kiln_lab::{LabError, ReproContext, ReproReport, RunFolder, Stops, repro};
use kiln_store::Store;
use std::process::ExitCode;

/// Repeats a run and says whether the same came out.
pub fn run(arguments: &ReproArguments) -> Result<ExitCode, LabError> {
    let folder = RunFolder::open(&arguments.run, &arguments.output.folder())?;
    let backend = folder.manifest()?.settings.device.backend;
    if let Some(code) = kiln_backend::settle(&backend)? {
        return Ok(code);
    }
    let stops = Stops::default();
    catch_signals(&stops, Progress::Plain)?;
    let context = ReproContext {
        store: Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?,
        stops,
        note: output::note,
        revision: revision().map(str::to_owned),
    };
    let report = repro(&folder, arguments.resume_at, &context)?;
    match arguments.format {
        Format::Json => output::json(&report)?,
        Format::Table => output::text(&table(&report)),
    }
    Ok(match report.is_identical() || !report.exact_backend {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn table(report: &ReproReport) -> String {
    let mut lines = Vec::new();
    lines.push(
        match (report.same_weights, report.deviation_of_repetition) {
            (Some(true), _) => format!("{} repeated: bit-identical weights", report.run),
            (_, Some(deviation)) => format!(
                "{} repeated: other weights, by {deviation:.3e} at most",
                report.run
            ),
            _ => format!("{} did not end: nothing to compare with", report.run),
        },
    );
    lines.push(match report.first_difference {
        None => format!(
            "interrupted after step {} and resumed: bit-identical in all {} steps",
            report.interrupted_at, report.steps
        ),
        Some(step) => format!(
            "interrupted after step {} and resumed: first different at step {step} of {}, weights by {:.3e} at the end",
            report.interrupted_at, report.steps, report.deviation_of_interruption
        ),
    });
    if !report.exact_backend {
        lines.push("this backend does not promise the same bits".to_owned());
    }
    if !report.changed.is_empty() {
        lines.push(format!("changed since: {}", report.changed.join("; ")));
    }
    lines.join("\n") + "\n"
}
