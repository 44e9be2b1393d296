//! Evaluating a run: the only place that reads test images.

use crate::{LabError, Manifest, RunFolder, Settings, Status, data, network::lazy_network};
use burn::{module::Module, tensor::Device};
use kiln_models::Network;
use kiln_store::Store;
use kiln_training::{Evaluation, Feed, Views, evaluate_each, read_index, read_state};
use kiln_vision::{BatchOrder, Images, Look, Part, Source};
use kiln_weights::{load_checkpoint_weights, weights_sha256};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Which images of a run's data set are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvalSplit {
    /// The test images, which training never reads.
    Test,
    /// The validation images of the run.
    Val,
    /// The training images of the run.
    Train,
}

/// Which weights of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckpointName {
    /// Those with the best validation result; the last where nothing was validated.
    Best,
    /// The last.
    Last,
}

impl fmt::Display for EvalSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Test => "test",
            Self::Val => "val",
            Self::Train => "train",
        })
    }
}

impl fmt::Display for CheckpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Best => "best",
            Self::Last => "last",
        })
    }
}

/// What to evaluate.
pub struct EvalRequest {
    /// The images.
    pub split: EvalSplit,
    /// The weights.
    pub checkpoint: CheckpointName,
    /// Backend instead of the run's.
    pub backend: Option<String>,
    /// Images at a time.
    pub batch_size: usize,
    /// Level of test-time augmentation, from 0, which is none, to 2; [`Views`]
    /// says what they are.
    pub tta: u8,
}

/// A class in an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// Its name.
    pub class: String,
    /// Images of it.
    pub count: usize,
    /// Share of them that was recognised; none without images.
    pub accuracy: Option<f64>,
}

/// An evaluation, exactly counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalReport {
    /// Name of the run.
    pub run: String,
    /// The data set.
    pub dataset: String,
    /// Where its images came from.
    pub source: String,
    /// The images.
    pub split: EvalSplit,
    /// The weights.
    pub checkpoint: CheckpointName,
    /// Level of test-time augmentation.
    #[serde(default)]
    pub tta: u8,
    /// Optimizer steps behind the weights.
    pub step: usize,
    /// Their SHA-256.
    pub weights_sha256: String,
    /// Images.
    pub count: usize,
    /// Mean cross entropy in nats.
    pub loss: f64,
    /// Share that was recognised, from 0 to 1.
    pub accuracy: f64,
    /// By class.
    pub per_class: Vec<ClassReport>,
    /// Images by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
}

/// A run's network with trained weights.
pub(crate) struct Trained {
    pub network: Network,
    pub step: usize,
    pub weights_sha256: String,
}

/// Loads the weights of a checkpoint and compares their fingerprint.
pub(crate) fn trained(folder: &RunFolder, checkpoint: CheckpointName) -> Result<Trained, LabError> {
    let manifest = folder.manifest()?;
    let settings = &manifest.settings;
    let index = read_index(folder.path()).map_err(|error| {
        let name = folder.name();
        LabError::data(match (manifest.status, &manifest.error) {
            (Status::Failed, cause) => format!(
                "the run {name} ended without a checkpoint (failed: {}); train again",
                cause.as_deref().unwrap_or("for an unknown reason")
            ),
            _ => format!("the run {name} has no checkpoint yet: {error}"),
        })
    })?;
    let name = match checkpoint {
        CheckpointName::Best => index.best.unwrap_or(index.last),
        CheckpointName::Last => index.last,
    };
    let path = folder.path().join("checkpoints").join(name);
    let state = read_state(&path)?;
    let network = lazy_network(&settings.model, &manifest.task())?;
    let network =
        load_checkpoint_weights(network, &path.join("model.bpk")).map_err(LabError::data)?;
    let weights = weights_sha256(&network)?;
    if weights != state.weights_sha256 {
        return Err(LabError::data(format!(
            "the weights in {} are not those that were saved there (SHA-256 {weights}, saved {}); the file was changed or is damaged",
            path.display(),
            state.weights_sha256
        )));
    }
    Ok(Trained {
        network,
        step: state.step,
        weights_sha256: weights,
    })
}

