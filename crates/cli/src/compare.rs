//! `kiln compare`.

use crate::{
    arguments::{CompareArguments, Format},
    output,
};
use kiln_lab::{LabError, RunComparison, RunFolder, compare, difference_rows};
use std::process::ExitCode;

/// Shows runs side by side.
pub fn run(arguments: &CompareArguments) -> Result<ExitCode, LabError> {
    let parent = arguments.output.folder();
    let folders = arguments
        .runs
        .iter()
        .map(|run| RunFolder::open(run, &parent));
    let comparison = compare(&folders.collect::<Result<Vec<_>, _>>()?)?;
    match arguments.format {
        Format::Json => output::json(&comparison)?,
        Format::Table => show(&comparison),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(comparison: &RunComparison) {
    let count = comparison.runs.len();
    let names: Vec<String> = (1..=count).map(|number| format!("#{number}")).collect();
    for (name, run) in names.iter().zip(&comparison.runs) {
        output::line(&format!("{name} {}", run.run));
    }
    let head = |first| -> Vec<&str> {
        let names = names.iter().map(String::as_str);
        std::iter::once(first).chain(names).collect()
    };
    let table = |title, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            output::text(&format!("\n{}", output::table(&head(title), &rows)));
        }
    };
    table("result", comparison.results());
    table("configuration", difference_rows(&comparison.settings));
    table("circumstances", difference_rows(&comparison.circumstances));
    if comparison.settings.is_empty() {
        output::line("\nthe configurations are the same");
    }
    for (number, reason) in comparison.unfair.iter().enumerate() {
        let head = match number {
            0 => "\nnot a fair comparison as it stands:\n",
            _ => "",
        };
        output::line(&format!("{head}- {reason}"));
    }
}
