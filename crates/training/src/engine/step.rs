//! Training steps one by one, for whoever measures them: the step that the
//! training loop takes, without loader, metrics and checkpoints.

use super::learning::Learning;
use crate::{
    Batch, Forward, OptimizerSettings, UnknownName,
    classifier::{Loss, Trainable, Trainee},
    random::step_seed,
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
    /// None where loss or gradients were infinite or NaN and nothing moved.
    output: Option<ClassificationOutput>,
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
        let trainee = Trainee::new(network.0.fork(device).train(), network.1, Loss::plain());
        let lr = optimizer.lr;
        Ok(Self(Learning::new(
            trainee,
            optimizer.build()?,
            lr.into(),
            lr,
        )))
    }

    /// The same with the learning rate `lr` from the next step on.
    pub fn with_lr(mut self, lr: f64) -> Self {
        self.0.scheduler = lr.into();
        self
    }

    /// Forward, mean cross entropy, backward and new weights. The batch must
    /// be on the device's autodiff form.
    pub fn step(self, batch: Batch) -> (Self, StepOutput) {
        let clock = self.0.trainee.clock.clone();
        let backward = || Duration::from_nanos(clock.backward.load(Ordering::Relaxed));
        let (begin, before) = (Instant::now(), backward());
        let seed = step_seed(0, self.0.steps);
        let (learning, stepped) = self.0.step(std::iter::once(batch), seed);
        let (passed, output) = match stepped {
            Ok(mut stepped) => (stepped.passed, stepped.outputs.pop()),
            Err(_) => (Instant::now(), None),
        };
        let forward = passed.checked_sub(backward() - before).unwrap_or(begin);
        let times = [begin, forward, passed, Instant::now()];
        let output = output.map(|output| output.classes);
        (Self(learning), StepOutput { times, output })
    }
}

impl StepOutput {
    /// The mean loss in nats and the number of images that were classified
    /// rightly, both before the step: what a training shows. The loss of a step
    /// that diverged is NaN.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub fn metrics(self) -> Result<(f64, usize), ExecutionError> {
        let Some(ClassificationOutput {
            loss,
            output,
            targets,
        }) = self.output
        else {
            return Ok((f64::NAN, 0));
        };
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
