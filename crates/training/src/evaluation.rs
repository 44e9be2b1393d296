//! Exact evaluation: every image counts once, nothing is averaged over batches.

use crate::{Feed, Forward};
use burn::{
    module::Module,
    tensor::{Device, ExecutionError},
};
use kiln_kernels::{cross_entropy, work_on};
use serde::{Deserialize, Serialize};

/// What a network does on one split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Images.
    pub count: usize,
    /// Mean cross entropy in nats.
    pub loss: f64,
    /// Share of the images whose largest logit is the true class's, from 0 to 1.
    pub accuracy: f64,
    /// Images by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
}

/// Evaluates `network` on the images of `feed`, in their order. The network
/// must be in its inference form (`Module::valid`).
///
/// # Errors
/// When the device does not give a result back.
pub fn evaluate<N: Module + Sync>(
    network: &N,
    forward: Forward<N>,
    feed: &Feed,
    classes: usize,
    device: &Device,
) -> Result<Evaluation, ExecutionError> {
    let mut confusion = vec![vec![0; classes]; classes];
    let mut loss = 0.0;
    for batch in feed.epoch(0, 0) {
        let labels = batch.labels.clone();
        let batch = feed.on_device(batch, device);
        let logits = work_on(device, || forward(network, batch.images));
        let losses = cross_entropy(logits.clone(), batch.targets).try_into_data()?;
        loss += losses.iter::<f64>().sum::<f64>();
        let predictions = logits.argmax(1).try_into_data()?;
        for (label, prediction) in labels.into_iter().zip(predictions.iter::<i64>()) {
            confusion[usize::from(label)][prediction as usize] += 1;
        }
    }
    let count: usize = confusion.iter().flatten().sum();
    let correct: usize = (0..classes).map(|class| confusion[class][class]).sum();
    Ok(Evaluation {
        count,
        loss: loss / count.max(1) as f64,
        accuracy: correct as f64 / count.max(1) as f64,
        confusion,
    })
}
