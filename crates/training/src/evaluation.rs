//! Exact evaluation: every image counts once, nothing is averaged over batches.

use crate::{Feed, Forward, Views, class_scores};
use burn::{
    module::Module,
    tensor::{Device, ExecutionError, Tensor, activation::softmax},
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

impl Evaluation {
    /// What predictions do: `probabilities`, `[images, classes]` and positive
    /// where an image's own class is, against `labels`, `[images]`. Of equal
    /// probabilities the first class is the prediction.
    pub fn of_probabilities(probabilities: &[f64], labels: &[u16], classes: usize) -> Self {
        let mut confusion = vec![vec![0; classes]; classes];
        let mut loss = 0.0;
        for (row, &label) in probabilities.chunks_exact(classes).zip(labels) {
            let label = usize::from(label);
            loss -= row[label].max(f64::MIN_POSITIVE).ln();
            let largest = |best: usize, at: usize| if row[at] > row[best] { at } else { best };
            confusion[label][(0..classes).fold(0, largest)] += 1;
        }
        Self::counted(loss, confusion)
    }

    fn counted(loss: f64, confusion: Vec<Vec<usize>>) -> Self {
        let count: usize = confusion.iter().flatten().sum();
        let correct: usize = (0..confusion.len())
            .map(|class| confusion[class][class])
            .sum();
        Self {
            count,
            loss: loss / count.max(1) as f64,
            accuracy: correct as f64 / count.max(1) as f64,
            confusion,
        }
    }
}

/// Evaluates `network` on the images of `feed`, in their order, by the mean of
/// the logits of their `views`. The network must be in its inference form
/// (`Module::valid`).
///
/// # Errors
/// When the device does not give a result back.
pub fn evaluate<N: Module + Sync>(
    network: &N,
    forward: Forward<N>,
    feed: &Feed,
    classes: usize,
    device: &Device,
    views: Views,
) -> Result<Evaluation, ExecutionError> {
    pass((network, forward), feed, classes, device, views, |_, _| {
        Ok(())
    })
}

/// [`evaluate`], with the probabilities `[images, classes]` that the network
/// gives.
///
/// # Errors
/// When the device does not give a result back.
pub fn evaluate_and_keep<N: Module + Sync>(
    network: &N,
    forward: Forward<N>,
    feed: &Feed,
    classes: usize,
    device: &Device,
    views: Views,
) -> Result<(Evaluation, Vec<f32>), ExecutionError> {
    let mut kept = Vec::with_capacity(feed.indices.len() * classes);
    let keep = |logits, _: &[u16]| {
        let probabilities = softmax(logits, 1).try_into_data()?;
        kept.extend(probabilities.iter::<f32>());
        Ok(())
    };
    let evaluation = pass((network, forward), feed, classes, device, views, keep)?;
    Ok((evaluation, kept))
}

/// [`evaluate`], with the class that each image is taken for.
///
/// # Errors
/// When the device does not give a result back.
pub fn evaluate_each<N: Module + Sync>(
    network: &N,
    forward: Forward<N>,
    feed: &Feed,
    classes: usize,
    device: &Device,
    views: Views,
) -> Result<(Evaluation, Vec<u16>), ExecutionError> {
    let mut predicted = Vec::with_capacity(feed.indices.len());
    let keep = |_, predictions: &[u16]| {
        predicted.extend_from_slice(predictions);
        Ok(())
    };
    let evaluation = pass((network, forward), feed, classes, device, views, keep)?;
    Ok((evaluation, predicted))
}

fn pass<N: Module + Sync>(
    (network, forward): (&N, Forward<N>),
    feed: &Feed,
    classes: usize,
    device: &Device,
    views: Views,
    mut keep: impl FnMut(Tensor<2>, &[u16]) -> Result<(), ExecutionError>,
) -> Result<Evaluation, ExecutionError> {
    let mut confusion = vec![vec![0; classes]; classes];
    let mut loss = 0.0;
    for batch in feed.epoch(0, 0) {
        let labels = batch.labels.clone();
        let batch = feed.on_device(batch, device);
        let logits = work_on(device, || {
            views.mean(batch.images, |view| forward(network, view))
        });
        let logits = class_scores(logits, classes);
        let losses = cross_entropy(logits.clone(), batch.targets).try_into_data()?;
        loss += losses.iter::<f64>().sum::<f64>();
        let predictions = logits.clone().argmax(1).try_into_data()?;
        let predictions: Vec<_> = predictions
            .iter::<i64>()
            .map(|class| class as u16)
            .collect();
        for (label, prediction) in labels.into_iter().zip(&predictions) {
            confusion[usize::from(label)][usize::from(*prediction)] += 1;
        }
        keep(logits, &predictions)?;
    }
    Ok(Evaluation::counted(loss, confusion))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_counted_and_their_logarithms_averaged() {
        let probabilities = [0.7, 0.2, 0.1, 0.4, 0.4, 0.2, 0.25, 0.25, 0.5];
        let found = Evaluation::of_probabilities(&probabilities, &[0, 1, 2], 3);
        assert_eq!((found.count, found.accuracy), (3, 2.0 / 3.0));
        assert_eq!(found.confusion, [[1, 0, 0], [1, 0, 0], [0, 0, 1]]);
        let loss = -(0.7_f64.ln() + 0.4_f64.ln() + 0.5_f64.ln()) / 3.0;
        assert!((found.loss - loss).abs() < 1e-12);
    }
}
