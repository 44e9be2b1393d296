//! The one wrapper that makes any network trainable: cross entropy over its
//! logits, as burn-train's training and inference step.

use crate::feed::Batch;
use burn::{
    module::{Module, ModuleDisplay},
    tensor::Tensor,
    train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep},
};
use kiln_kernels::cross_entropy;
use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// How a network turns images `[batch, channels, height, width]` into logits
/// `[batch, classes]`.
pub type Forward<N> = fn(&N, Tensor<4>) -> Tensor<2>;

/// What a network must be to be trained: one of Burn's modules.
pub trait Trainable: Module + ModuleDisplay + 'static {}

impl<N: Module + ModuleDisplay + 'static> Trainable for N {}

/// A network with its loss.
#[derive(Module, Debug)]
pub(crate) struct Classifier<N: Module, F: Clone + Debug + Send + Sync> {
    pub network: N,
    // A `Forward<N>`; Burn's derive refuses a skipped field that names `N`.
    #[module(skip)]
    forward: F,
    #[module(skip)]
    pub clock: Arc<StepClock>,
}

/// Nanoseconds spent in the two passes.
#[derive(Debug, Default)]
pub(crate) struct StepClock {
    pub forward: AtomicU64,
    pub backward: AtomicU64,
}

/// The only kind of [`Classifier`] there is.
pub(crate) type Trainee<N> = Classifier<N, Forward<N>>;

impl<N: Trainable> Trainee<N> {
    pub fn new(network: N, forward: Forward<N>) -> Self {
        Self {
            network,
            forward,
            clock: Arc::default(),
        }
    }

    /// Loss of each image and the logits.
    fn losses(&self, batch: Batch) -> ClassificationOutput {
        let logits = (self.forward)(&self.network, batch.images);
        ClassificationOutput {
            loss: cross_entropy(logits.clone(), batch.targets.clone()),
            output: logits,
            targets: batch.targets,
        }
    }
}

impl<N: Trainable> TrainStep for Trainee<N> {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let start = Instant::now();
        let output = self.losses(batch);
        let loss = output.loss.clone().mean();
        let forward = Instant::now();
        let gradients = loss.backward();
        let backward = Instant::now();
        let add = |clock: &AtomicU64, from: Instant, to: Instant| {
            clock.fetch_add((to - from).as_nanos() as u64, Ordering::Relaxed);
        };
        add(&self.clock.forward, start, forward);
        add(&self.clock.backward, forward, backward);
        TrainOutput::new(self, gradients, output)
    }
}

impl<N: Trainable> InferenceStep for Trainee<N> {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.losses(batch)
    }
}
