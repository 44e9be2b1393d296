//! Batches in an order that the seed and the epoch decide, prepared ahead by
//! any number of threads without any influence on what comes out.

use crate::{
    ImageKey, Images, Mixed, Mixing, Normalization, Pipeline, Scratch,
    draw::{Draw, Purpose},
    noise,
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
    /// What the images were mixed with, if they were.
    pub mixed: Option<Mixed>,
}

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
    /// What the randomness of the following depends on, beside an image's
    /// index or a batch's number: never the place in the order or the thread.
    pub key: EpochKey,
    /// What is done to each image.
    pub augment: Option<Pipeline>,
    /// How the images of a batch are mixed with each other.
    pub mixing: Option<Mixing>,
    /// Standard deviation of the Gaussian noise that is added last, in units of
    /// the normalised values.
    pub noise: Option<f32>,
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
    first: usize,
    scratch: Scratch,
    workers: Vec<Receiver<HostBatch>>,
}

impl Batches {
    /// Starts an epoch with its batch number `first`, from 0, with `workers`
    /// threads that prepare batches ahead; with none a batch is made when it is
    /// asked for. The batches before `first` are not prepared.
    pub fn start(epoch: Epoch, first: usize, workers: usize) -> Self {
        let source = Arc::new(epoch);
        let workers = (0..workers)
            .map(|worker| {
                let (sender, receiver) = sync_channel(AHEAD);
                let source = source.clone();
                thread::spawn(move || {
                    // Thread w makes the batches w, w + n, w + 2n ... after the
                    // first: the reader takes from the threads in turn.
                    let mine = (first + worker..source.len()).step_by(workers);
                    let mut scratch = Scratch::default();
                    for batch in mine.map(|at| source.batch(at, &mut scratch)) {
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
            next: first,
            first,
            scratch: Scratch::default(),
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

    fn batch(&self, at: usize, scratch: &mut Scratch) -> HostBatch {
        let from = at * self.batch_size;
        let indices = &self.indices[from..self.indices.len().min(from + self.batch_size)];
        let spec = self.images.spec();
        let key = |index| ImageKey {
            epoch: self.key,
            index,
        };
        let mut values = Vec::with_capacity(indices.len() * spec.len());
        let mut changed = Vec::new();
        for &index in indices {
            let mut pixels = self.images.pixels(index as usize);
            if let Some(pipeline) = &self.augment {
                changed.clear();
                changed.extend_from_slice(pixels);
                pipeline.apply(&mut changed, spec, key(index), scratch);
                pixels = &changed;
            }
            self.normalization.append(pixels, &mut values);
        }
        let labels = indices.iter().map(|&i| self.images.label(i as usize));
        let labels: Vec<u16> = labels.collect();
        let mix = |mixing: &Mixing| mixing.mix(&mut values, &labels, spec, (self.key, at));
        let mixed = self.mixing.as_ref().map(mix);
        if let Some(deviation) = self.noise {
            for (&index, values) in indices.iter().zip(values.chunks_mut(spec.len())) {
                noise::add(values, deviation, key(index));
            }
        }
        HostBatch {
            values,
            labels,
            mixed,
        }
    }
}

impl Iterator for Batches {
    type Item = HostBatch;

    fn next(&mut self) -> Option<HostBatch> {
        if self.next >= self.source.len() {
            return None;
        }
        let at = self.next;
        self.next += 1;
        let prepared = match self.workers.len() {
            0 => None,
            // A thread that died leaves its batches to the reader.
            count => self.workers[(at - self.first) % count].recv().ok(),
        };
        Some(prepared.unwrap_or_else(|| self.source.batch(at, &mut self.scratch)))
    }
}

#[cfg(test)]
mod tests;
