//! Where a file may be written: over nothing that is still needed.

use crate::LabError;
use std::path::{Path, PathBuf};

/// Refuses an `output`, the file of `flag`, that is one of the `inputs` (a flag
/// and its file), lies in a run folder, or is there already where `replace`
/// does not hold.
///
/// # Errors
/// Says which of them it is.
pub fn check_output(
    (flag, output): (&str, &Path),
    replace: bool,
    inputs: &[(&str, &Path)],
) -> Result<(), LabError> {
    let wrong = |what: String| LabError::usage(format!("{} {what}", output.display()));
    let parent = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !parent.is_dir() {
        return Err(wrong(format!(
            "cannot be written: the folder {} is not there; make it first",
            parent.display()
        )));
    }
    if output.is_dir() {
        return Err(wrong(format!("is a folder; name a file in {flag}")));
    }
    let place = place(output, parent);
    for (other, input) in inputs {
        if std::fs::canonicalize(input).is_ok_and(|input| input == place) {
            return Err(wrong(format!(
                "is also the file of {other}; name another {flag}"
            )));
        }
    }
    let mut folders = place.ancestors().skip(1);
    let run = folders
        .find(|folder| folder.join("run.json").is_file() && folder.join("checkpoints").is_dir());
    if let Some(run) = run {
        return Err(wrong(format!(
            "lies in the run folder {}, whose files are the record of a run; name a file elsewhere in {flag}",
            run.display()
        )));
    }
    match output.exists() && !replace {
        true => Err(wrong(format!(
            "is there already; name another {flag}, or replace it with --force"
        ))),
        false => Ok(()),
    }
}

/// The whole path, links followed, of a file that need not be there.
fn place(output: &Path, parent: &Path) -> PathBuf {
    std::fs::canonicalize(output).unwrap_or_else(|_| {
        let parent = std::fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
        parent.join(output.file_name().unwrap_or_default())
    })
}
