//! How fast networks are: steps on fixed random images, timed one by one.

mod images;
mod profile;
mod timing;

pub use profile::{LayerProfile, PhaseProfile, Profile, TraceEvent, profile_training};
pub use timing::{Quartiles, Timing};

use crate::{
    LabError, ModelSettings,
    machine::{peak_memory_bytes, reset_peak_memory},
    network::initial_network,
};
use burn::{module::Module, tensor::Device};
use images::{digits, endless, random_batch};
use kiln_kernels::work_on;
use kiln_models::{Network, Task, summarize};
use kiln_training::{Forward, OptimizerSettings, Stepper, find_optimizer};
use serde::Serialize;
use std::fmt;
use timing::{at_least_one, matmul_peak};

/// Small, so that hundreds of steps on the same images stay finite.
const LEARNING_RATE: f64 = 1e-3;
/// Seed of first weights and images.
const SEED: u64 = 1;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BenchMode {
    /// Forward alone, in the inference form.
    Infer,
    /// A whole training step: forward, cross entropy, backward, SGD with
    /// momentum 0.9, new weights.
    Train,
}

impl BenchMode {
    /// Forward passes that a step is counted as: a backward costs two.
    fn forwards(self) -> f64 {
        match self {
            Self::Infer => 1.0,
            Self::Train => 3.0,
        }
    }
}

impl fmt::Display for BenchMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Infer => "infer",
            Self::Train => "train",
        })
    }
}

/// A network to be timed.
#[derive(Clone, Debug)]
pub struct BenchSubject {
    /// The network.
    pub model: ModelSettings,
    /// Its images and classes.
    pub task: Task,
    /// Images in a batch; none for [`usual_batch_size`].
    pub batch_size: Option<usize>,
}

impl BenchSubject {
    fn batch_size(&self) -> usize {
        self.batch_size
            .unwrap_or_else(|| usual_batch_size(&self.task))
    }
}

/// Images in a batch when nothing is said: 128 up to 64x64, 16 above.
pub fn usual_batch_size(task: &Task) -> usize {
    match task.input.height.max(task.input.width) {
        0..=64 => 128,
        _ => 16,
    }
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct BenchReport {
    /// For each network a measurement in each mode.
    pub networks: Vec<Vec<Measurement>>,
    /// Backend, with a device index where it has several.
    pub backend: String,
    /// Adapter of the backend, or CPU.
    pub device: String,
    /// Threads of the CPU backends.
    pub threads: usize,
    /// Floating-point operations per second of a large matrix product in
    /// float32, the best of a few.
    pub peak: f64,
}

/// A network in a mode.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Name in the zoo.
    pub model: String,
    /// What was timed.
    pub mode: BenchMode,
    /// Its images and classes.
    pub task: Task,
    /// Images in a batch.
    pub batch_size: usize,
    /// Learnable values.
    pub params: usize,
    /// Multiply-accumulates of convolutions and linear layers for an image.
    pub macs: u64,
    /// Timed steps.
    pub iterations: usize,
    /// Seconds of a step.
    pub seconds: Quartiles,
    /// The most memory of the process while it was measured, where the system
    /// tells.
    pub peak_memory_bytes: Option<u64>,
}

impl Measurement {
    /// Images per second, from the median.
    pub fn images_per_second(&self) -> f64 {
        self.batch_size as f64 / self.seconds.median
    }

    /// Floating-point operations of a step: two for each multiply-accumulate,
    /// a training step counted as three forward ones.
    pub fn flop(&self) -> f64 {
        2.0 * self.macs as f64 * self.batch_size as f64 * self.mode.forwards()
    }

    /// Floating-point operations per second, from the median.
    pub fn flop_per_second(&self) -> f64 {
        self.flop() / self.seconds.median
    }
}

/// Times every network in every mode, one after the other.
///
/// # Errors
/// When a network cannot be built, the backend cannot be used, or nothing is
/// to be timed.
pub fn bench(
    subjects: &[BenchSubject],
    modes: &[BenchMode],
    timing: &Timing,
) -> Result<BenchReport, LabError> {
    for subject in subjects {
        at_least_one("--batch-size", subject.batch_size())?;
    }
    let (device, backend) = timing.open()?;
    let networks = subjects.iter().map(|subject| {
        let measured = modes
            .iter()
            .map(|&mode| measure(subject, mode, timing, &device));
        measured.collect::<Result<_, _>>()
    });
    Ok(BenchReport {
        networks: networks.collect::<Result<_, LabError>>()?,
        backend,
        device: kiln_backend::describe(&device),
        threads: kiln_backend::threads(),
        // After the networks, so that its matrices are in nobody's memory.
        peak: matmul_peak(&device)?,
    })
}

