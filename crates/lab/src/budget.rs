//! As many epochs as fit into a time: measured on the machine beforehand, so
//! that the schedule runs its whole course.

use crate::{
    LabError, Settings,
    data::{TrainingData, training_data},
    duration::shown_seconds,
    network::initial_network,
};
use burn::tensor::Device;
use kiln_models::Network;
use kiln_store::Store;
use kiln_training::{Feed, Stepper, Views, evaluate};
use std::time::{Duration, Instant};

/// Steps before the measured ones, in which buffers are made and, on a GPU,
/// kernels compiled.
const WARMUP: usize = 3;
/// Steps that are measured at least, unless they take [`SHARE`] of the time.
const STEPS: usize = 20;
/// Seconds that they take at least, likewise.
const SECONDS: f64 = 2.0;
/// Batches that are validated.
const VALIDATION: usize = 5;
/// The share of the time that measuring may take before it stops early.
const SHARE: f64 = 0.1;
/// The share of the time that is filled: metrics that are counted beside the
/// steps, checkpoints, and a machine that is not always as fast take the rest.
const FILLED: f64 = 0.8;

/// What was measured, and what follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Epochs that fit.
    pub epochs: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Mean seconds of a step, with the wait for its batch.
    pub step_seconds: f64,
    /// Seconds of a validation pass.
    pub validation_seconds: f64,
}

impl Budget {
    /// Seconds of an epoch.
    pub fn epoch_seconds(&self) -> f64 {
        self.steps as f64 * self.step_seconds + self.validation_seconds
    }
}

/// Measures training steps and validation batches of `settings` and gives the
/// epochs that fit into `time`: after 3 steps for warming up, at least 20 steps
/// and 2 seconds, or a tenth of the time, and 5 validation batches. Of what is
/// left of the time after that, four fifths are filled with epochs.
///
/// # Errors
/// When not one epoch fits, and for whatever a training would fail with before
/// its first step.
pub fn fit_epochs(settings: &Settings, time: Duration, store: &Store) -> Result<Budget, LabError> {
    let start = Instant::now();
    let mut budget = training_speed(settings, time.mul_f64(SHARE), store)?;
    let left = time.saturating_sub(start.elapsed()).as_secs_f64();
    budget.epochs = epochs(left, budget.epoch_seconds());
    match budget.epochs {
        0 => Err(too_short(&budget, left, time)),
        _ => Ok(budget),
    }
}

/// Measures training steps and validation batches of `settings`, for `most` at
/// the longest; the epochs stay 0.
///
/// # Errors
/// For whatever a training would fail with before its first step.
pub fn training_speed(
    settings: &Settings,
    most: Duration,
    store: &Store,
) -> Result<Budget, LabError> {
    let device = kiln_backend::open(&settings.device.backend.parse()?)?;
    let data = training_data(settings, store)?;
    let task = data.task(settings);
    let network = initial_network(&settings.model, &task, settings.train.seed)?;
    let (network, _) = settings.transfer.load(network)?;
    let (network, _) = settings.transfer.freeze(network)?;
    let steps = data.train.batches();
    if steps == 0 {
        return Err(kiln_training::FitError::NoBatch {
            images: data.train.indices.len(),
            batch_size: settings.train.batch_size,
        }
        .into());
    }
    let measured = Instant::now();
    let validation_seconds = validation(&network, &data, &device)?;
    let step_seconds = step(network, settings, &data.train, &device, measured + most)?;
    Ok(Budget {
        epochs: 0,
        steps,
        step_seconds,
        validation_seconds,
    })
}

fn epochs(left: f64, epoch: f64) -> usize {
    (FILLED * left / epoch) as usize
}

fn too_short(budget: &Budget, left: f64, time: Duration) -> LabError {
    let epoch = budget.epoch_seconds();
    let fits = FILLED * left / epoch;
    let fewer = match fits > 0.01 {
        true => format!("--limit-train {:.2}", (fits * 100.0).floor() / 100.0),
        false => "--limit-train".to_owned(),
    };
    LabError::usage(format!(
        "one epoch takes about {}, which does not fit into --max-time {}; give more time, or train on fewer images with {fewer}",
        shown_seconds(epoch),
        shown_seconds(time.as_secs_f64())
    ))
}

/// Mean seconds of a step.
fn step(
    network: Network,
    settings: &Settings,
    feed: &Feed,
    device: &Device,
    deadline: Instant,
) -> Result<f64, LabError> {
    let mut stepper = Stepper::new((network, Network::forward), &settings.optimizer, device)?;
    let training = device.clone().autodiff();
    let (mut first, mut seconds, mut steps) = (0.0, 0.0, 0);
    let batches = (1..).flat_map(|epoch| feed.epoch(epoch, 0));
    let mut asked = Instant::now();
    for (number, batch) in batches.enumerate() {
        let (next, output) = stepper.step(feed.on_device(batch, &training));
        stepper = next;
        // A training reads them of every step, too.
        output.metrics().map_err(LabError::run)?;
        device.sync().map_err(LabError::run)?;
        let took = asked.elapsed().as_secs_f64();
        asked = Instant::now();
        if number < WARMUP {
            first = took;
        } else {
            (seconds, steps) = (seconds + took, steps + 1);
        }
        let enough = steps >= STEPS && seconds >= SECONDS;
        if enough || asked >= deadline || seconds >= 10.0 * SECONDS {
            break;
        }
    }
    Ok(match steps {
        // The time was so short that warming up is all there is.
        0 => first,
        steps => seconds / steps as f64,
    })
}

/// Seconds of a pass over the validation images, from a few batches of them.
fn validation(network: &Network, data: &TrainingData, device: &Device) -> Result<f64, LabError> {
    let all = data.valid.indices.len();
    if all == 0 {
        return Ok(0.0);
    }
    let mut feed = data.valid.clone();
    let mut seconds = 0.0;
    // Once to warm up.
    for batches in [1, VALIDATION] {
        feed.indices = data.valid.indices.clone();
        feed.indices.truncate(batches * feed.order.batch_size);
        let start = Instant::now();
        let network = burn::module::Module::fork(network.clone(), device);
        evaluate(
            &network,
            Network::forward,
            &feed,
            data.classes.len(),
            device,
            Views::default(),
        )
        .map_err(LabError::run)?;
        seconds = start.elapsed().as_secs_f64();
    }
    Ok(seconds * all as f64 / feed.indices.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_fifths_of_the_time_are_filled() {
        assert_eq!(epochs(100.0, 10.0), 8);
        assert_eq!(epochs(12.4, 10.0), 0);
        assert_eq!(epochs(12.6, 10.0), 1);
    }

    #[test]
    fn a_time_that_is_too_short_names_the_epoch_and_the_share_that_fits() {
        let budget = Budget {
            epochs: 0,
            steps: 100,
            step_seconds: 0.9,
            validation_seconds: 10.0,
        };
        let text = too_short(&budget, 50.0, Duration::from_secs(60)).to_string();
        for word in ["about 100 s", "--max-time 60 s", "--limit-train 0.40"] {
            assert!(text.contains(word), "{text}");
        }
    }
}
