//! Images on their way to the device: the deterministic loader as burn-train's
//! `DataLoader`.

use burn::{
    data::{
        dataloader::{DataLoader, DataLoaderIterator, Progress},
        dataset::DatasetError,
    },
    tensor::{Device, Int, Tensor, TensorData},
};
use kiln_vision::{
    Augment, BatchOrder, Batches, Epoch, EpochKey, HostBatch, Images, Normalization,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// The images of one split, how they are normalised, ordered and prepared.
#[derive(Clone)]
pub struct Feed {
    /// The images, of which `indices` are used.
    pub images: Arc<Images>,
    /// From bytes to numbers.
    pub normalization: Normalization,
    /// The images of this split.
    pub indices: Vec<u32>,
    /// Batch size and order.
    pub order: BatchOrder,
    /// What is done to each image before it is shown.
    pub augment: Option<Augment>,
    /// Threads that prepare batches ahead; without influence on what comes out.
    pub workers: usize,
}

/// A batch on the device.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[batch, channels, height, width]`
    pub images: Tensor<4>,
    /// `[batch]`
    pub targets: Tensor<1, Int>,
    /// The classes that images were mixed with, `[batch]`, and the share of
    /// their own.
    pub mixed: Option<(Tensor<1, Int>, f64)>,
}

impl Feed {
    /// Batches in an epoch.
    pub fn batches(&self) -> usize {
        self.order.batches(self.indices.len())
    }

    /// Images in an epoch.
    pub fn images_per_epoch(&self) -> usize {
        match self.order.drop_last {
            true => self.batches() * self.order.batch_size,
            false => self.indices.len(),
        }
    }

    /// The batches of epoch `epoch` on the host, from batch number `first` on.
    pub fn epoch(&self, epoch: u64, first: usize) -> Batches {
        let seed = self.order.shuffle.unwrap_or_default();
        let augment = self.augment.clone();
        let plan = Epoch {
            images: self.images.clone(),
            normalization: self.normalization.clone(),
            indices: self.order.indices(&self.indices, epoch),
            batch_size: self.order.batch_size,
            augment: augment.map(|augment| (augment, EpochKey { seed, epoch })),
        };
        let mut batches = Batches::start(plan, self.workers);
        for _ in 0..first {
            batches.next();
        }
        batches
    }

    /// The batch as tensors.
    pub fn on_device(&self, batch: HostBatch, device: &Device) -> Batch {
        let spec = self.images.spec();
        let count = batch.labels.len();
        let shape = [count, spec.channels, spec.height, spec.width];
        let targets: Vec<i64> = batch.labels.into_iter().map(i64::from).collect();
        Batch {
            images: Tensor::from_data(TensorData::new(batch.values, shape), device),
            targets: Tensor::from_data(TensorData::new(targets, [count]), device),
            mixed: None,
        }
    }
}

/// A feed for burn-train: each call of `iter` is the next epoch.
pub(crate) struct Loader {
    feed: Feed,
    device: Device,
    epoch: AtomicU64,
    /// Batches of the first epoch that are left out.
    first: AtomicUsize,
}

impl Loader {
    /// A loader of the epochs after `done` epochs and `batches` batches of the
    /// next one.
    pub fn new(feed: Feed, device: Device, (done, batches): (usize, usize)) -> Self {
        Self {
            feed,
            device,
            epoch: AtomicU64::new(done as u64 + 1),
            first: AtomicUsize::new(batches),
        }
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let first = self.first.swap(0, Ordering::Relaxed);
        Box::new(Running {
            loader: self,
            batches: self.feed.epoch(epoch, first),
            processed: first * self.feed.order.batch_size,
        })
    }

    fn num_items(&self) -> usize {
        self.feed.images_per_epoch()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            feed: self.feed.clone(),
            device: device.clone(),
            epoch: AtomicU64::new(self.epoch.load(Ordering::Relaxed)),
            first: AtomicUsize::new(self.first.load(Ordering::Relaxed)),
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let mut feed = self.feed.clone();
        feed.indices = feed.indices[start..end].to_vec();
        Arc::new(Self::new(feed, self.device.clone(), (0, 0)))
    }
}

struct Running<'a> {
    loader: &'a Loader,
    batches: Batches,
    processed: usize,
}

impl Iterator for Running<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        self.processed += batch.labels.len();
        Some(Ok(self.loader.feed.on_device(batch, &self.loader.device)))
    }
}

impl DataLoaderIterator<Batch> for Running<'_> {
    fn progress(&self) -> Progress {
        Progress::new(
            self.processed,
            self.batches.images(),
            Some("images".to_owned()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_vision::{ImageSpec, Preprocessing};
    use std::time::Instant;

    #[test]
    #[ignore = "measures: images/s of the loader alone, with --nocapture"]
    #[allow(clippy::print_stdout)]
    fn the_loader_alone() {
        for (name, spec, least) in [
            ("MNIST", ImageSpec::MNIST, 150_000.0),
            ("CIFAR-10", ImageSpec::CIFAR, 100_000.0),
        ] {
            let count = 20_000;
            let pixels = (0..count * spec.len()).map(|at| (at * 31 % 251) as u8);
            let images = Images::new(spec, pixels.collect(), vec![0; count], 1).expect("images");
            let indices: Vec<_> = (0..count as u32).collect();
            let normalization =
                Normalization::fit(Preprocessing::ChannelMeanStd, &images, &indices);
            let order = BatchOrder {
                batch_size: 128,
                shuffle: Some(1),
                drop_last: false,
            };
            let feed = Feed {
                images: Arc::new(images),
                normalization,
                indices,
                order,
                augment: None,
                workers: 1,
            };
            let loader = Loader::new(feed, Device::flex().autodiff(), (0, 0));
            let speed = |_| {
                let start = Instant::now();
                let seen: usize = loader.iter().flatten().map(|b| b.images.dims()[0]).sum();
                seen as f64 / start.elapsed().as_secs_f64()
            };
            let speed = (0..5).map(speed).fold(0.0, f64::max);
            println!("{name}: {speed:.0} images/s");
            assert!(speed > least);
        }
    }
}
