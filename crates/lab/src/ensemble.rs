//! Evaluating several runs as one: the mean of what each of them says.

use crate::{
    ClassReport, EvalReport, EvalRequest, LabError, Manifest, RunFolder,
    evaluate::{Subject, per_class},
};
use kiln_models::Network;
use kiln_store::Store;
use kiln_training::{Evaluation, evaluate_and_keep};
use kiln_vision::Source;
use serde::{Deserialize, Serialize};

/// An evaluation of several runs together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnsembleReport {
    /// Each of them alone, on the same images.
    pub members: Vec<EvalReport>,
    /// Images.
    pub count: usize,
    /// Mean cross entropy in nats of the mean probabilities.
    pub loss: f64,
    /// Share that was recognised, from 0 to 1.
    pub accuracy: f64,
    /// By class.
    pub per_class: Vec<ClassReport>,
    /// Images by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
}

/// Evaluates the mean of the softmax probabilities of several runs, which must
/// have the same data set, classes and image shape.
///
/// # Errors
/// When there are fewer than two runs or they do not go together, and whatever
/// fails in the evaluation of one.
pub fn evaluate_ensemble(
    folders: &[RunFolder],
    request: &EvalRequest,
    store: &Store,
) -> Result<EnsembleReport, LabError> {
    let manifests = folders.iter().map(RunFolder::manifest);
    let manifests = manifests.collect::<Result<Vec<_>, _>>()?;
    let Some((first, others)) = manifests.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err(LabError::usage(
            "--ensemble needs at least two runs; name another, or leave --ensemble out",
        ));
    };
    others
        .iter()
        .try_for_each(|other| go_together(first, other))?;
    let mut shown: Option<(Vec<u32>, Source, Vec<u16>)> = None;
    let mut sum: Vec<f64> = Vec::new();
    let mut members = Vec::new();
    for folder in folders {
        let subject = Subject::new(folder, request, store)?;
        let feed = &subject.feed;
        match &shown {
            None => {
                let labels = feed
                    .indices
                    .iter()
                    .map(|&at| feed.images.label(at as usize));
                let labels: Vec<u16> = labels.collect();
                sum = vec![0.0; labels.len() * first.classes.len()];
                shown = Some((feed.indices.clone(), subject.source.clone(), labels));
            }
            Some((indices, source, _)) if *indices != feed.indices || *source != subject.source => {
                return Err(LabError::usage(format!(
                    "{} and {} have different {} images; evaluate --split test, or runs that divided their data alike",
                    first.run, subject.manifest.run, request.split
                )));
            }
            Some(_) => {}
        }
        let (evaluation, probabilities) = evaluate_and_keep(
            &subject.network,
            Network::forward,
            feed,
            first.classes.len(),
            &subject.device,
            subject.views,
        )
        .map_err(LabError::run)?;
        for (sum, probability) in sum.iter_mut().zip(probabilities) {
            *sum += f64::from(probability) / folders.len() as f64;
        }
        members.push(subject.report(request, evaluation));
    }
    let labels = shown.map(|(_, _, labels)| labels).unwrap_or_default();
    let found = Evaluation::of_probabilities(&sum, &labels, first.classes.len());
    Ok(EnsembleReport {
        members,
        count: found.count,
        loss: found.loss,
        accuracy: found.accuracy,
        per_class: per_class(&first.classes, &found.confusion),
        confusion: found.confusion,
    })
}

/// Refuses runs whose probabilities mean different things.
fn go_together(one: &Manifest, other: &Manifest) -> Result<(), LabError> {
    let differ = |what: &str, first: String, second: String| {
        Err(LabError::usage(format!(
            "{} and {} are no ensemble: their {what} are {first} and {second}",
            one.run, other.run
        )))
    };
    let dataset = |manifest: &Manifest| manifest.settings.data.dataset.clone();
    if dataset(one) != dataset(other) {
        return differ("data sets", dataset(one), dataset(other));
    }
    if one.classes != other.classes {
        return differ("classes", one.classes.join(" "), other.classes.join(" "));
    }
    if one.input != other.input {
        return differ("images", one.input.to_string(), other.input.to_string());
    }
    Ok(())
}