fn measure(
    subject: &BenchSubject,
    mode: BenchMode,
    timing: &Timing,
    device: &Device,
) -> Result<Measurement, LabError> {
    let BenchSubject { model, task, .. } = subject;
    let batch_size = subject.batch_size();
    reset_peak_memory();
    let network = initial_network(model, task, SEED)?;
    let summary = summarize(&model.name, &network, task).map_err(LabError::usage)?;
    let seconds = match mode {
        BenchMode::Infer => {
            let network = network.fork(device);
            let images = random_batch(task, batch_size, device)?.images;
            let forward = || drop(network.forward(images.clone()));
            timing.time(device, || work_on(device, forward))?
        }
        BenchMode::Train => {
            let mut stepper = Some(stepper(network, device)?);
            let batch = random_batch(task, batch_size, &device.clone().autodiff())?;
            timing.time(device, || {
                stepper = stepper.take().map(|stepper| stepper.step(batch.clone()).0);
            })?
        }
    };
    let quartiles = Quartiles::of(&seconds);
    Ok(Measurement {
        model: model.name.clone(),
        mode,
        task: *task,
        batch_size,
        params: summary.params,
        macs: summary.macs,
        iterations: seconds.len(),
        seconds: quartiles.ok_or_else(|| LabError::run("no step was timed"))?,
        peak_memory_bytes: peak_memory_bytes(),
    })
}

/// A training with SGD and momentum, before its first step.
fn stepper(network: Network, device: &Device) -> Result<Stepper<Network>, LabError> {
    let optimizer = OptimizerSettings {
        lr: LEARNING_RATE,
        ..find_optimizer("momentum")?.defaults()
    };
    let network = (network, Network::forward as Forward<Network>);
    Ok(Stepper::new(network, &optimizer, device)?)
}

/// How fast batches come.
#[derive(Clone, Debug)]
pub struct LoaderReport {
    /// Images in a batch.
    pub batch_size: usize,
    /// Timed batches.
    pub iterations: usize,
    /// Seconds of a batch.
    pub seconds: Quartiles,
    /// Backend, with a device index where it has several.
    pub backend: String,
    /// Adapter of the backend, or CPU.
    pub device: String,
}

/// Times the loader alone: the built-in digits in random order, normalised by
/// one thread and moved to the device, as in a training.
///
/// # Errors
/// When the backend cannot be used, or nothing is to be timed.
pub fn bench_loader(batch_size: usize, timing: &Timing) -> Result<LoaderReport, LabError> {
    at_least_one("--batch-size", batch_size)?;
    let (device, backend) = timing.open()?;
    let feed = digits(batch_size)?;
    let mut batches = endless(&feed);
    let seconds = timing.time(&device, || {
        drop(batches.next().map(|batch| feed.on_device(batch, &device)));
    })?;
    let quartiles = Quartiles::of(&seconds);
    Ok(LoaderReport {
        batch_size,
        iterations: seconds.len(),
        seconds: quartiles.ok_or_else(|| LabError::run("no batch was timed"))?,
        backend,
        device: kiln_backend::describe(&device),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_models::Form;

    #[test]
    fn a_training_step_counts_as_three_forward_ones_of_two_operations_each() {
        let measurement = |mode| Measurement {
            model: "softmax".to_owned(),
            mode,
            task: Form::Mnist.task(),
            batch_size: 4,
            params: 0,
            macs: 100,
            iterations: 1,
            seconds: Quartiles {
                first: 1.0,
                median: 2.0,
                third: 3.0,
            },
            peak_memory_bytes: None,
        };
        assert_eq!(measurement(BenchMode::Infer).flop(), 800.0);
        assert_eq!(measurement(BenchMode::Train).flop(), 2400.0);
        assert_eq!(measurement(BenchMode::Train).flop_per_second(), 1200.0);
        assert_eq!(measurement(BenchMode::Infer).images_per_second(), 2.0);
    }

    #[test]
    fn large_images_come_in_small_batches() {
        let sizes =
            [Form::Mnist, Form::Cifar, Form::ImageNet].map(|form| usual_batch_size(&form.task()));
        assert_eq!(sizes, [128, 128, 16]);
    }
}
