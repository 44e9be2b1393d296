//! Where the time of a training step goes: by phase and by layer.

use super::{
    BenchSubject, SEED, Timing,
    images::{endless, random_feed},
    stepper,
    timing::at_least_one,
};
use crate::{LabError, network::initial_network};
use kiln_kernels::work_on;
use kiln_models::{Task, TimedLayer, profile, summarize};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Batches that the loader of a profile goes round in.
const BATCHES: usize = 4;

/// A training step by its parts.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Name in the zoo.
    pub model: String,
    /// Images in a batch.
    pub batch_size: usize,
    /// Steps that were timed; all times are means over them.
    pub steps: usize,
    /// Backend, with a device index where it has several.
    pub backend: String,
    /// Adapter of the backend, or CPU.
    pub device: String,
    /// Threads of the CPU backends.
    pub threads: usize,
    /// The parts of a step, in their order.
    pub phases: Vec<PhaseProfile>,
    /// The layers, in the order of their forward.
    pub layers: Vec<LayerProfile>,
    /// What happened when in the last step.
    #[serde(skip)]
    pub trace: Vec<TraceEvent>,
    /// Images and classes.
    #[serde(skip)]
    pub task: Task,
}

/// A part of a training step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseProfile {
    /// `loader`, `forward`, `backward`, `optimizer` or `metrics`.
    pub name: &'static str,
    /// Seconds in a step.
    pub seconds: f64,
}

/// A layer in a training step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerProfile {
    /// Path of its parameters, or its kind and number where it has none.
    pub name: String,
    /// `conv`, `linear`, `batch norm`, `max pool` ...
    pub kind: &'static str,
    /// How often it is computed in a step.
    pub calls: usize,
    /// Seconds of its forward in a step.
    pub forward: f64,
    /// Seconds of its backward in a step: the gradients of its weights and of
    /// its input. Known on flex alone.
    pub backward: Option<f64>,
}

impl LayerProfile {
    /// Seconds of both.
    pub fn seconds(&self) -> f64 {
        self.forward + self.backward.unwrap_or(0.0)
    }
}

/// Something with a begin and an end, in the form of Chrome's trace events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TraceEvent {
    /// What it is.
    pub name: String,
    /// `phase`, `forward` or `backward`.
    pub cat: &'static str,
    /// `X`: an event with a duration.
    pub ph: &'static str,
    /// Microseconds from the begin of the step.
    pub ts: f64,
    /// Microseconds that it took.
    pub dur: f64,
    /// One process.
    pub pid: u32,
    /// One thread: layers lie inside their phase.
    pub tid: u32,
}

/// What one step took.
struct Step {
    /// Borders of the phases, one more than there are phases.
    borders: [Instant; PHASES.len() + 1],
    layers: Vec<TimedLayer>,
}

const PHASES: [&str; 5] = ["loader", "forward", "backward", "optimizer", "metrics"];

impl Step {
    fn phase(&self, name: &str) -> [Instant; 2] {
        let at = PHASES.iter().position(|phase| *phase == name).unwrap_or(0);
        [self.borders[at], self.borders[at + 1]]
    }

    /// The backward of a layer; that of the first ends with the whole pass.
    fn backward(&self, layer: &TimedLayer) -> Option<[Instant; 2]> {
        let end = layer.backward_end.unwrap_or(self.phase("backward")[1]);
        Some([layer.backward?, end])
    }
}

/// Profiles whole training steps of a network: random images through the
/// loader, the step that [`super::bench`] times, and the numbers that a
/// training shows.
///
/// # Errors
/// When the network cannot be built, the backend cannot be used, or nothing is
/// to be timed.
pub fn profile_training(subject: &BenchSubject, timing: &Timing) -> Result<Profile, LabError> {
    let BenchSubject { model, task, .. } = subject;
    let batch_size = subject.batch_size();
    at_least_one("--batch-size", batch_size)?;
    let (device, backend) = timing.open()?;
    let training = device.clone().autodiff();
    let network = initial_network(model, task, SEED)?;
    let summary = summarize(&model.name, &network, task).map_err(LabError::usage)?;
    let names: Vec<_> = summary.layers.into_iter().map(|layer| layer.name).collect();
    let mut stepper = stepper(network, &device)?;
    let feed = random_feed(task, batch_size, BATCHES)?;
    let mut batches = endless(&feed);
    let mut steps = Vec::with_capacity(timing.iterations);
    for number in 0..timing.warmup + timing.iterations {
        let begin = Instant::now();
        let batch = batches.next();
        let batch = batch.ok_or_else(|| LabError::run("the loader gave no batch"))?;
        let batch = feed.on_device(batch, &training);
        // On the thread that takes the step, which is where layers are met.
        let step = || profile(|| stepper.step(batch));
        let ((next, output), layers) = work_on(&device, step);
        stepper = next;
        device.sync().map_err(LabError::run)?;
        let [loaded, forward, backward, _] = output.times;
        let optimized = Instant::now();
        output.metrics().map_err(LabError::run)?;
        if number >= timing.warmup {
            let shown = Instant::now();
            steps.push(Step {
                borders: [begin, loaded, forward, backward, optimized, shown],
                layers,
            });
        }
    }
    let seconds = |total: Duration| total.as_secs_f64() / steps.len() as f64;
    let phases = PHASES.iter().map(|name| PhaseProfile {
        name,
        seconds: seconds(steps.iter().map(|step| length(step.phase(name))).sum()),
    });
    Ok(Profile {
        model: model.name.clone(),
        batch_size,
        steps: steps.len(),
        backend,
        device: kiln_backend::describe(&device),
        threads: kiln_backend::threads(),
        phases: phases.collect(),
        layers: layers(&steps, &names)?,
        trace: steps
            .last()
            .map_or_else(Vec::new, |step| trace(step, &names)),
        task: *task,
    })
}

