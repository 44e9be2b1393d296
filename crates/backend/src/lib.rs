//! From the name of a backend to a Burn device, and from a backend that
//! cannot be used to one sentence that says why.
//!
//! This is the only place in the workspace where a backend is named and where
//! code depends on the Cargo features of the backends. Everything else takes
//! `&Device`.

mod open;
mod settle;
mod table;
mod threads;

pub use open::{adapters, describe, open};
pub use settle::settle;
pub use table::{BACKENDS, Backend, Choice};
pub use threads::{set_threads, threads};

use burn::tensor::Device;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The release of Burn that the workspace is pinned to.
pub const BURN_VERSION: &str = "0.22.1";

/// Why a backend cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// No backend of that name exists.
    #[error("there is no backend '{name}'{suggestion}; the backends are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// ", did you mean 'x'?" or nothing.
        suggestion: String,
        /// All names.
        known: String,
    },
    /// The text after the colon is no device index.
    #[error("'{0}' is not a device index; write a number after the colon, such as cuda:1")]
    Index(String),
    /// The backend has one device only.
    #[error("the backend {0} has no device indices; write --backend {0}")]
    NoIndex(&'static str),
    /// This binary was built without the backend.
    #[error(
        "the backend {name} is not compiled into this binary; add it with `{command}`, or use --backend flex"
    )]
    NotCompiled {
        /// The backend, which is also the Cargo feature.
        name: &'static str,
        /// The command that builds with it and does what was asked for.
        command: String,
    },
    /// The program could not start itself again.
    #[error("the program could not be started again with BURN_DEVICE set: {0}; set it yourself")]
    Restart(String),
    /// No adapter, device or driver was found.
    #[error("the backend {name} found no device on this machine ({cause}); {remedy}")]
    NoDevice {
        /// The backend.
        name: &'static str,
        /// What the backend said.
        cause: String,
        /// What to install or use instead.
        remedy: &'static str,
    },
    /// Devices were found, but not that many.
    #[error("the backend {name} has no device {index}; it found {count}, counted from 0")]
    NoSuchDevice {
        /// The backend.
        name: &'static str,
        /// The index asked for.
        index: usize,
        /// Devices found.
        count: usize,
    },
    /// No program computes with that many threads.
    #[error(
        "--threads is {0}, but it must be from 1 to {most}; without it all cores compute",
        most = threads::MOST
    )]
    Threads(usize),
    /// Something was computed before the number of threads was chosen.
    #[error("the number of threads cannot be changed any more: {0}")]
    ThreadsSettled(String),
}

impl BackendError {
    /// Whether the command line is at fault rather than the machine.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Unknown { .. } | Self::Index(_) | Self::NoIndex(_) | Self::Threads(_)
        )
    }
}

static RANDOM: Mutex<()> = Mutex::new(());

/// Seeds the device's random numbers and keeps them to the caller until the
/// guard is dropped: Burn has one generator per backend and process, so two
/// threads that draw at the same time would disturb each other.
#[must_use = "the random numbers are the caller's only while the guard lives"]
pub fn seed(device: &Device, seed: u64) -> MutexGuard<'static, ()> {
    let guard = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    guard
}

/// The device that parameters are initialised on, whatever backend trains
/// them, so that a seed means the same weights everywhere.
pub fn host() -> Device {
    Device::flex()
}
