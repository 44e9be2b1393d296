//! The only place that prints: results to standard output, everything else to
//! standard error. A reader that has gone away is no error; a full disk is one.

pub use kiln_figures::{markdown, percent, table, thousands};

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
