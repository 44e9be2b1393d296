//! Making the backend that was asked for the one that Burn falls back on.

use crate::{BACKENDS, BackendError, Choice};
use std::{
    io,
    process::{Command, ExitCode},
};

/// In a program with several backends, parts of Burn use `Device::default()`,
/// which prefers a GPU unless `BURN_DEVICE` says otherwise. The variable can
/// be set safely only for a new process, so the program starts itself again
/// with it; that process's exit code is given.
///
/// # Errors
/// When there is no such backend or the program cannot be started again.
pub fn settle(backend: &str) -> Result<Option<ExitCode>, BackendError> {
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
    let again = || {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(std::env::args_os().skip(1))
            .env("BURN_DEVICE", name);
        start(command)
    };
    let cause = |error: io::Error| BackendError::Restart(error.to_string());
    again().map(Some).map_err(cause)
}

#[cfg(unix)]
fn start(mut command: Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    // Only returns when it fails.
    Err(command.exec())
}

#[cfg(not(unix))]
fn start(mut command: Command) -> io::Result<ExitCode> {
    let status = command.status()?;
    Ok(ExitCode::from(status.code().unwrap_or(1) as u8))
}
