//! What a trained network says about a picture.

use crate::{CheckpointName, LabError, RunFolder, evaluate::trained};
use burn::tensor::{Tensor, TensorData, activation::softmax};
use kiln_training::class_scores;
use kiln_vision::{Invert, read_picture};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The classes of one picture, the most likely first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The picture.
    pub image: PathBuf,
    /// Class and probability, falling.
    pub classes: Vec<(String, f64)>,
}

/// Classifies pictures with the weights of a run, on the host.
///
/// # Errors
/// When the run cannot be read or a file is no picture.
pub fn predict(
    folder: &RunFolder,
    checkpoint: CheckpointName,
    pictures: &[&Path],
    invert: Invert,
) -> Result<Vec<Prediction>, LabError> {
    let manifest = folder.manifest()?;
    let trained = trained(folder, checkpoint)?;
    let device = kiln_backend::host();
    let input = manifest.input;
    let mut values = Vec::with_capacity(pictures.len() * input.len());
    for picture in pictures {
        let pixels = read_picture(picture, input, invert).map_err(LabError::data)?;
        let pixels = manifest.arranged(&pixels);
        manifest.normalization.append(&pixels, &mut values);
    }
    let shape = [pictures.len(), input.channels, input.height, input.width];
    let images = Tensor::<4>::from_data(TensorData::new(values, shape), &device);
    let scores = class_scores(trained.network.forward(images), manifest.classes.len());
    let probabilities = softmax(scores, 1).try_into_data().map_err(LabError::run)?;
    let probabilities: Vec<f64> = probabilities.iter::<f64>().collect();
    let classes = manifest.classes.len();
    let predictions = pictures.iter().zip(probabilities.chunks(classes));
    Ok(predictions
        .map(|(picture, probabilities)| {
            let mut ranked: Vec<_> = manifest
                .classes
                .iter()
                .cloned()
                .zip(probabilities.iter().copied())
                .collect();
            ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
            Prediction {
                image: picture.to_path_buf(),
                classes: ranked,
            }
        })
        .collect())
}
