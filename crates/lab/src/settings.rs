//! Everything that decides the result of a run, resolved: what `config.toml`
//! in a run folder holds.

use crate::{CheckpointEvery, LabError, TransferSettings};
use kiln_models::Options;
use kiln_training::{
    EarlyStop, OptimizerSettings, Regularization, ScheduleSettings, find_optimizer, find_schedule,
};
use kiln_vision::{Arrangement, Preprocessing, Subset};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};
use toml::Value;

/// A resolved run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The network.
    pub model: ModelSettings,
    /// The images.
    pub data: DataSettings,
    /// How long and in what pieces.
    pub train: TrainSettings,
    /// The optimizer and its numbers.
    pub optimizer: OptimizerSettings,
    /// The learning rate over time.
    pub schedule: ScheduleSettings,
    /// What keeps the network from fitting its training images too well.
    #[serde(default)]
    pub regularization: Regularization,
    /// Which epoch is the best, and when to end early.
    #[serde(default)]
    pub early_stop: EarlyStop,
    /// Where the weights start from.
    #[serde(default)]
    pub transfer: TransferSettings,
    /// Where it is computed.
    pub device: DeviceSettings,
}

/// The network of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Value>")]
pub struct ModelSettings {
    /// Name in the zoo.
    pub name: String,
    /// What was chosen of it.
    #[serde(flatten)]
    pub options: Options,
}

impl ModelSettings {
    /// The network called `name` as it is when nothing is chosen.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            options: Options::default(),
        }
    }
}

impl TryFrom<BTreeMap<String, Value>> for ModelSettings {
    type Error = toml::de::Error;

    /// The name, and then only options that exist.
    fn try_from(mut keys: BTreeMap<String, Value>) -> Result<Self, Self::Error> {
        let name = keys
            .remove("name")
            .and_then(|name| Some(name.as_str()?.to_owned()));
        Ok(Self {
            name: name.unwrap_or_default(),
            options: Value::Table(keys.into_iter().collect()).try_into()?,
        })
    }
}

/// The images of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// Name in the catalogue, or `folder:PATH`.
    pub dataset: String,
    /// Shape that the images of a folder are brought to; `auto` keeps theirs.
    pub input: String,
    /// Classes that the data set must have; 0 takes what it has.
    #[serde(default)]
    pub classes: usize,
    /// Images held out for validation.
    pub val_split: HeldOut,
    /// Training images used, by class in turn; `all` or a number or a share.
    pub limit_train: String,
    /// Validation images used, likewise.
    pub limit_val: String,
    /// Seed of the division into training and validation images. It is not
    /// the run's seed, so that runs with several seeds see the same division.
    pub split_seed: u64,
    /// Whether the training images are a sample drawn with replacement, which
    /// train.seed decides.
    #[serde(default)]
    pub bootstrap: bool,
    /// Where the pixels of every image stand, before it is augmented:
    /// `in-order`, `shuffled`, or `shuffled:N` within blocks of N by N.
    #[serde(default)]
    pub pixels: Arrangement,
    /// What is taken away from the pixels.
    pub preprocessing: Preprocessing,
    /// What is done to the training images: `none`, `basic`, `strong`, or a
    /// list of operations.
    #[serde(default = "no_augmentation")]
    pub augment: String,
}

fn no_augmentation() -> String {
    "none".to_owned()
}

/// How many images are held out for validation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HeldOut {
    /// What the data set's protocol says, or a tenth.
    Auto,
    /// None: all images train, and the last weights are the result.
    Nothing,
    /// So many.
    Some(Subset),
}

impl FromStr for HeldOut {
    type Err = kiln_vision::SplitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "0" | "0.0" => Ok(Self::Nothing),
            text => text.parse().map(Self::Some),
        }
    }
}

impl fmt::Display for HeldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Nothing => f.write_str("0"),
            Self::Some(subset) => subset.fmt(f),
        }
    }
}

impl TryFrom<String> for HeldOut {
    type Error = kiln_vision::SplitError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HeldOut> for String {
    fn from(held_out: HeldOut) -> Self {
        held_out.to_string()
    }
}

/// How long a run trains and in what pieces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images per step.
    pub batch_size: usize,
    /// Whether a last batch that is not full is left out.
    pub drop_last: bool,
    /// Seed of the weights and of the order of the images.
    pub seed: u64,
    /// Batches whose gradients are averaged for one step; 0 leaves it to the
    /// optimizer: 1, or a whole epoch for full-batch gradient descent.
    #[serde(default)]
    pub accumulate: usize,
    /// When checkpoints are written: `epoch`, or also after a number of steps
    /// (`100`) or a time (`5m`); without influence on the result.
    #[serde(default)]
    pub checkpoint_every: CheckpointEvery,
    /// Threads that prepare batches; without influence on the result.
    pub workers: usize,
    /// Trains and validates on the images of so many batches alone; 0 on all.
    #[serde(default)]
    pub overfit_batches: usize,
}

/// Where a run is computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSettings {
    /// Backend, with a device index where it has several.
    pub backend: String,
}

/// Loader threads more than this are a mistake.
const MOST_WORKERS: usize = 256;

