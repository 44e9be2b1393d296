//! The network of a run before its first step.

use crate::{LabError, ModelSettings};
use kiln_models::{Network, Task};

/// Builds the network `model` with the weights that `seed` means, on
/// the host: the same ones whatever backend trains them.
///
/// # Errors
/// When there is no such network, or not for this task.
pub fn initial_network(model: &ModelSettings, task: &Task, seed: u64) -> Result<Network, LabError> {
    let network = lazy_network(model, task)?;
    let _only_here = kiln_backend::seed(&kiln_backend::host(), seed);
    kiln_models::materialize(&network);
    Ok(network)
}

/// Builds the network `model` on the host without drawing its weights, which
/// are to come from a file, or are of no interest.
///
/// # Errors
/// When there is no such network, or not for this task.
pub fn lazy_network(model: &ModelSettings, task: &Task) -> Result<Network, LabError> {
    let host = kiln_backend::host();
    Ok(kiln_models::build(
        &model.name,
        task,
        &model.options,
        &host,
    )?)
}
