//! Batches in an order that the seed and the epoch decide, prepared ahead by
//! any number of threads without any influence on what comes out.

use crate::{
    ImageSpec, Images, Normalization,
    draw::{Draw, Purpose},
};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

/// Batches that each thread may have ready before they are asked for.
const AHEAD: usize = 2;

/// How the images of an epoch are put in order and cut into batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOrder {
    /// Images in a batch, at least 1.
    pub batch_size: usize,
    /// Seed of the order; `None` keeps the order of the data set.
    pub shuffle: Option<u64>,
    /// Whether a last batch that is not full is left out.
    pub drop_last: bool,
}

impl BatchOrder {
    /// Number of batches that `images` images make.
    pub fn batches(&self, images: usize) -> usize {
        match self.drop_last {
            true => images / self.batch_size,
            false => images.div_ceil(self.batch_size),
        }
    }

    /// The images of epoch `epoch` in their order: a function of the seed and
    /// the epoch alone.
    pub fn indices(&self, images: &[u32], epoch: u64) -> Vec<u32> {
        let mut indices = images.to_vec();
        if let Some(seed) = self.shuffle {
            Draw::keyed(seed, Purpose::Order, epoch, 0).shuffle(&mut indices);
        }
        if self.drop_last {
            indices.truncate(self.batches(images.len()) * self.batch_size);
        }
        indices
    }
}

/// A batch on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostBatch {
    /// Normalised values, `[batch, channels, height, width]`.
    pub values: Vec<f32>,
    /// Classes, `[batch]`.
    pub labels: Vec<u16>,
}

/// A random change of one image's bytes, which are in the order channel, row,
/// column. It may use no other randomness than the stream it is given.
pub type Augment = Arc<dyn Fn(&mut [u8], ImageSpec, &mut Draw) + Send + Sync>;

/// What an epoch shows, already in order.
pub struct Epoch {
    /// The images, of which `indices` are shown.
    pub images: Arc<Images>,
    /// From bytes to numbers.
    pub normalization: Normalization,
    /// The images in their order.
    pub indices: Vec<u32>,
    /// Images in a batch, at least 1.
    pub batch_size: usize,
    /// What is done to each image: a function of the seed, the epoch and the
    /// image's index, whatever its place in the order and the thread.
    pub augment: Option<(Augment, EpochKey)>,
}

/// What the randomness of an epoch depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochKey {
    /// Seed of the run.
    pub seed: u64,
    /// Number of the epoch.
    pub epoch: u64,
}

/// The batches of one epoch, in order.
pub struct Batches {
    source: Arc<Epoch>,
    next: usize,
    workers: Vec<Receiver<HostBatch>>,
}

impl Batches {
    /// Starts an epoch with `workers` threads that prepare batches ahead; with
    /// none a batch is made when it is asked for.
    pub fn start(epoch: Epoch, workers: usize) -> Self {
        let source = Arc::new(epoch);
        let workers = (0..workers)
            .map(|worker| {
                let (sender, receiver) = sync_channel(AHEAD);
                let source = source.clone();
                thread::spawn(move || {
                    // Thread w makes the batches w, w + n, w + 2n ...: the
                    // reader takes from the threads in turn.
                    let mine = (worker..source.len()).step_by(workers);
                    for batch in mine.map(|at| source.batch(at)) {
                        if sender.send(batch).is_err() {
                            return; // nobody reads any more
                        }
                    }
                });
                receiver
            })
            .collect();
        Self {
            source,
            next: 0,
            workers,
        }
    }

    /// Number of images in the epoch.
    pub fn images(&self) -> usize {
        self.source.indices.len()
    }
}

impl Epoch {
    fn len(&self) -> usize {
        self.indices.len().div_ceil(self.batch_size)
    }

    fn batch(&self, at: usize) -> HostBatch {
        let from = at * self.batch_size;
        let indices = &self.indices[from..self.indices.len().min(from + self.batch_size)];
        let mut values = Vec::with_capacity(indices.len() * self.images.spec().len());
        for &index in indices {
            let pixels = self.images.pixels(index as usize);
            match &self.augment {
                None => self.normalization.append(pixels, &mut values),
                Some((augment, key)) => {
                    let mut changed = pixels.to_vec();
                    let purpose = Purpose::Augmentation;
                    let mut draw = Draw::keyed(key.seed, purpose, key.epoch, index.into());
                    augment(&mut changed, self.images.spec(), &mut draw);
                    self.normalization.append(&changed, &mut values);
                }
            }
        }
        let labels = indices.iter().map(|&i| self.images.label(i as usize));
        HostBatch {
            labels: labels.collect(),
            values,
        }
    }
}

