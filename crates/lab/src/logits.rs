//! Raw class scores for raw numbers: what one needs to compare two
//! implementations of a network.

use crate::{Fault, LabError, ModelSettings, network::lazy_network};
use burn::tensor::{Tensor, TensorData};
use kiln_models::{Network, Task};
use kiln_store::atomic_write;
use kiln_vision::ImageSpec;
use kiln_weights::load_weights;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::path::Path;

/// Images computed at a time.
const BATCH: usize = 16;

/// Floating-point images as a file holds them.
pub struct RawImages {
    values: Vec<f32>,
    count: usize,
    /// Shape of each image.
    pub input: ImageSpec,
}

impl RawImages {
    /// Reads the tensor `images` `[count, channels, height, width]` in float32
    /// of a safetensors file.
    ///
    /// # Errors
    /// When the file is no such file or holds no such tensor.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let wrong = |what: String| LabError::usage(format!("{} {what}", path.display()));
        let damaged = |what: String| LabError::data(format!("{} {what}", path.display()));
        let bytes =
            std::fs::read(path).map_err(|error| damaged(format!("cannot be read: {error}")))?;
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|error| damaged(format!("is no safetensors file or is damaged: {error}")))?;
        let images = file.tensor("images").map_err(|_| {
            let names = file.names().join(", ");
            wrong(format!("has no tensor 'images'; it has {names}"))
        })?;
        let ([count, channels, height, width], Dtype::F32) = (images.shape(), images.dtype())
        else {
            return Err(wrong(format!(
                "holds 'images' as {:?} {:?}, but it must be F32 [count, channels, height, width]",
                images.dtype(),
                images.shape()
            )));
        };
        if images.data().is_empty() {
            return Err(wrong("holds no images".to_owned()));
        }
        let (values, _) = images.data().as_chunks::<4>();
        Ok(Self {
            values: values.iter().copied().map(f32::from_le_bytes).collect(),
            count: *count,
            input: ImageSpec::new(*channels, *height, *width),
        })
    }

    /// Writes the class scores as the tensor `logits` `[count, classes]`.
    ///
    /// # Errors
    /// When the network does not take such images, the device fails, or the
    /// file cannot be written.
    pub fn classify(
        &self,
        network: &Network,
        classes: usize,
        output: &Path,
    ) -> Result<(), LabError> {
        network.steps(self.input).map_err(LabError::usage)?;
        let device = kiln_backend::host();
        let mut logits = Vec::with_capacity(self.count * classes * 4);
        let ImageSpec {
            channels,
            height,
            width,
        } = self.input;
        for batch in self.values.chunks(BATCH * self.input.len()) {
            let shape = [batch.len() / self.input.len(), channels, height, width];
            let images = TensorData::new(batch.to_vec(), shape);
            let scores = network.forward(Tensor::<4>::from_data(images, &device));
            let scores = scores.try_into_data().map_err(LabError::run)?;
            logits.extend(scores.iter::<f32>().flat_map(f32::to_le_bytes));
        }
        let view = TensorView::new(Dtype::F32, vec![self.count, classes], &logits);
        let view = view.map_err(LabError::run)?;
        let bytes = safetensors::serialize([("logits", view)], None).map_err(LabError::run)?;
        atomic_write(output, &bytes).map_err(|error| LabError::io("writing", output, &error))
    }
}

/// A network of the zoo with the weights of a file.
///
/// # Errors
/// When there is no such network, or the weights are not its.
pub fn network_with(
    model: &ModelSettings,
    task: &Task,
    weights: &Path,
) -> Result<Network, LabError> {
    let network = lazy_network(model, task)?;
    load_weights(network, weights).map_err(|error| match LabError::from(error) {
        // The network was built for the images, so they may be what is wrong.
        error if error.fault == Fault::Usage => {
            LabError::usage(format!("{error}; the images are {}", task.input))
        }
        error => error,
    })
}
