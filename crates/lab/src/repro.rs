//! Whether a run can be repeated: trained again as its manifest says, and once
//! more with an interruption, weights compared step by step.

use crate::{
    CheckpointEvery, Context, LabError, Machine, Manifest, RunFolder, Settings, Status, Stops,
    TrainSettings, resume, run_folder::MODEL_FILE, train,
};
use kiln_store::Store;
use kiln_weights::{StateDict, weights_sha256};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReproReport {
    /// Name of the run.
    pub run: String,
    /// Optimizer steps.
    pub steps: usize,
    /// Whether the same weights came out as the run's own; none where it has
    /// none, because it did not end.
    pub same_weights: Option<bool>,
    /// The step after which the second training was interrupted.
    pub interrupted_at: usize,
    /// The first step after which the two new trainings differ.
    pub first_difference: Option<usize>,
    /// The largest difference of a weight between the run and its repetition.
    pub deviation_of_repetition: Option<f64>,
    /// The largest difference of a weight between the two new trainings.
    pub deviation_of_interruption: f64,
    /// What is not as it was when the run was trained: program or machine.
    pub changed: Vec<String>,
    /// Whether the backend promises the same bits.
    pub exact_backend: bool,
}

impl ReproReport {
    /// Whether every comparison found the same bits.
    pub fn is_identical(&self) -> bool {
        self.same_weights != Some(false) && self.first_difference.is_none()
    }
}

/// What repeating needs beside the run.
pub struct ReproContext {
    /// The data folder.
    pub store: Store,
    /// The way to end it.
    pub stops: Stops,
    /// Who is told how far it is.
    pub note: fn(&str),
    /// Git revision that the program was built from.
    pub revision: Option<String>,
}

/// SHA-256 of the weights after each step.
type Hashes = Arc<Mutex<Vec<String>>>;

/// A folder that is removed with everything in it.
struct Temporary(PathBuf);

