//! Images to measure with: random ones that are the same each time, and the
//! built-in digits.

use super::SEED;
use crate::LabError;
use burn::tensor::{Device, Distribution, Tensor};
use kiln_catalog::FolderOptions;
use kiln_models::Task;
use kiln_store::Store;
use kiln_training::{Batch, Feed};
use kiln_vision::{BatchOrder, HostBatch, Images, Normalization, Part, Preprocessing};
use std::sync::Arc;

/// Threads that prepare batches, as many as a training has.
const WORKERS: usize = 1;

/// A loader of batches of random images.
pub(super) fn random_feed(
    task: &Task,
    batch_size: usize,
    batches: usize,
) -> Result<Feed, LabError> {
    let count = batch_size * batches;
    let numbers = |count: usize, below: usize| {
        let host = kiln_backend::host();
        let _only_here = kiln_backend::seed(&host, SEED);
        let range = Distribution::Uniform(0.0, below as f64);
        let numbers = Tensor::<1>::random([count], range, &host).try_into_data();
        let numbers = numbers.map_err(LabError::run)?;
        let whole = numbers
            .iter::<f64>()
            .map(|number| (number as usize).min(below - 1) as u16);
        Ok::<_, LabError>(whole.collect::<Vec<_>>())
    };
    let pixels = numbers(count * task.input.len(), 256)?;
    let labels = numbers(count, task.classes)?;
    let pixels = pixels.into_iter().map(|pixel| pixel as u8).collect();
    let images = Images::new(task.input, pixels, labels, task.classes).map_err(LabError::run)?;
    feed(images, batch_size)
}

/// A loader of the built-in digits.
pub(super) fn digits(batch_size: usize) -> Result<Feed, LabError> {
    let store = Store::locate(None, true)?;
    let choice = kiln_catalog::find("digits")?;
    let folder = FolderOptions {
        input: None,
        seed: SEED,
    };
    let loaded = kiln_catalog::load(&choice, Part::Training, &store, &folder)?;
    feed(loaded.images, batch_size)
}

fn feed(images: Images, batch_size: usize) -> Result<Feed, LabError> {
    if images.len() < batch_size {
        return Err(LabError::usage(format!(
            "--batch-size is {batch_size}, but there are {} images; take fewer at a time",
            images.len()
        )));
    }
    let indices: Vec<u32> = (0..images.len() as u32).collect();
    Ok(Feed {
        normalization: Normalization::fit(Preprocessing::ChannelMeanStd, &images, &indices),
        images: Arc::new(images),
        indices,
        order: BatchOrder {
            batch_size,
            shuffle: Some(SEED),
            drop_last: true,
        },
        augment: None,
        mixing: None,
        noise: None,
        workers: WORKERS,
    })
}

/// Epoch after epoch.
pub(super) fn endless(feed: &Feed) -> impl Iterator<Item = HostBatch> {
    (1..).flat_map(|epoch| feed.epoch(epoch, 0))
}

/// One batch of random images on the device.
pub(super) fn random_batch(
    task: &Task,
    batch_size: usize,
    device: &Device,
) -> Result<Batch, LabError> {
    let feed = random_feed(task, batch_size, 1)?;
    let batch = feed.epoch(1, 0).next();
    let batch = batch.ok_or_else(|| LabError::run("the loader gave no batch"))?;
    Ok(feed.on_device(batch, device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_images_are_the_same_each_time() {
        let task = kiln_models::Form::Mnist.task();
        let device = kiln_backend::host();
        let batch = || random_batch(&task, 30, &device).expect("a batch");
        let (one, two) = (batch(), batch());
        assert_eq!(one.images.dims(), [30, 1, 28, 28]);
        assert_eq!(one.images.to_data(), two.images.to_data());
        assert_eq!(one.targets.to_data(), two.targets.to_data());
        let labels: Vec<i64> = one.targets.to_data().iter::<i64>().collect();
        assert!(labels.iter().all(|label| (0..10).contains(label)));
        assert!(labels.iter().any(|label| *label != labels[0]));
    }

    #[test]
    fn digits_come_without_end_and_batches_cannot_exceed_them() {
        let feed = digits(5_000).expect("a feed");
        assert_eq!(feed.batches(), 2);
        let batches: Vec<_> = endless(&feed).take(5).collect();
        assert!(batches.iter().all(|batch| batch.labels.len() == 5_000));
        assert_ne!(batches[0].labels, batches[2].labels);
        let error = digits(1_000_000).err().expect("refused");
        assert!(error.to_string().contains("--batch-size is 1000000"));
    }
}
