//! The one wrapper that makes any network trainable: cross entropy over its
//! logits, as burn-train's training and inference step.

use crate::{
    Regularization,
    engine::Output,
    feed::Batch,
    regularization::{class_scores, parity_losses, smoothed},
};
use burn::{
    module::{Module, ModuleDisplay},
    tensor::{Int, Tensor},
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
pub trait Trainable: Module + ModuleDisplay + Sync + 'static {}

impl<N: Module + ModuleDisplay + Sync + 'static> Trainable for N {}

/// A network with its loss.
#[derive(Module, Debug)]
pub(crate) struct Classifier<N: Module, F: Clone + Debug + Send + Sync> {
    pub network: N,
    // A `Forward<N>`; Burn's derive refuses a skipped field that names `N`.
    #[module(skip)]
    forward: F,
    #[module(skip)]
    loss: Loss,
    #[module(skip)]
    pub clock: Arc<StepClock>,
}

/// What is learned from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    classes: usize,
    smoothing: f64,
    parity: f64,
}

impl Loss {
    /// The mean cross entropy, as `regularization` changes it.
    pub fn new(classes: usize, regularization: &Regularization) -> Self {
        Self {
            classes,
            smoothing: regularization.label_smoothing,
            parity: regularization.parity,
        }
    }

    /// The mean cross entropy over all outputs.
    pub fn plain() -> Self {
        Self::new(usize::MAX, &Regularization::default())
    }
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
    pub fn new(network: N, forward: Forward<N>, loss: Loss) -> Self {
        Self {
            network,
            forward,
            loss,
            clock: Arc::default(),
        }
    }

    /// Another network in place of this one.
    pub fn with(&self, network: N) -> Self {
        Self {
            network,
            ..self.clone()
        }
    }

    /// What is learned from: loss of each image against its target, which may
    /// be smoothed or mixed of two.
    fn training_losses(&self, batch: Batch) -> ClassificationOutput {
        let Loss {
            classes,
            smoothing,
            parity,
        } = self.loss;
        let outputs = (self.forward)(&self.network, batch.images);
        let logits = class_scores(outputs.clone(), classes);
        let loss = |targets: Tensor<1, Int>| {
            let losses = cross_entropy(logits.clone(), targets.clone());
            let losses = smoothed(losses, logits.clone(), smoothing);
            match parity > 0.0 {
                true => losses + parity_losses(outputs.clone(), targets, classes) * parity,
                false => losses,
            }
        };
        let own = loss(batch.targets.clone());
        ClassificationOutput {
            loss: match batch.mixed {
                Some((others, share)) => own * share + loss(others) * (1.0 - share),
                None => own,
            },
            output: logits,
            targets: batch.targets,
        }
    }

    /// What is validated: loss of each image against its class.
    fn losses(&self, batch: Batch) -> ClassificationOutput {
        let outputs = (self.forward)(&self.network, batch.images);
        let logits = class_scores(outputs, self.loss.classes);
        ClassificationOutput {
            loss: cross_entropy(logits.clone(), batch.targets.clone()),
            output: logits,
            targets: batch.targets,
        }
    }
}

impl<N: Trainable> TrainStep for Trainee<N> {
    type Input = Batch;
    type Output = Output;

    fn step(&self, batch: Batch) -> TrainOutput<Output> {
        let start = Instant::now();
        let output = self.training_losses(batch);
        let loss = output.loss.clone().mean();
        let forward = Instant::now();
        let gradients = loss.backward();
        let backward = Instant::now();
        let add = |clock: &AtomicU64, from: Instant, to: Instant| {
            clock.fetch_add((to - from).as_nanos() as u64, Ordering::Relaxed);
        };
        add(&self.clock.forward, start, forward);
        add(&self.clock.backward, forward, backward);
        TrainOutput::new(self, gradients, output.into())
    }
}

impl<N: Trainable> InferenceStep for Trainee<N> {
    type Input = Batch;
    type Output = Output;

    fn step(&self, batch: Batch) -> Output {
        self.losses(batch).into()
    }
}
