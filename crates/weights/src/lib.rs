//! The weights of a network outside of it: under PyTorch's names, in PyTorch's
//! layout, as a safetensors file, a PyTorch checkpoint or a fingerprint.
//!
//! This crate knows no network; it reads the names off Burn's modules.

mod checkpoint;
mod contents;
mod differences;
mod element;
mod error;
mod file;
mod load;
mod names;
mod state;

pub use error::WeightsError;
pub use load::{load_checkpoint_weights, load_weights, transfer_weights};
pub use names::{Names, is_running_statistic, parameter_names, select};
pub use state::{HostTensor, StateDict, weights_bytes, weights_sha256};