impl Iterator for Batches {
    type Item = HostBatch;

    fn next(&mut self) -> Option<HostBatch> {
        if self.next == self.source.len() {
            return None;
        }
        let at = self.next;
        self.next += 1;
        match self.workers.len() {
            0 => Some(self.source.batch(at)),
            // A thread that died leaves its batches to the reader.
            count => Some(
                self.workers[at % count]
                    .recv()
                    .unwrap_or_else(|_| self.source.batch(at)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preprocessing;

    fn images() -> Arc<Images> {
        let pixels = (0..100).collect();
        let labels = (0..25).map(|i| i % 5).collect();
        Arc::new(Images::new(ImageSpec::new(1, 2, 2), pixels, labels, 5).expect("valid"))
    }

    fn epoch(order: BatchOrder, epoch: u64, workers: usize) -> Vec<HostBatch> {
        let images = images();
        let all: Vec<u32> = (0..25).collect();
        let indices = order.indices(&all, epoch);
        Batches::start(plan(images, indices, order.batch_size), workers).collect()
    }

    fn plan(images: Arc<Images>, indices: Vec<u32>, batch_size: usize) -> Epoch {
        Epoch {
            normalization: Normalization::fit(Preprocessing::None, &images, &indices),
            images,
            indices,
            batch_size,
            augment: None,
        }
    }

    const ORDER: BatchOrder = BatchOrder {
        batch_size: 4,
        shuffle: Some(1),
        drop_last: false,
    };

    #[test]
    fn any_number_of_workers_gives_the_same_batches() {
        let alone = epoch(ORDER, 3, 0);
        assert_eq!(alone.len(), 7);
        for workers in [1, 2, 3, 16] {
            assert_eq!(epoch(ORDER, 3, workers), alone);
        }
    }

    #[test]
    fn seed_and_epoch_decide_the_order() {
        assert_eq!(epoch(ORDER, 1, 0), epoch(ORDER, 1, 0));
        assert_ne!(epoch(ORDER, 1, 0), epoch(ORDER, 2, 0));
        let other = BatchOrder {
            shuffle: Some(2),
            ..ORDER
        };
        assert_ne!(epoch(ORDER, 1, 0), epoch(other, 1, 0));
    }

    #[test]
    fn an_epoch_shows_every_image_once() {
        let mut labels: Vec<_> = epoch(ORDER, 1, 2)
            .into_iter()
            .flat_map(|b| b.values)
            .collect();
        labels.sort_by(f32::total_cmp);
        let expected: Vec<_> = (0..100).map(|byte| byte as f32 / 255.0).collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn the_last_batch_is_short_or_dropped() {
        assert_eq!(
            epoch(ORDER, 1, 1).last().map(|batch| batch.labels.len()),
            Some(1)
        );
        let dropping = BatchOrder {
            drop_last: true,
            ..ORDER
        };
        assert_eq!(epoch(dropping, 1, 1).len(), 6);
        assert_eq!(dropping.batches(25), 6);
    }

    #[test]
    fn leaving_an_epoch_early_ends_its_threads() {
        let images = images();
        let mut batches = Batches::start(plan(images.clone(), (0..25).collect(), 1), 2);
        assert!(batches.next().is_some());
        drop(batches);
        while Arc::strong_count(&images) > 1 {
            thread::yield_now();
        }
    }

    #[test]
    fn augmentation_depends_on_seed_epoch_and_image_alone() {
        let noise: Augment = Arc::new(|pixels, _, draw| {
            pixels
                .iter_mut()
                .for_each(|byte| *byte = draw.below(256) as u8);
        });
        let show = |indices: Vec<u32>, epoch, workers| {
            let mut plan = plan(images(), indices, 1);
            plan.augment = Some((noise.clone(), EpochKey { seed: 1, epoch }));
            Batches::start(plan, workers)
                .map(|batch| batch.values)
                .collect::<Vec<_>>()
        };
        let alone = show((0..25).collect(), 1, 0);
        assert_eq!(show((0..25).collect(), 1, 3), alone);
        assert_eq!(
            show(vec![24, 3], 1, 2),
            [alone[24].clone(), alone[3].clone()]
        );
        assert_ne!(show((0..25).collect(), 2, 0), alone);
    }
}
