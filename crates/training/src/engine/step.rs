//! Training steps one by one, for whoever measures them: the step that the
//! training loop takes, without loader, metrics and checkpoints.

use super::learning::Learning;
use crate::{
    Batch, Forward, OptimizerSettings, UnknownName,
    classifier::{Trainable, Trainee},
};
use burn::{
    tensor::{Device, ExecutionError},
    train::ClassificationOutput,
};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// A network on its way through training. It moves from step to step, so that
/// nothing but the optimizer holds its weights.
pub struct Stepper<N: Trainable>(Learning<N>);

/// What a step gives beside new weights.
pub struct StepOutput {
    /// When it began, and when forward, backward and optimizer ended. On a GPU
    /// they only enqueue work.
    pub times: [Instant; 4],
    output: ClassificationOutput,
}

impl<N: Trainable> Stepper<N> {
    /// Puts `network` on `device`, in its training form.
    ///
    /// # Errors
    /// When there is no optimizer of that name.
    pub fn new(
        network: (N, Forward<N>),
        optimizer: &OptimizerSettings,
        device: &Device,
    ) -> Result<Self, UnknownName> {
        Ok(Self(Learning {
            trainee: Trainee::new(network.0.fork(device).train(), network.1),
            optimizer: optimizer.build()?,
            scheduler: optimizer.lr.into(),
            lr: optimizer.lr.into(),
        }))
    }

    /// Forward, mean cross entropy, backward and new weights. The batch must
    /// be on the device's autodiff form.
    pub fn step(self, batch: Batch) -> (Self, StepOutput) {
        let clock = self.0.trainee.clock.clone();
        let backward = || Duration::from_nanos(clock.backward.load(Ordering::Relaxed));
        let (begin, before) = (Instant::now(), backward());
        let (learning, output, passed) = self.0.step(batch);
        let forward = passed.checked_sub(backward() - before).unwrap_or(begin);
        let times = [begin, forward, passed, Instant::now()];
        (Self(learning), StepOutput { times, output })
    }
}

impl StepOutput {
    /// The mean loss in nats and the number of images that were classified
    /// rightly, both before the step: what a training shows.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub fn metrics(self) -> Result<(f64, usize), ExecutionError> {
        let ClassificationOutput {
            loss,
            output,
            targets,
        } = self.output;
        let losses = loss.try_into_data()?;
        let mean = losses.iter::<f64>().sum::<f64>() / losses.num_elements() as f64;
        let targets = targets.try_into_data()?;
        let guesses = output.argmax(1).try_into_data()?;
        let pairs = guesses.iter::<i64>().zip(targets.iter::<i64>());
        Ok((
            mean,
            pairs.filter(|(guess, target)| guess == target).count(),
        ))
    }
}
