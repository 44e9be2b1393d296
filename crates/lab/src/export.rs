//! Weights for other programs.

use crate::{
    CheckpointName, LabError, ModelSettings, RunFolder, check_output, evaluate::trained,
    network::initial_network,
};
use burn::module::Module;
use kiln_models::{Network, Task};
use kiln_store::atomic_write;
use kiln_weights::weights_bytes;
use std::path::Path;

/// How weights are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// PyTorch's names and layouts: `model.load_state_dict(load_file(F))`.
    Safetensors,
    /// Burn's own: `module.load_file(F)`.
    Burnpack,
    /// The network and its weights as a graph.
    Onnx,
}

/// What is exported.
pub struct Exportable {
    /// The network on the host.
    pub network: Network,
    /// What it is made for.
    pub task: Task,
    /// The network's name.
    pub model: String,
    /// What it is, for a person: a run or an untrained network.
    pub what: String,
}

impl Exportable {
    /// The weights of a run.
    ///
    /// # Errors
    /// When the run or its checkpoint cannot be read.
    pub fn of_run(folder: &RunFolder, checkpoint: CheckpointName) -> Result<Self, LabError> {
        let manifest = folder.manifest()?;
        let trained = trained(folder, checkpoint)?;
        Ok(Self {
            network: trained.network,
            task: manifest.task(),
            model: manifest.settings.model.name,
            what: format!("the {checkpoint} weights of {}", folder.name()),
        })
    }

    /// The first weights of a network.
    ///
    /// # Errors
    /// When there is no such network, or not for this task.
    pub fn untrained(model: &ModelSettings, task: &Task, seed: u64) -> Result<Self, LabError> {
        Ok(Self {
            network: initial_network(model, task, seed)?,
            task: *task,
            model: model.name.clone(),
            what: format!("{}, untrained, seed {seed}", model.name),
        })
    }

    /// Writes the file in one step.
    ///
    /// # Errors
    /// Those of [`check_output`], and when the file cannot be written or the
    /// format cannot hold the network.
    pub fn write(
        &self,
        format: ExportFormat,
        output: &Path,
        replace: bool,
    ) -> Result<(), LabError> {
        check_output(("--output", output), replace, &[])?;
        let bytes = match format {
            ExportFormat::Safetensors => weights_bytes(&self.network)?,
            ExportFormat::Burnpack => {
                let record = self.network.clone().into_record();
                let bytes = record.into_bytes().map_err(LabError::run)?;
                bytes.to_vec()
            }
            ExportFormat::Onnx => crate::onnx::graph(&self.model, &self.network, &self.task)?,
        };
        atomic_write(output, &bytes).map_err(|error| LabError::io("writing", output, &error))
    }
}
