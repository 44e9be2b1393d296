//! `run.json`: everything that is known of a run, written before its first
//! step and again when it ends.

use crate::{Machine, Settings};
use kiln_models::Task;
use kiln_training::{EpochRecord, Phases};
use kiln_vision::{ImageSpec, Normalization, Source};
use serde::{Deserialize, Serialize};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was started and has not said how it ended: it is running or was killed.
    Running,
    /// Its weights come from elsewhere.
    Imported,
    /// All epochs were done.
    Completed,
    /// It was stopped; its last checkpoint is complete.
    Interrupted,
    /// It ended with an error.
    Failed,
}

/// The manifest of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Name of the run folder.
    pub run: String,
    /// How it stands.
    pub status: Status,
    /// The error it ended with.
    pub error: Option<String>,
    /// Whether that was a loss that became infinite or NaN.
    #[serde(default)]
    pub diverged: bool,
    /// The command line.
    pub arguments: Vec<String>,
    /// The resolved configuration.
    pub settings: Settings,
    /// Shape of the images.
    pub input: ImageSpec,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Learnable parameters of the network.
    pub parameters: usize,
    /// Those of them that are not frozen.
    #[serde(default)]
    pub trainable_parameters: usize,
    /// Tensors that were drawn anew where the run started from other weights.
    #[serde(default)]
    pub fresh: Vec<String>,
    /// Training images.
    pub train_images: usize,
    /// Validation images.
    pub val_images: usize,
    /// Where the images came from.
    pub source: Source,
    /// From bytes to numbers.
    pub normalization: Normalization,
    /// Backend and adapter.
    pub device: String,
    /// Versions and hardware.
    pub machine: Machine,
    /// Steps after which it was taken up again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<usize>,
    /// How many epochs it had before that was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengthened: Vec<Lengthened>,
    /// When it began.
    #[serde(with = "crate::moment")]
    pub started: jiff::Zoned,
    /// When it ended.
    #[serde(with = "crate::moment::option")]
    pub finished: Option<jiff::Zoned>,
    /// SHA-256 of the weights in `model.safetensors`: the best ones, or the
    /// last where nothing was validated.
    pub weights_sha256: Option<String>,
    /// What came out.
    pub result: Option<RunResult>,
}

/// A number of epochs that a run was planned with at first, which its schedule
/// followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengthened {
    /// The epochs.
    pub epochs: usize,
    /// The step up to which they held.
    pub step: usize,
}

impl Manifest {
    /// The pixels of an image at the places where the network has them.
    ///
    /// # Panics
    /// When they are not an image of the run's shape.
    pub fn arranged(&self, pixels: &[u8]) -> Vec<u8> {
        let arrangement = self.settings.data.pixels;
        arrangement.arranged_pixels(pixels, self.input)
    }

    /// What its network is made for.
    pub fn task(&self) -> Task {
        Task {
            input: self.input,
            classes: self.settings.regularization.outputs(self.classes.len()),
        }
    }
}

/// What came out of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Optimizer steps done.
    pub steps: usize,
    /// Completed epochs.
    pub epochs: usize,
    /// Why it ended before all epochs were done, unless it was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<String>,
    /// The epoch with the best validation result.
    pub best: Option<EpochRecord>,
    /// The last completed epoch.
    pub last: Option<EpochRecord>,
    /// SHA-256 of the weights after the last step.
    pub last_weights_sha256: String,
    /// Seconds of training and validation.
    pub seconds: f64,
    /// Where they went.
    pub phases: Phases,
    /// The most memory in use, where the system tells.
    pub peak_memory_bytes: Option<u64>,
}
