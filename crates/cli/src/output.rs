//! The only place that prints: results to standard output, everything else to
//! standard error. A reader that has gone away is no error; a full disk is one.

use kiln_lab::LabError;
use kiln_store::atomic_write;
use serde::Serialize;
use std::{
    io::{self, ErrorKind, Write},
    path::Path,
    sync::OnceLock,
};

/// The first error of standard output, for the end of the program: a training
/// goes on without it.
static FAILURE: OnceLock<String> = OnceLock::new();

/// What standard output failed with, if it did.
pub fn failure() -> Option<LabError> {
    FAILURE.get().map(LabError::run)
}

/// Remembers that standard output failed, unless its reader has gone away.
pub fn check(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = FAILURE.set(format!(
            "standard output could not be written: {error}; make room there or send it elsewhere"
        ));
    }
}

/// Writes a result.
pub fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    check(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Writes a line of a result.
pub fn line(line: &str) {
    text(&format!("{line}\n"));
}

/// Writes a result as JSON over several lines.
pub fn json(value: &impl Serialize) -> Result<(), LabError> {
    line(&serde_json::to_string_pretty(value).map_err(LabError::run)?);
    Ok(())
}

/// Tells the person at the terminal something.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes a file whole or not at all, and says so.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    atomic_write(path, bytes)
        .map_err(|error| LabError::run(format!("writing {} failed: {error}", path.display())))?;
    note(&format!("wrote {}", path.display()));
    Ok(())
}

/// Columns of text, numbers to the right.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .chain([head[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let is_number = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_digit() || ",.% -".contains(c))
    };
    let right: Vec<bool> = (0..head.len())
        .map(|column| !rows.is_empty() && rows.iter().all(|row| is_number(&row[column])))
        .collect();
    let render = |cells: Vec<&str>| {
        let cells = cells
            .iter()
            .enumerate()
            .map(|(column, cell)| match right[column] {
                true => format!("{cell:>width$}", width = widths[column]),
                false => format!("{cell:<width$}", width = widths[column]),
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = render(head.to_vec());
    for row in rows {
        text += &render(row.iter().map(String::as_str).collect());
    }
    text
}

/// The same as a Markdown table.
pub fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let rule = vec!["---"; head.len()];
    let rows = rows
        .iter()
        .map(|row| line(row.iter().map(String::as_str).collect()));
    [line(head.to_vec()), line(rule)]
        .into_iter()
        .chain(rows)
        .collect()
}

/// A count with its thousands apart: `61,706`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
