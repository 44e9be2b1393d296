//! A run on other test images than its own: changed ones, or those of another
//! data set.

use crate::{
    CheckpointName, EvalRequest, EvalSplit, LabError, RunFolder, evaluate::Subject,
    network::lazy_network,
};
use kiln_models::{Network, Task, parameters};
use kiln_store::Store;
use kiln_training::{Feed, evaluate};
use kiln_vision::{ImageSpec, Images, Normalization, Preprocessing};
use std::sync::Arc;

/// Images evaluated at a time where nobody says.
const BATCH: usize = 500;

/// The accuracies of a run, from 0 to 1, on test images as each of `changes`
/// makes them. They are those of its own data set, or of `dataset`, which must
/// have the same classes. Changed images may have another shape if the network
/// has the same weights for it.
///
/// # Errors
/// Those of [`crate::evaluate_run`], and when the run does not take such images.
pub fn evaluate_changed<C: FnOnce(&Images) -> Images>(
    folder: &RunFolder,
    checkpoint: CheckpointName,
    dataset: Option<&str>,
    changes: impl IntoIterator<Item = C>,
    store: &Store,
) -> Result<Vec<f64>, LabError> {
    let request = EvalRequest {
        split: EvalSplit::Test,
        checkpoint,
        backend: None,
        batch_size: BATCH,
        tta: 0,
    };
    let subject = Subject::new(folder, &request, store)?;
    let images = match dataset {
        Some(name) => subject.images_of(name, store)?,
        None => subject.feed.images.clone(),
    };
    let accuracy = |change: C| {
        let changed = change(&images);
        takes(&subject, changed.spec())?;
        let feed = Feed {
            normalization: Normalization {
                input: changed.spec(),
                ..subject.feed.normalization.clone()
            },
            indices: (0..changed.len() as u32).collect(),
            images: Arc::new(changed),
            ..subject.feed.clone()
        };
        let classes = subject.manifest.classes.len();
        let evaluation = evaluate(
            &subject.network,
            Network::forward,
            &feed,
            classes,
            &subject.device,
            subject.views,
        );
        Ok(evaluation.map_err(LabError::run)?.accuracy)
    };
    changes.into_iter().map(accuracy).collect()
}

/// Refuses images that the trained network or its normalisation is not for.
fn takes(subject: &Subject, spec: ImageSpec) -> Result<(), LabError> {
    let manifest = &subject.manifest;
    if spec == manifest.input {
        return Ok(());
    }
    let mean = manifest.normalization.kind == Preprocessing::MeanImage;
    let task = Task {
        input: spec,
        ..manifest.task()
    };
    let other = lazy_network(&manifest.settings.model, &task)?;
    match mean || parameters(&other) != parameters(&subject.network) {
        false => Ok(()),
        true => Err(LabError::usage(format!(
            "{} was trained on images of {} and cannot take {spec}; its {} has one size",
            manifest.run,
            manifest.input,
            if mean { "mean image" } else { "network" }
        ))),
    }
}
