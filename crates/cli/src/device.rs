//! Making the backend that was asked for the one that Burn falls back on.

use kiln_backend::{BACKENDS, Choice};
use kiln_lab::LabError;
use std::process::{Command, ExitCode};

/// In a program with several backends, parts of Burn use `Device::default()`,
/// which prefers a GPU unless `BURN_DEVICE` says otherwise. The variable can
/// be set safely only for a new process, so the program starts itself again
/// with it; that process's exit code is given.
///
/// # Errors
/// When there is no such backend or the program cannot be started again.
pub fn settle(backend: &str) -> Result<Option<ExitCode>, LabError> {
    let choice: Choice = backend.parse()?;
    let several = BACKENDS.iter().filter(|backend| backend.compiled).count() > 1;
    let name = choice.backend.name;
    let settled = match std::env::var_os("BURN_DEVICE") {
        Some(value) => value == name,
        None => !several,
    };
    if !choice.backend.compiled || settled {
        return Ok(None);
    }
    let program = std::env::current_exe().map_err(LabError::run)?;
    let mut command = Command::new(program);
    command
        .args(std::env::args_os().skip(1))
        .env("BURN_DEVICE", name);
    start(command).map(Some)
}

#[cfg(unix)]
fn start(mut command: Command) -> Result<ExitCode, LabError> {
    use std::os::unix::process::CommandExt;
    // Only returns when it fails.
    Err(LabError::run(command.exec()))
}

#[cfg(not(unix))]
fn start(mut command: Command) -> Result<ExitCode, LabError> {
    let status = command.status().map_err(LabError::run)?;
    Ok(ExitCode::from(status.code().unwrap_or(1) as u8))
}
