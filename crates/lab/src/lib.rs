//! A run: a model, a data set, a recipe and a backend, put together, carried
//! out and written down. This is the only crate that knows all four.

mod data;
mod error;
mod evaluate;
mod execute;
mod layers;
mod machine;
mod manifest;
mod network;
mod predict;
mod run_folder;
mod settings;

pub use error::{Fault, LabError};
pub use evaluate::{
    CheckpointName, ClassReport, EvalReport, EvalRequest, EvalSplit, evaluate_run, save_report,
};
pub use execute::{Context, Report, train};
pub use layers::{Draft, Layers, draft, resolve};
pub use machine::{Machine, peak_memory_bytes};
pub use manifest::{Manifest, Status};
pub use network::initial_network;
pub use predict::{Prediction, predict};
pub use run_folder::{RunFolder, RunSummary, list_runs, remove_run};
pub use settings::{DataSettings, DeviceSettings, HeldOut, ModelSettings, Settings, TrainSettings};
