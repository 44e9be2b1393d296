//! A run: a model, a data set, a recipe and a backend, put together, carried
//! out and written down. This is the only crate that knows all four.

mod bench;
mod budget;
mod changed;
mod checkpoint_every;
mod compare;
mod curves;
mod data;
mod duration;
mod ensemble;
mod error;
mod evaluate;
mod execute;
mod experiment;
mod export;
mod group;
mod import;
mod keys;
mod layers;
mod logits;
mod lr_find;
mod machine;
mod manifest;
mod moment;
mod network;
mod numbers;
mod onnx;
mod output;
mod plan;
mod playground;
mod predict;
mod recipes;
mod recording;
mod report;
mod repro;
mod resume;
mod run_folder;
mod sampling;
mod settings;
mod show;
mod statistics;
mod stops;
mod sweep;
mod tensorboard;
mod transfer;
pub mod view;
mod worked_example;

pub use bench::{
    BenchMode, BenchReport, BenchSubject, LayerProfile, LoaderReport, Measurement, PhaseProfile,
    Profile, Quartiles, Timing, TraceEvent, bench, bench_loader, profile_training,
    usual_batch_size,
};
pub use budget::{Budget, fit_epochs, training_speed};
pub use changed::evaluate_changed;
pub use checkpoint_every::CheckpointEvery;
pub use compare::{ComparedRun, Difference, RunComparison, compare, difference_rows};
pub use curves::{RateCourse, RateCurve, rate_curve};
pub use data::first_images;
pub use duration::{parse_duration, shown_seconds};
pub use ensemble::{EnsembleReport, evaluate_ensemble};
pub use error::{Fault, LabError};
pub use evaluate::{
    CheckpointName, ClassReport, EvalReport, EvalRequest, EvalSplit, evaluate_run, save_report,
    trained_network,
};
pub use execute::{Context, Report, train};
pub use experiment::{
    Arm, ArmResult, Comparison, ComparisonResult, Difference as ArmDifference, EXPERIMENTS,
    EpochPoint, Equal, ExperimentRow, Measure, Measured, OpenArm, OpenComparison, Outcome, Score,
    Search, Specimen, Try,
};
pub use export::{ExportFormat, Exportable};
pub use group::{Group, GroupKind, GroupReport};
pub use import::{ImportContext, import, run_of, without_data};
pub use layers::{Draft, Layers, chosen_model, draft, one_network, resolve};
pub use logits::{RawImages, network_with};
pub use lr_find::{RangePoint, RangeReport, RangeTest, find_lr};
pub use machine::{Machine, peak_memory_bytes};
pub use manifest::{Manifest, Status};
pub use network::{initial_network, lazy_network};
pub use numbers::{RunNumbers, Spread};
pub use output::check_output;
pub use plan::{RunPlan, plan};
pub use playground::{LayerCard, LayerMaps, LoadedRun, Response, RunCard};
pub use predict::{Prediction, predict};
pub use recipes::{RECIPES, Recipe};
pub use report::{ReportRequest, report};
pub use repro::{ReproContext, ReproReport, repro};
pub use resume::{resume, resumed_settings};
pub use run_folder::{RunFolder, RunSummary, list_runs, remove_run};
pub use settings::{DataSettings, DeviceSettings, HeldOut, ModelSettings, Settings, TrainSettings};
pub use show::{ShowRequest, Shown, show};
pub use statistics::{Interval, McNemar};
pub use stops::Stops;
pub use sweep::{Sweep, SweepPlan, SweepReport, SweepRow, SweepRun};
pub use tensorboard::TensorBoard;
pub use transfer::{TransferSettings, weight_file};
pub use worked_example::{
    Extent, Matrix, Padding, PoolChoice, Worked, WorkedConvolution, WorkedExample, WorkedStep,
    parse_number,
};
