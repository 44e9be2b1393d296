//! A network with some of the images that it learns from, to look into it.

use crate::{
    CheckpointName, LabError, RunFolder, Settings, data::training_data, evaluate::trained,
    initial_network,
};
use kiln_models::{Activation, Network, activations, gradient_norms};
use kiln_store::Store;
use kiln_training::Batch;

/// A network on the host, and training images as it gets them.
pub struct Specimen {
    /// The network.
    pub network: Network,
    /// The images, not augmented.
    pub batch: Batch,
}

impl Specimen {
    /// The network of a run before its first step, with the run's first
    /// `count` training images.
    ///
    /// # Errors
    /// When the data cannot be loaded or the network cannot be built.
    pub fn initial(settings: &Settings, count: usize, store: &Store) -> Result<Self, LabError> {
        let data = training_data(settings, store)?;
        let task = data.task(settings);
        let network = initial_network(&settings.model, &task, settings.train.seed)?;
        let feed = data.train.unchanged(count);
        let first = feed.epoch(1, 0).next();
        let first = first.ok_or_else(|| LabError::run("there are no training images"))?;
        let batch = feed.on_device(first, &kiln_backend::host());
        Ok(Self { network, batch })
    }

    /// The same with trained weights.
    ///
    /// # Errors
    /// When the run has no such weights or its data cannot be loaded.
    pub fn trained(
        folder: &RunFolder,
        checkpoint: CheckpointName,
        count: usize,
        store: &Store,
    ) -> Result<Self, LabError> {
        let initial = Self::initial(&folder.manifest()?.settings, count, store)?;
        let network = trained(folder, checkpoint)?.network;
        Ok(Self { network, ..initial })
    }

    /// What every layer gives for the images.
    pub fn activations(&self) -> Vec<Activation> {
        activations(&self.network, self.batch.images.clone()).1
    }

    /// The norm of the loss's gradient by the weights of each layer.
    pub fn gradient_norms(&self) -> Vec<(String, f64)> {
        let Batch {
            images, targets, ..
        } = self.batch.clone();
        gradient_norms(&self.network, images, targets)
    }
}