fn length([begin, end]: [Instant; 2]) -> Duration {
    end.saturating_duration_since(begin)
}

/// The layers by name.
fn layers(steps: &[Step], names: &[String]) -> Result<Vec<LayerProfile>, LabError> {
    let mut layers: Vec<LayerProfile> = Vec::new();
    for step in steps {
        if step.layers.len() != names.len() {
            return Err(LabError::run(format!(
                "the profile met {} layers in a network of {}",
                step.layers.len(),
                names.len()
            )));
        }
        for (layer, name) in step.layers.iter().zip(names) {
            let at = layers.iter().position(|known| known.name == *name);
            let at = at.unwrap_or_else(|| {
                layers.push(LayerProfile {
                    name: name.clone(),
                    kind: layer.kind,
                    calls: 0,
                    forward: 0.0,
                    backward: None,
                });
                layers.len() - 1
            });
            let known = &mut layers[at];
            known.calls += 1;
            known.forward += length(layer.forward).as_secs_f64();
            if let Some(backward) = step.backward(layer) {
                *known.backward.get_or_insert_default() += length(backward).as_secs_f64();
            }
        }
    }
    for layer in &mut layers {
        layer.calls /= steps.len();
        layer.forward /= steps.len() as f64;
        layer.backward = layer.backward.map(|total| total / steps.len() as f64);
    }
    Ok(layers)
}

fn trace(step: &Step, names: &[String]) -> Vec<TraceEvent> {
    let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
    let event = |name: &str, cat, [begin, end]: [Instant; 2]| TraceEvent {
        name: name.to_owned(),
        cat,
        ph: "X",
        ts: micros(length([step.borders[0], begin])),
        dur: micros(length([begin, end])),
        pid: 1,
        tid: 1,
    };
    let mut events: Vec<_> = PHASES
        .iter()
        .map(|name| event(name, "phase", step.phase(name)))
        .collect();
    let named = || step.layers.iter().zip(names);
    events.extend(named().map(|(layer, name)| event(name, "forward", layer.forward)));
    events.extend(
        named()
            .rev()
            .filter_map(|(layer, name)| Some(event(name, "backward", step.backward(layer)?))),
    );
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelSettings;

    fn lenet() -> Profile {
        let subject = BenchSubject {
            model: ModelSettings::named("lenet"),
            task: kiln_models::Form::Mnist.task(),
            batch_size: Some(8),
        };
        let timing = Timing {
            warmup: 1,
            iterations: 2,
            backend: "flex".to_owned(),
        };
        profile_training(&subject, &timing).expect("profiles")
    }

    #[test]
    fn layers_take_no_longer_than_their_phase() {
        let profile = lenet();
        let phase = |name| profile.phases.iter().find(|phase| phase.name == name);
        let seconds = |name| phase(name).expect("a phase").seconds;
        let forward: f64 = profile.layers.iter().map(|layer| layer.forward).sum();
        let backward = profile.layers.iter().filter_map(|layer| layer.backward);
        assert!(forward > 0.0 && forward <= seconds("forward"));
        assert!(backward.clone().all(|seconds| seconds > 0.0));
        assert!(backward.sum::<f64>() <= seconds("backward"));
        assert_eq!(profile.layers[0].name, "conv1");
        assert!(profile.layers.iter().all(|layer| layer.calls == 1));
    }

    #[test]
    fn the_trace_holds_every_layer_inside_its_phase() {
        let profile = lenet();
        let phase = |name: &str| {
            let event = profile.trace.iter().find(|event| event.name == name);
            let event = event.expect("a phase");
            event.ts - 1e-3..=event.ts + event.dur + 1e-3
        };
        for direction in ["forward", "backward"] {
            let events: Vec<_> = profile
                .trace
                .iter()
                .filter(|e| e.cat == direction)
                .collect();
            assert_eq!(events.len(), profile.layers.len());
            let phase = phase(direction);
            assert!(events.iter().all(|event| phase.contains(&event.ts)));
            assert!(
                events
                    .iter()
                    .all(|event| phase.contains(&(event.ts + event.dur)))
            );
        }
    }
}
