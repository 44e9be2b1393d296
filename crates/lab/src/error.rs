//! What can go wrong with a run, sorted by who can mend it.

use std::path::Path;

/// Whose fault an error is; it becomes the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The program, the machine or the training.
    Run,
    /// The command line or a configuration file.
    Usage,
    /// Data are missing or corrupt.
    Data,
}

/// An error of a run: one sentence and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LabError {
    /// Whose fault it is.
    pub fault: Fault,
    message: String,
    diverged: bool,
}

impl LabError {
    /// An error of the program, the machine or the training.
    pub fn run(message: impl ToString) -> Self {
        Self::new(Fault::Run, message)
    }

    /// An error of the command line or a configuration.
    pub fn usage(message: impl ToString) -> Self {
        Self::new(Fault::Usage, message)
    }

    /// Data that are missing or not what they were.
    pub fn data(message: impl ToString) -> Self {
        Self::new(Fault::Data, message)
    }

    /// A training whose loss became infinite or NaN.
    pub(crate) fn divergence(message: impl ToString) -> Self {
        Self {
            diverged: true,
            ..Self::run(message)
        }
    }

    /// Whether a loss became infinite or NaN: a fault of the settings, which
    /// says nothing against the next training.
    pub fn is_divergence(&self) -> bool {
        self.diverged
    }

    /// The exit code of a program that ends with it.
    pub fn exit_code(&self) -> u8 {
        match self.fault {
            Fault::Run => 1,
            Fault::Usage => 2,
            Fault::Data => 3,
        }
    }

    /// The same error, with what it is about before it.
    pub(crate) fn about(self, what: &str) -> Self {
        Self {
            message: format!("{what}: {}", self.message),
            ..self
        }
    }

    fn new(fault: Fault, message: impl ToString) -> Self {
        Self {
            fault,
            message: message.to_string(),
            diverged: false,
        }
    }

    /// What a system call on `path` failed with.
    pub(crate) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::run(format!("{what} {} failed: {error}", path.display()))
    }
}

impl From<kiln_catalog::CatalogError> for LabError {
    fn from(error: kiln_catalog::CatalogError) -> Self {
        match (error.is_usage(), error.is_data()) {
            (true, _) => Self::usage(error),
            (false, true) => Self::data(error),
            (false, false) => Self::run(error),
        }
    }
}

impl From<kiln_backend::BackendError> for LabError {
    fn from(error: kiln_backend::BackendError) -> Self {
        match error.is_usage() {
            true => Self::usage(error),
            false => Self::run(error),
        }
    }
}

impl From<kiln_models::ModelError> for LabError {
    fn from(error: kiln_models::ModelError) -> Self {
        Self::usage(error)
    }
}

impl From<kiln_training::UnknownName> for LabError {
    fn from(error: kiln_training::UnknownName) -> Self {
        Self::usage(error)
    }
}

impl From<kiln_vision::SplitError> for LabError {
    fn from(error: kiln_vision::SplitError) -> Self {
        Self::usage(error)
    }
}

impl From<kiln_store::StoreError> for LabError {
    fn from(error: kiln_store::StoreError) -> Self {
        Self::run(error)
    }
}

impl From<kiln_weights::WeightsError> for LabError {
    fn from(error: kiln_weights::WeightsError) -> Self {
        use kiln_weights::WeightsError as E;
        match &error {
            E::Unreadable { .. }
            | E::NotFloat { .. }
            | E::NotFiniteInFile { .. }
            | E::TooLarge { .. }
            | E::NegativeVariance { .. } => Self::data(error),
            E::AnotherNetwork { .. } | E::Unfit { .. } | E::NoHead { .. } => Self::usage(error),
            E::Device(_) | E::NotFinite(_) | E::Format(_) => Self::run(error),
        }
    }
}

impl From<kiln_training::CheckpointError> for LabError {
    fn from(error: kiln_training::CheckpointError) -> Self {
        match error {
            kiln_training::CheckpointError::Read { .. } => Self::data(error),
            kiln_training::CheckpointError::Write { .. } => Self::run(error),
        }
    }
}

impl From<kiln_training::FitError> for LabError {
    fn from(error: kiln_training::FitError) -> Self {
        match error {
            kiln_training::FitError::NoBatch { .. } | kiln_training::FitError::Name(_) => {
                Self::usage(error)
            }
            kiln_training::FitError::Checkpoint(error) => error.into(),
            kiln_training::FitError::Diverged { .. } => Self::divergence(error),
            error => Self::run(error),
        }
    }
}
