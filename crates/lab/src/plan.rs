//! What a training would do, found out without doing it or writing anything.

use crate::{LabError, Settings, data::training_data, network::lazy_network};
use kiln_models::{parameters, summarize};
use kiln_store::Store;
use kiln_vision::{ImageSpec, Source};
use serde::Serialize;

/// What a training would do.
#[derive(Clone, Debug, Serialize)]
pub struct RunPlan {
    /// The configuration.
    pub settings: Settings,
    /// Learnable parameters of the network.
    pub parameters: usize,
    /// Multiply-accumulates of a forward pass for one image.
    pub macs: u64,
    /// Shape of the images.
    pub input: ImageSpec,
    /// Number of classes.
    pub classes: usize,
    /// Where the images come from.
    pub source: Source,
    /// Training images.
    pub train_images: usize,
    /// Validation images.
    pub val_images: usize,
    /// Batches whose gradients are averaged for a step.
    pub batches_per_step: usize,
    /// Steps of an epoch.
    pub steps_per_epoch: usize,
    /// Steps in all.
    pub steps: usize,
    /// Backend and adapter.
    pub device: String,
    /// Bytes of weights, gradients and every layer's output for a batch, without
    /// what the optimizer keeps.
    pub training_bytes: usize,
}

/// Loads the data of `settings`, builds the network and opens the device.
///
/// # Errors
/// For whatever a training would fail with before its first step.
pub fn plan(settings: &Settings, store: &Store) -> Result<RunPlan, LabError> {
    let choice = settings.device.backend.parse()?;
    let device = kiln_backend::open(&choice)?;
    let data = training_data(settings, store)?;
    let task = data.task(settings);
    let network = lazy_network(&settings.model, &task)?;
    if settings.transfer != crate::TransferSettings::default() {
        // Reading the weights says whether they fit.
        let drawn = crate::initial_network(&settings.model, &task, settings.train.seed)?;
        let (drawn, _) = settings.transfer.load(drawn)?;
        settings.transfer.freeze(drawn)?;
    }
    let summary = summarize(&settings.model.name, &network, &task).map_err(LabError::usage)?;
    let batches = data.train.batches();
    let batches_per_step = settings.accumulate()?.min(batches.max(1));
    let steps_per_epoch = batches.div_ceil(batches_per_step);
    if steps_per_epoch == 0 {
        return Err(kiln_training::FitError::NoBatch {
            images: data.train.indices.len(),
            batch_size: settings.train.batch_size,
        }
        .into());
    }
    let batch = settings.train.batch_size.min(data.train.indices.len());
    Ok(RunPlan {
        settings: settings.clone(),
        parameters: parameters(&network),
        macs: summary.macs,
        input: data.input,
        classes: data.classes.len(),
        source: data.source,
        train_images: data.train.indices.len(),
        val_images: data.valid.indices.len(),
        batches_per_step,
        steps_per_epoch,
        steps: steps_per_epoch * settings.train.epochs,
        device: format!("{choice}: {}", kiln_backend::describe(&device)),
        training_bytes: summary.training_bytes(batch, 0),
    })
}
