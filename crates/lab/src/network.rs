//! The network of a run before its first step.

use crate::LabError;
use kiln_models::{Network, Task};

/// Builds the network called `name` with the weights that `seed` means, on
/// the host: the same ones whatever backend trains them.
///
/// # Errors
/// When there is no such network, or not for this task.
pub fn initial_network(name: &str, task: &Task, seed: u64) -> Result<Network, LabError> {
    let host = kiln_backend::host();
    let _only_here = kiln_backend::seed(&host, seed);
    let network = kiln_models::build(name, task, &host)?;
    kiln_models::materialize(&network);
    Ok(network)
}