/// The network of a run with its trained weights, on the host.
///
/// # Errors
/// When there is no such checkpoint or it is damaged.
pub fn trained_network(
    folder: &RunFolder,
    checkpoint: CheckpointName,
) -> Result<Network, LabError> {
    Ok(trained(folder, checkpoint)?.network)
}

/// Saves an evaluation in the folder of its run.
///
/// # Errors
/// When it cannot be written.
pub fn save_report(folder: &RunFolder, report: &EvalReport) -> Result<(), LabError> {
    let tta = match report.tta {
        0 => String::new(),
        level => format!("-tta{level}"),
    };
    let file = format!("eval/{}-{}{tta}.json", report.split, report.checkpoint);
    folder.write_json(&file, report)
}

/// Evaluates a run.
///
/// # Errors
/// When the run, its data, its weights or the backend fail.
pub fn evaluate_run(
    folder: &RunFolder,
    request: &EvalRequest,
    store: &Store,
) -> Result<EvalReport, LabError> {
    Ok(evaluate_images(folder, request, store)?.0)
}

/// Evaluates a run, and gives the rising places of the images that it gets
/// wrong.
///
/// # Errors
/// Those of [`evaluate_run`].
pub(crate) fn evaluate_images(
    folder: &RunFolder,
    request: &EvalRequest,
    store: &Store,
) -> Result<(EvalReport, Vec<u32>), LabError> {
    let subject = Subject::new(folder, request, store)?;
    let feed = &subject.feed;
    let (evaluation, predicted) = evaluate_each(
        &subject.network,
        Network::forward,
        feed,
        subject.manifest.classes.len(),
        &subject.device,
        subject.views,
    )
    .map_err(LabError::run)?;
    let images = feed.indices.iter().zip(predicted).enumerate();
    let wrong = images.filter(|(_, (at, class))| feed.images.label(**at as usize) != *class);
    let wrong = wrong.map(|(place, _)| place as u32).collect();
    Ok((subject.report(request, evaluation), wrong))
}

/// A run and what it is evaluated on.
pub(crate) struct Subject {
    pub manifest: Manifest,
    pub network: Network,
    pub step: usize,
    pub weights_sha256: String,
    pub feed: Feed,
    pub source: Source,
    pub device: Device,
    pub views: Views,
}

impl Subject {
    /// Loads the weights and the images, which must be those of the run.
    pub fn new(folder: &RunFolder, request: &EvalRequest, store: &Store) -> Result<Self, LabError> {
        let manifest = folder.manifest()?;
        let settings = &manifest.settings;
        if request.batch_size == 0 {
            return Err(LabError::usage(
                "--batch-size is 0, but it must be at least 1",
            ));
        }
        if request.tta > Views::LEVELS {
            return Err(LabError::usage(format!(
                "--tta is {}, but it must be from 0 to {}",
                request.tta,
                Views::LEVELS
            )));
        }
        let backend = request.backend.as_ref().unwrap_or(&settings.device.backend);
        let device = kiln_backend::open(&backend.parse()?)?;
        let trained = trained(folder, request.checkpoint)?;
        let (feed, source) = images_of(&manifest, request.split, request.batch_size, store)?;
        let mirrored = knows_mirrored(&manifest)?;
        Ok(Self {
            views: Views::of_level(request.tta, mirrored),
            network: trained.network.fork(&device),
            step: trained.step,
            weights_sha256: trained.weights_sha256,
            manifest,
            feed,
            source,
            device,
        })
    }

    /// The test images of another data set with the same classes.
    pub fn images_of(&self, dataset: &str, store: &Store) -> Result<Arc<Images>, LabError> {
        let mut settings: Settings = self.manifest.settings.clone();
        dataset.clone_into(&mut settings.data.dataset);
        let loaded = data::load(&settings, Part::Test, store)?;
        match loaded.classes == self.manifest.classes {
            true => Ok(Arc::new(loaded.images)),
            false => Err(LabError::usage(format!(
                "{dataset} has other classes than {}, which {} was trained on",
                self.manifest.settings.data.dataset, self.manifest.run
            ))),
        }
    }

