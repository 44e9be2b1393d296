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
    BatchOrder, Batches, Epoch, EpochKey, HostBatch, Images, Mixing, Normalization, Pipeline,
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
    pub augment: Option<Pipeline>,
    /// How the images of a batch are mixed with each other.
    pub mixing: Option<Mixing>,
    /// Standard deviation of Gaussian noise in the input, in units of the
    /// normalised values.
    pub noise: Option<f32>,
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
    /// Where the images were mixed with others: the others' classes `[batch]`
    /// and the weight of `targets`, from 0 to 1, of which the rest is theirs.
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

    /// The same images in their order and unchanged, `batch_size` at a time, as
    /// an evaluation wants them.
    pub fn unchanged(&self, batch_size: usize) -> Self {
        Self {
            order: BatchOrder {
                batch_size,
                shuffle: None,
                drop_last: false,
            },
            augment: None,
            mixing: None,
            noise: None,
            ..self.clone()
        }
    }

    /// The batches of epoch `epoch` on the host, from batch number `first` on.
    pub fn epoch(&self, epoch: u64, first: usize) -> Batches {
        let seed = self.order.shuffle.unwrap_or_default();
        let plan = Epoch {
            images: self.images.clone(),
            normalization: self.normalization.clone(),
            indices: self.order.indices(&self.indices, epoch),
            batch_size: self.order.batch_size,
            key: EpochKey { seed, epoch },
            augment: self.augment.clone(),
            mixing: self.mixing,
            noise: self.noise,
        };
        Batches::start(plan, first, self.workers)
    }

    /// The batch as tensors.
    pub fn on_device(&self, batch: HostBatch, device: &Device) -> Batch {
        let spec = self.images.spec();
        let count = batch.labels.len();
        let shape = [count, spec.channels, spec.height, spec.width];
        let classes = |labels: Vec<u16>| {
            let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
            Tensor::from_data(TensorData::new(labels, [count]), device)
        };
        let mixed = batch.mixed;
        Batch {
            images: Tensor::from_data(TensorData::new(batch.values, shape), device),
            targets: classes(batch.labels),
            mixed: mixed.map(|mixed| (classes(mixed.labels), mixed.share.into())),
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
    use kiln_vision::{Augmentation, ImageSpec, Look, Preprocessing};
    use std::time::Instant;

    #[test]
    fn a_mixed_batch_keeps_both_classes_and_the_share_on_the_device() {
        let images = Images::new(ImageSpec::MNIST, vec![9; 4 * 784], vec![0, 1, 2, 3], 4);
        let mut feed = feed(images.expect("images"), None);
        feed.mixing = Mixing::new(0.0, 1.0).expect("valid");
        let host = feed.epoch(1, 0).next().expect("a batch");
        let mixed = host.mixed.clone().expect("mixed");
        let batch = feed.on_device(host, &Device::flex());
        let (others, share) = batch.mixed.expect("mixed");
        let others: Vec<i64> = others.into_data().iter::<i64>().collect();
        assert_eq!(
            others,
            mixed
                .labels
                .iter()
                .map(|l| i64::from(*l))
                .collect::<Vec<_>>()
        );
        assert_eq!(share, f64::from(mixed.share));
        let plain = feed.unchanged(4).epoch(1, 0).next().expect("a batch");
        assert_eq!((plain.mixed, plain.labels), (None, vec![0, 1, 2, 3]));
    }

    fn feed(images: Images, augment: Option<Pipeline>) -> Feed {
        let indices: Vec<_> = (0..images.len() as u32).collect();
        Feed {
            normalization: Normalization::fit(Preprocessing::ChannelMeanStd, &images, &indices),
            images: Arc::new(images),
            indices,
            order: BatchOrder {
                batch_size: 128,
                shuffle: Some(1),
                drop_last: false,
            },
            augment,
            mixing: None,
            noise: None,
            workers: 1,
        }
    }

    #[test]
    #[ignore = "measures: images/s of the loader alone, with --nocapture"]
    #[allow(clippy::print_stdout)]
    fn the_loader_alone() {
        let images = |spec: ImageSpec| {
            let count = 20_000;
            let pixels = (0..count * spec.len()).map(|at| (at * 31 % 251) as u8);
            Images::new(spec, pixels.collect(), vec![0; count], 1).expect("images")
        };
        for (look, spec, text, least) in [
            (Look::Digits, ImageSpec::MNIST, "none", 150_000.0),
            (Look::Photos, ImageSpec::CIFAR, "none", 100_000.0),
            (Look::Digits, ImageSpec::MNIST, "basic", 80_000.0),
            (Look::Digits, ImageSpec::MNIST, "strong", 15_000.0),
            (Look::Photos, ImageSpec::CIFAR, "basic", 80_000.0),
            (Look::Photos, ImageSpec::CIFAR, "strong", 15_000.0),
        ] {
            let augment: Augmentation = text.parse().expect(text);
            let plain = feed(images(spec), augment.pipeline(look, spec).expect("allowed"));
            let both = Mixing::new(0.2, 1.0).expect("valid");
            let mut mixed = plain.clone();
            mixed.mixing = both;
            let mut noisy = plain.clone();
            noisy.noise = Some(0.1);
            for (what, feed) in [("", plain), (" with mixing", mixed), (" with noise", noisy)] {
                let noise = feed.noise.is_some();
                let loader = Loader::new(feed, Device::flex().autodiff(), (0, 0));
                let speed = |_| {
                    let start = Instant::now();
                    let seen: usize = loader.iter().flatten().map(|b| b.images.dims()[0]).sum();
                    seen as f64 / start.elapsed().as_secs_f64()
                };
                let speed = (0..5).map(speed).fold(0.0, f64::max);
                println!("{spec} {text}{what}: {speed:.0} images/s");
                assert!(noise || speed > least);
            }
        }
    }
}