impl Temporary {
    fn create() -> Result<Self, LabError> {
        let path = std::env::temp_dir().join(format!("kiln-repro-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| LabError::io("making", &path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Repeats a run, whole and interrupted after step `resume_at` (half way
/// without one).
///
/// # Errors
/// When the run cannot be trained again, the step is none of its steps, or it
/// was asked to stop.
pub fn repro(
    folder: &RunFolder,
    resume_at: Option<usize>,
    context: &ReproContext,
) -> Result<ReproReport, LabError> {
    let manifest = folder.manifest()?;
    if manifest.status == Status::Imported {
        return Err(LabError::usage(format!(
            "the weights of {} were imported; there is no training to repeat",
            manifest.run
        )));
    }
    let settings = Settings {
        train: TrainSettings {
            checkpoint_every: CheckpointEvery::default(),
            ..manifest.settings.train.clone()
        },
        ..manifest.settings.clone()
    };
    let temporary = Temporary::create()?;
    (context.note)("training again, whole");
    let (whole, hashes) = once(&settings, &temporary.0.join("whole"), None, context)?;
    let steps = hashes.len();
    let interrupted_at = resume_at.unwrap_or(steps / 2);
    if !(1..steps).contains(&interrupted_at) {
        return Err(LabError::usage(format!(
            "--resume-at is {interrupted_at}, but the run has {steps} steps; name one from 1 to {}",
            steps.saturating_sub(1)
        )));
    }
    (context.note)(&format!(
        "and again, interrupted after step {interrupted_at}"
    ));
    let again = temporary.0.join("interrupted");
    let (_, mut parts) = once(&settings, &again, Some(interrupted_at), context)?;
    let taken_up = RunFolder::open("latest", &again)?;
    let rest = Hashes::default();
    let report = resume(
        taken_up,
        settings.clone(),
        silent(&again, context, rest.clone(), None),
    )?;
    if report.manifest.status == Status::Interrupted {
        return Err(LabError::run("interrupted; nothing was compared"));
    }
    parts.append(&mut rest.lock().unwrap_or_else(PoisonError::into_inner));
    let first = hashes.iter().zip(&parts).position(|(a, b)| a != b);
    let length = (hashes.len() != parts.len()).then(|| hashes.len().min(parts.len()));
    let done = manifest.status == Status::Completed;
    let own = manifest.weights_sha256.as_ref().filter(|_| done);
    let whole_weights = weights(&whole)?;
    Ok(ReproReport {
        run: manifest.run.clone(),
        steps,
        same_weights: own.map(|own| *own == whole_weights.sha256()),
        interrupted_at,
        first_difference: first.or(length).map(|at| at + 1),
        deviation_of_repetition: match own {
            Some(_) => Some(deviation(&whole_weights, &weights(folder)?)),
            None => None,
        },
        deviation_of_interruption: deviation(&whole_weights, &weights(&report.folder)?),
        changed: changed(&manifest, context),
        exact_backend: settings.device.backend == "flex",
    })
}

/// One training in `parent`, to the end or to a step.
fn once(
    settings: &Settings,
    parent: &Path,
    until: Option<usize>,
    context: &ReproContext,
) -> Result<(RunFolder, Vec<String>), LabError> {
    let hashes = Hashes::default();
    let report = train(settings, silent(parent, context, hashes.clone(), until))?;
    if report.manifest.status == Status::Interrupted && until.is_none() {
        return Err(LabError::run("interrupted; nothing was compared"));
    }
    let hashes = std::mem::take(&mut *hashes.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((report.folder, hashes))
}

fn silent(parent: &Path, context: &ReproContext, hashes: Hashes, until: Option<usize>) -> Context {
    Context {
        revision: context.revision.clone(),
        stop: context.stops.next(),
        observer: Some(Box::new(move |step, network| {
            let hash = weights_sha256(network).unwrap_or_else(|error| error.to_string());
            hashes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(hash);
            until == Some(step)
        })),
        ..Context::new(context.store.clone(), parent.to_owned())
    }
}

fn weights(folder: &RunFolder) -> Result<StateDict, LabError> {
    Ok(StateDict::read(&folder.path().join(MODEL_FILE))?)
}

/// The largest difference of two weights; infinite where shapes differ.
fn deviation(one: &StateDict, other: &StateDict) -> f64 {
    let tensors = one.tensors().iter();
    let differences = tensors.flat_map(|(name, tensor)| {
        let other = other.tensors().get(name);
        let same = other.filter(|other| other.values.len() == tensor.values.len());
        let values = same.map_or(&[][..], |other| &other.values);
        let missing = same.is_none().then_some(f64::INFINITY);
        let pairs = tensor.values.iter().zip(values);
        pairs
            .map(|(a, b)| f64::from(a - b).abs())
            .chain(missing)
            .collect::<Vec<_>>()
    });
    differences.fold(0.0, f64::max)
}

/// What is not as it was; a run that was made longer had another schedule at
/// first.
fn changed(manifest: &Manifest, context: &ReproContext) -> Vec<String> {
    let now = Machine::here(context.revision.as_deref());
    let then = &manifest.machine;
    let differs = |what: &str, then: &str, now: &str| {
        (then != now).then(|| format!("{what} then {then}, now {now}"))
    };
    [
        differs("kiln", &version(then), &version(&now)),
        differs("Burn", &then.burn, &now.burn),
        differs("vectors", &then.simd, &now.simd),
        differs("platform", &then.platform, &now.platform),
    ]
    .into_iter()
    .flatten()
    .chain(manifest.lengthened.iter().map(|change| {
        format!(
            "the run was planned with {} epochs up to step {}, now all are of {}",
            change.epochs, change.step, manifest.settings.train.epochs
        )
    }))
    .collect()
}

fn version(machine: &Machine) -> String {
    let revision = machine.revision.as_deref().unwrap_or("unknown");
    format!("{} ({revision})", machine.kiln)
}