    /// What was found, with what it was found on.
    pub fn report(self, request: &EvalRequest, evaluation: Evaluation) -> EvalReport {
        EvalReport {
            per_class: per_class(&self.manifest.classes, &evaluation.confusion),
            run: self.manifest.run,
            dataset: self.manifest.settings.data.dataset,
            source: self.source.note,
            split: request.split,
            checkpoint: request.checkpoint,
            tta: request.tta,
            step: self.step,
            weights_sha256: self.weights_sha256,
            count: evaluation.count,
            loss: evaluation.loss,
            accuracy: evaluation.accuracy,
            confusion: evaluation.confusion,
        }
    }
}

/// The images of a split of a run, unchanged and in their order, which must be
/// those that it was made with, and where they come from.
pub(crate) fn images_of(
    manifest: &Manifest,
    split: EvalSplit,
    batch_size: usize,
    store: &Store,
) -> Result<(Feed, Source), LabError> {
    let (feed, classes, source) = images(manifest, split, store)?;
    if classes != manifest.classes {
        return Err(changed(manifest, "classes"));
    }
    if feed.images.spec() != manifest.input {
        return Err(changed(manifest, "image shape"));
    }
    if feed.indices.is_empty() {
        return Err(LabError::usage(format!(
            "the run {} held no validation images out; evaluate --split test or train",
            manifest.run
        )));
    }
    let mut feed = feed.unchanged(batch_size);
    feed.normalization = manifest.normalization.clone();
    Ok((feed, source))
}

/// Whether mirrored images are nothing new to a run: those of photographs, and
/// of other images if it was trained on them. All shoes of Fashion-MNIST look
/// to the same side.
fn knows_mirrored(manifest: &Manifest) -> Result<bool, LabError> {
    let data = &manifest.settings.data;
    let look = kiln_catalog::find(&data.dataset)?.look();
    let augment = data.augmentation()?.pipeline(look, manifest.input);
    let trained = augment.map_err(LabError::usage)?;
    Ok(look == Look::Photos || trained.is_some_and(|pipeline| pipeline.mirrors()))
}

/// The images of a run, its data set's classes, and where they come from.
fn images(
    manifest: &Manifest,
    split: EvalSplit,
    store: &Store,
) -> Result<(Feed, Vec<String>, Source), LabError> {
    let settings = &manifest.settings;
    if split == EvalSplit::Test {
        let loaded = data::load(settings, Part::Test, store)?;
        let indices = (0..loaded.images.len() as u32).collect();
        let feed = Feed {
            images: Arc::new(loaded.images),
            normalization: manifest.normalization.clone(),
            indices,
            order: BatchOrder {
                batch_size: 1,
                shuffle: None,
                drop_last: false,
            },
            augment: None,
            mixing: None,
            noise: None,
            workers: settings.train.workers,
        };
        return Ok((feed, loaded.classes, loaded.source));
    }
    let data = data::training_data(settings, store)?;
    if data.source != manifest.source {
        return Err(changed(manifest, "training images"));
    }
    let feed = match split {
        EvalSplit::Val => data.valid,
        _ => data.train,
    };
    Ok((feed, data.classes, data.source))
}

/// The data set is not what the run was trained on.
fn changed(manifest: &Manifest, what: &str) -> LabError {
    LabError::data(format!(
        "the {what} of {} are not those that {} was trained on; bring the data back as they were or train again",
        manifest.settings.data.dataset, manifest.run
    ))
}

pub(crate) fn per_class(classes: &[String], confusion: &[Vec<usize>]) -> Vec<ClassReport> {
    let report = |(at, class): (usize, &String)| {
        let count: usize = confusion[at].iter().sum();
        ClassReport {
            class: class.clone(),
            count,
            accuracy: (count > 0).then(|| confusion[at][at] as f64 / count as f64),
        }
    };
    classes.iter().enumerate().map(report).collect()
}
