//! Runs side by side: what they were told, what came out, and whether the
//! comparison is a fair one.

mod shown;

pub use shown::difference_rows;

use crate::{CheckpointName, LabError, Manifest, RunFolder, Status};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Several runs side by side.
#[derive(Clone, Debug, Serialize)]
pub struct RunComparison {
    /// The runs, in the order that was asked for.
    pub runs: Vec<ComparedRun>,
    /// Keys of the configuration whose values differ.
    pub settings: Vec<Difference>,
    /// What differs of data, machine and program.
    pub circumstances: Vec<Difference>,
    /// Why the results are not to be compared as they stand; nothing where
    /// they are.
    pub unfair: Vec<String>,
}

/// A key and its value in every run; null where a run has none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its name, with dots.
    pub key: String,
    /// Run by run.
    pub values: Vec<Value>,
}

/// What came out of a run.
#[derive(Clone, Debug, Serialize)]
pub struct ComparedRun {
    /// Name of its folder.
    pub run: String,
    /// How it stands.
    pub status: Status,
    /// The network.
    pub model: String,
    /// The data set.
    pub dataset: String,
    /// Learnable parameters.
    pub parameters: usize,
    /// Completed epochs.
    pub epochs: Option<usize>,
    /// Optimizer steps.
    pub steps: Option<usize>,
    /// The epoch of the best validation result.
    pub best_epoch: Option<usize>,
    /// Its accuracy, from 0 to 1.
    pub best_val_accuracy: Option<f64>,
    /// Its loss in nats.
    pub best_val_loss: Option<f64>,
    /// Validation accuracy of the last epoch.
    pub last_val_accuracy: Option<f64>,
    /// Its validation loss in nats.
    pub last_val_loss: Option<f64>,
    /// Its training loss in nats.
    pub last_train_loss: Option<f64>,
    /// Accuracy of the best weights on the test images, where these very
    /// weights were evaluated.
    pub test_accuracy: Option<f64>,
    /// The same of the last weights.
    pub last_test_accuracy: Option<f64>,
    /// Seconds of training and validation.
    pub seconds: Option<f64>,
    /// Training images per second in the last epoch.
    pub images_per_second: Option<f64>,
    /// The most memory in use.
    pub peak_memory_bytes: Option<u64>,
    /// SHA-256 of the resulting weights.
    pub weights_sha256: Option<String>,
}

/// Keys that decide which images validate.
const VALIDATION: [&str; 6] = [
    "data.dataset",
    "data.val_split",
    "data.split_seed",
    "data.limit_val",
    "data.input",
    "train.overfit_batches",
];

/// Puts runs side by side.
///
/// # Errors
/// When there are fewer than two, or one cannot be read.
pub fn compare(folders: &[RunFolder]) -> Result<RunComparison, LabError> {
    if folders.len() < 2 {
        return Err(LabError::usage(
            "a comparison needs at least two runs; `kiln runs list` shows those there are",
        ));
    }
    side_by_side(folders)
}

/// [`compare`] for any number of runs.
pub(crate) fn side_by_side(folders: &[RunFolder]) -> Result<RunComparison, LabError> {
    let manifests: Vec<_> = folders
        .iter()
        .map(RunFolder::manifest)
        .collect::<Result<_, _>>()?;
    let runs = folders.iter().zip(&manifests);
    let runs: Vec<_> = runs
        .map(|(folder, manifest)| run(folder, manifest))
        .collect();
    let settings = manifests.iter().map(|manifest| &manifest.settings);
    let settings = settings
        .map(|settings| serde_json::to_value(settings).map_err(LabError::run))
        .collect::<Result<Vec<_>, _>>()?;
    let settings = differences(&settings);
    let circumstances: Vec<_> = manifests.iter().map(circumstances).collect();
    let circumstances = differences(&circumstances);
    let unfair = unfair(&manifests, &settings, &circumstances);
    Ok(RunComparison {
        runs,
        settings,
        circumstances,
        unfair,
    })
}

fn run(folder: &RunFolder, manifest: &Manifest) -> ComparedRun {
    let result = manifest.result.as_ref();
    let best = result.and_then(|result| result.best.as_ref());
    let last = result.and_then(|result| result.last.as_ref());
    let last_weights = result.map(|result| result.last_weights_sha256.as_str());
    ComparedRun {
        run: folder.name(),
        status: manifest.status,
        model: manifest.settings.model.name.clone(),
        dataset: manifest.settings.data.dataset.clone(),
        parameters: manifest.parameters,
        epochs: result.map(|result| result.epochs),
        steps: result.map(|result| result.steps),
        best_epoch: best.map(|best| best.epoch),
        best_val_accuracy: best.and_then(|best| best.val_accuracy),
        best_val_loss: best.and_then(|best| best.val_loss),
        last_val_accuracy: last.and_then(|last| last.val_accuracy),
        last_val_loss: last.and_then(|last| last.val_loss),
        last_train_loss: last.map(|last| last.train_loss),
        test_accuracy: tested(
            folder,
            CheckpointName::Best,
            manifest.weights_sha256.as_deref(),
        ),
        last_test_accuracy: tested(folder, CheckpointName::Last, last_weights),
        seconds: result.map(|result| result.seconds),
        images_per_second: last.map(|last| last.images_per_second),
        peak_memory_bytes: result.and_then(|result| result.peak_memory_bytes),
        weights_sha256: manifest.weights_sha256.clone(),
    }
}