impl Settings {
    /// Gives the run another number of epochs, in which its schedule takes the
    /// same course.
    pub fn stretch(&mut self, epochs: usize) {
        self.schedule = self.schedule.stretched(self.train.epochs, epochs);
        self.train.epochs = epochs;
    }

    /// Images per step when nothing else is said.
    pub const BATCH_SIZE: usize = 128;

    /// The recipe of `model` with the optimizer `optimizer`, its data set open:
    /// what holds when nothing else is said.
    ///
    /// # Errors
    /// When there is no such optimizer.
    pub fn recipe(model: ModelSettings, optimizer: Option<&str>) -> Result<Self, LabError> {
        // Measured on MNIST's validation images; one recipe serves the small
        // networks alike.
        let optimizer = find_optimizer(optimizer.unwrap_or("adam"))?;
        let mut optimizer_settings = optimizer.defaults();
        if optimizer.name == "adam" {
            optimizer_settings.lr = 2e-3;
        }
        Ok(Self {
            model,
            data: DataSettings {
                dataset: String::new(),
                input: "auto".to_owned(),
                classes: 0,
                val_split: HeldOut::Auto,
                limit_train: "all".to_owned(),
                limit_val: "all".to_owned(),
                split_seed: 1,
                bootstrap: false,
                pixels: Arrangement::InOrder,
                preprocessing: Preprocessing::ChannelMeanStd,
                augment: no_augmentation(),
            },
            train: TrainSettings {
                epochs: 10,
                batch_size: Self::BATCH_SIZE,
                drop_last: false,
                seed: 1,
                accumulate: 0,
                checkpoint_every: CheckpointEvery::default(),
                workers: 1,
                overfit_batches: 0,
            },
            optimizer: optimizer_settings,
            schedule: ScheduleSettings::named("cosine"),
            regularization: Regularization::default(),
            early_stop: EarlyStop::default(),
            transfer: TransferSettings::default(),
            device: DeviceSettings {
                backend: "flex".to_owned(),
            },
        })
    }

    /// Batches in a step.
    pub(crate) fn accumulate(&self) -> Result<usize, LabError> {
        let full_batch = find_optimizer(&self.optimizer.name)?.full_batch;
        Ok(match (self.train.accumulate, full_batch) {
            (0, true) => usize::MAX, // the whole epoch
            (batches, _) => batches.max(1),
        })
    }

    /// What `config.toml` in a run folder holds.
    ///
    /// # Errors
    /// When TOML cannot hold it.
    pub fn to_toml(&self) -> Result<String, LabError> {
        toml::to_string(self).map_err(LabError::run)
    }

    /// Refuses numbers that no run can use.
    ///
    /// # Errors
    /// Names the first of them and what is allowed.
    pub fn check(&self) -> Result<(), LabError> {
        let train = &self.train;
        let positive = |name: &str, value: usize| match value {
            0 => Err(LabError::usage(format!(
                "{name} is 0, but it must be at least 1"
            ))),
            _ => Ok(()),
        };
        positive("train.epochs", train.epochs)?;
        positive("train.batch_size", train.batch_size)?;
        if train.workers > MOST_WORKERS {
            return Err(LabError::usage(format!(
                "train.workers is {}, but it must be from 0 to {MOST_WORKERS}",
                train.workers
            )));
        }
        self.optimizer.check().map_err(LabError::usage)?;
        self.schedule
            .check(self.optimizer.lr, train.epochs)
            .map_err(LabError::usage)?;
        self.regularization.check().map_err(LabError::usage)?;
        let delta = self.early_stop.min_delta;
        if !(delta.is_finite() && delta >= 0.0) {
            return Err(LabError::usage(format!(
                "early_stop.min_delta is {delta}, but it must be at least 0"
            )));
        }
        if self.data.val_split == HeldOut::Nothing {
            let watching = match find_schedule(&self.schedule.name)?.watches {
                true => Some(format!("the schedule {}", self.schedule.name)),
                false => (self.early_stop.patience > 0).then(|| "early stopping".to_owned()),
            };
            if let Some(what) = watching {
                return Err(LabError::usage(format!(
                    "data.val_split is 0, but {what} goes by the validation images; hold some out"
                )));
            }
        }
        self.transfer.check()?;
        self.data.limit(&self.data.limit_train)?;
        self.data.limit(&self.data.limit_val)?;
        self.data.input_spec()?;
        self.data.augmentation()?;
        Ok(())
    }
}

impl DataSettings {
    /// What a limit means; `all` is none.
    pub(crate) fn limit(&self, text: &str) -> Result<Option<Subset>, LabError> {
        match text {
            "all" => Ok(None),
            text => Ok(Some(text.parse()?)),
        }
    }

    /// What is done to the training images.
    pub(crate) fn augmentation(&self) -> Result<kiln_vision::Augmentation, LabError> {
        let wrong = |error| LabError::usage(format!("data.augment: {error}"));
        self.augment.parse().map_err(wrong)
    }

    /// The shape asked for; `auto` is none.
    pub(crate) fn input_spec(&self) -> Result<Option<kiln_vision::ImageSpec>, LabError> {
        match self.input.as_str() {
            "auto" => Ok(None),
            text => text.parse().map(Some).map_err(LabError::usage),
        }
    }
}
