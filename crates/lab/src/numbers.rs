//! What runs came to, in few numbers: one run's, and the spread of several.

use crate::{
    Context, LabError, Manifest, Report, RunFolder, RunSummary, Settings, Status, list_runs,
    machine::reset_peak_memory, resume, train,
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a completed run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunNumbers {
    /// Its seed.
    pub seed: u64,
    /// Name of its folder.
    pub run: String,
    /// Completed epochs.
    pub epochs: usize,
    /// The epoch with the best validation result.
    pub best_epoch: Option<usize>,
    /// Its accuracy, from 0 to 1; none without validation images.
    pub val_accuracy: Option<f64>,
    /// Its loss in nats.
    pub val_loss: Option<f64>,
    /// Seconds of training and validation.
    pub seconds: f64,
    /// SHA-256 of the resulting weights.
    pub weights_sha256: String,
}

/// Mean and standard deviation of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with one less than their number below the
    /// line; none of a single one.
    pub std: Option<f64>,
}

impl Spread {
    /// The spread of `values`; none of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self {
            count,
            mean,
            std: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
        })
    }

    /// The spread of a number that every run has; none where one lacks it.
    pub(crate) fn over<T>(runs: &[T], value: impl Fn(&T) -> Option<f64>) -> Option<Self> {
        let values: Option<Vec<_>> = runs.iter().map(value).collect();
        Self::of(&values?)
    }
}

impl RunNumbers {
    /// Of a run that is completed.
    fn of(manifest: Manifest) -> Option<Self> {
        if manifest.status != Status::Completed {
            return None;
        }
        let result = manifest.result?;
        let best = result.best.as_ref();
        Some(Self {
            seed: manifest.settings.train.seed,
            run: manifest.run,
            epochs: result.epochs,
            best_epoch: best.map(|best| best.epoch),
            val_accuracy: best.and_then(|best| best.val_accuracy),
            val_loss: best.and_then(|best| best.val_loss),
            seconds: result.seconds,
            weights_sha256: manifest.weights_sha256?,
        })
    }
}

/// The numbers of the run called `name` in `parent`, if it is there, completed,
/// and was trained as `settings` say.
pub(crate) fn finished(parent: &Path, name: &str, settings: &Settings) -> Option<RunNumbers> {
    let path = parent.join(name);
    if !holds(&path, settings) {
        return None;
    }
    let folder = RunFolder::open(&path.to_string_lossy(), parent).ok()?;
    RunNumbers::of(folder.manifest().ok()?)
}

/// Whether a folder's name ends so, or so and with the number of a second one of
/// that name.
fn is_called(name: &str, ending: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let first = match name.rsplit_once('-') {
        Some((first, second)) if number(second) => first,
        _ => name,
    };
    name.ends_with(ending) || first.ends_with(ending)
}

/// Whether the run in `folder` is trained as `settings` say; a key that its file
/// does not have yet means what it means by default.
fn holds(folder: &Path, settings: &Settings) -> bool {
    let config = std::fs::read_to_string(folder.join("config.toml"));
    let config = config.ok().and_then(|text| toml::from_str(&text).ok());
    config.is_some_and(|config: Settings| config == *settings)
}

/// `text` as a part of a file's name.
pub(crate) fn plain_name(text: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || "-_.".contains(c) {
        true => c,
        false => '-',
    };
    let name: String = text.chars().map(plain).collect();
    name.trim_matches(['-', '.']).to_owned()
}

/// Trains, or goes on with a run that was interrupted; gives nothing when it
/// is interrupted now.
pub(crate) fn train_one(
    settings: &Settings,
    context: Context,
) -> Result<Option<RunNumbers>, LabError> {
    Ok(RunNumbers::of(train_or_resume(settings, context)?.manifest))
}

/// Trains as `settings` say. A run of the same settings and the same word in
/// the folder's name counts: one that is done is given back, one whose loss
/// became infinite or NaN as that error, and one that was interrupted or killed
/// goes on.
pub(crate) fn train_or_resume(settings: &Settings, context: Context) -> Result<Report, LabError> {
    // Each run is to tell its own peak.
    reset_peak_memory();
    let Some(folder) = begun(settings, &context)? else {
        return train(settings, context);
    };
    match folder.manifest()? {
        manifest if manifest.diverged => {
            Err(LabError::divergence(manifest.error.unwrap_or_default()))
        }
        _ => resume(folder, settings.clone(), context),
    }
}

/// The newest run that `context` would call alike, and that did not fail by
/// anything but its own loss.
fn begun(settings: &Settings, context: &Context) -> Result<Option<RunFolder>, LabError> {
    let Some(word) = &context.name else {
        return Ok(None);
    };
    let ending = format!("-{}", plain_name(word));
    let open = |run: &RunSummary| {
        let path = context.output_dir.join(&run.run);
        RunFolder::open(&path.to_string_lossy(), &context.output_dir)
    };
    let counts = |run: &RunSummary| match run.status {
        Status::Imported => false,
        Status::Failed => open(run)
            .and_then(|folder| folder.manifest())
            .is_ok_and(|manifest| manifest.diverged),
        _ => true,
    };
    let alike = |run: &&RunSummary| {
        is_called(&run.run, &ending)
            && holds(&context.output_dir.join(&run.run), settings)
            && counts(run)
    };
    let runs = list_runs(&context.output_dir)?;
    runs.iter().rev().find(alike).map(open).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_folder_of_a_name_is_called_alike() {
        let called = |name| is_called(name, "-lenet-seed1");
        assert!(called("20261121-101500-lenet-mnist-lenet-seed1"));
        assert!(called("20261121-101500-lenet-mnist-lenet-seed1-2"));
        assert!(!called("20261121-101500-lenet-mnist-lenet-seed12"));
        assert!(!called("20261121-101500-lenet-mnist-lenet-seed1-b"));
    }

    #[test]
    fn a_spread_has_one_less_below_the_line() {
        let spread = Spread::of(&[1.0, 2.0, 6.0]).expect("numbers");
        assert_eq!((spread.count, spread.mean), (3, 3.0));
        // ((-2)^2 + (-1)^2 + 3^2) / 2 = 7
        assert_eq!(spread.std, Some(7.0f64.sqrt()));
        let one = Spread::of(&[0.5]).expect("a number");
        assert_eq!((one.mean, one.std), (0.5, None));
        assert_eq!(Spread::of(&[]), None);
    }
}