/// What `kiln eval` found on the test images, if it was with these weights.
fn tested(folder: &RunFolder, checkpoint: CheckpointName, weights: Option<&str>) -> Option<f64> {
    let file = folder.path().join(format!("eval/test-{checkpoint}.json"));
    let text = std::fs::read_to_string(file).ok()?;
    let report: Value = serde_json::from_str(&text).ok()?;
    let same = weights.is_some() && report["weights_sha256"].as_str() == weights;
    report["accuracy"].as_f64().filter(|_| same)
}

fn circumstances(manifest: &Manifest) -> Value {
    let files = manifest.source.files.iter();
    let files: BTreeMap<_, _> = files
        .map(|file| (file.name.replace('.', "_"), &file.sha256))
        .collect();
    json!({
        "data": {
            "source": manifest.source.note,
            "files": files,
            "train_images": manifest.train_images,
            "val_images": manifest.val_images,
            "classes": manifest.classes.len(),
            "input": manifest.input.to_string(),
        },
        "device": manifest.device,
        "machine": manifest.machine,
    })
}

/// Every value that a JSON object holds, by its dotted path; lists are values.
pub(crate) fn flat(value: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    flatten("", value, &mut found);
    found
}

fn flatten(path: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    let Value::Object(map) = value else {
        found.insert(path.to_owned(), value.clone());
        return;
    };
    for (key, value) in map {
        let path = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        flatten(&path, value, found);
    }
}

/// The keys whose values are not the same everywhere.
pub(crate) fn differences(values: &[Value]) -> Vec<Difference> {
    let flat: Vec<_> = values.iter().map(flat).collect();
    let keys: BTreeSet<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
    let all = keys.into_iter().map(|key| Difference {
        key: key.clone(),
        values: flat
            .iter()
            .map(|values| values.get(key).cloned().unwrap_or(Value::Null))
            .collect(),
    });
    all.filter(|difference| difference.values.windows(2).any(|pair| pair[0] != pair[1]))
        .collect()
}

/// What speaks against reading the results as an answer.
fn unfair(
    manifests: &[Manifest],
    settings: &[Difference],
    circumstances: &[Difference],
) -> Vec<String> {
    let differs = |key: &str| settings.iter().any(|difference| difference.key == key);
    let elsewhere = |part: &str| {
        let mut keys = circumstances.iter().map(|difference| &difference.key);
        keys.any(|key| key.starts_with(part))
    };
    let mut reasons = Vec::new();
    let mut reason = |holds: bool, text: &str| {
        if holds {
            reasons.push(text.to_owned());
        }
    };
    let dataset = differs("data.dataset");
    let split = VALIDATION.iter().any(|key| differs(key));
    reason(dataset, "the data sets differ: no number can be compared");
    reason(
        !dataset && elsewhere("data.files"),
        "the files of the data set differ: the images are not the same",
    );
    reason(
        !dataset && (split || elsewhere("data.val_images")),
        "the validation images differ: validation numbers cannot be compared, test numbers can",
    );
    reason(
        !dataset
            && (differs("data.limit_train")
                || differs("data.bootstrap")
                || elsewhere("data.train_images")),
        "the training images differ: the runs learned from different images",
    );
    reason(
        manifests
            .iter()
            .any(|manifest| manifest.status != Status::Completed),
        "not every run is completed: some did not learn as long as they were to",
    );
    reason(
        differs("train.epochs") || epochs_differ(manifests),
        "the runs took different numbers of epochs: one learned longer than another",
    );
    reason(
        differs("train.seed"),
        "the seeds differ: a part of every difference is luck; compare means over the same seeds (kiln train --seeds)",
    );
    reason(
        elsewhere("machine") || elsewhere("device"),
        "machine, threads, device or program differ: seconds, images/s and memory cannot be compared",
    );
    reasons
}

fn epochs_differ(manifests: &[Manifest]) -> bool {
    let mut epochs = manifests
        .iter()
        .filter_map(|manifest| Some(manifest.result.as_ref()?.epochs));
    let first = epochs.next();
    epochs.any(|epochs| Some(epochs) != first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_listed_and_what_a_run_lacks_is_null() {
        let first = json!({"a": {"b": 1, "c": [1, 2]}, "d": "x"});
        let second = json!({"a": {"b": 2, "c": [1, 2], "e": true}, "d": "x"});
        let found = differences(&[first, second]);
        let expected = [
            ("a.b", vec![json!(1), json!(2)]),
            ("a.e", vec![Value::Null, json!(true)]),
        ];
        let expected = expected.map(|(key, values)| Difference {
            key: key.to_owned(),
            values,
        });
        assert_eq!(found, expected);
    }
}
