//! Flags of the verbs about learning rates.

use super::{StoreArguments, ThreadsArguments};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How curves are written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CurveFormat {
    /// Drawn, for people
    Table,
    /// A row for every step, a column for every curve
    Csv,
    /// An object for every curve
    Json,
}

/// Flags of `schedule`.
#[derive(Args)]
#[command(
    after_help = "A schedule's numbers are keys of the configuration: schedule.warmup_epochs, min_lr, annealing_epochs, step_epochs, gamma, milestones, power, restart_epochs, restart_factor, peak, rise, fall, knots, patience; `kiln list schedules --format json` says which one uses which.\n\nExample: kiln schedule cosine linear one-cycle --lr 0.4 --epochs 24 --output rates.svg\nExample: kiln schedule cosine --set schedule.restart_epochs=2 --set schedule.restart_factor=2\nExample: kiln schedule piecewise-linear --set schedule.knots=0:0,2:1,10:0"
)]
pub struct ScheduleArguments {
    /// The schedules; `kiln list schedules` shows all
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Epochs of the run
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub epochs: usize,
    /// The full learning rate
    #[arg(
        long,
        visible_alias = "learning-rate",
        default_value_t = 0.1,
        value_name = "F",
        allow_negative_numbers = true
    )]
    pub lr: f64,
    /// Steps in an epoch
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub steps_per_epoch: usize,
    /// Set a number of the schedules, such as schedule.warmup_epochs=2; may be given several times, once for each key
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Write the curves as a figure
    #[arg(long, short, value_name = "FILE.svg")]
    pub output: Option<PathBuf>,
    /// Replace a figure that is there
    #[arg(long, requires = "output")]
    pub force: bool,
    /// How to write the rates
    #[arg(long, value_enum, default_value = "table")]
    pub format: CurveFormat,
}

/// Flags of `lr-find`.
#[derive(Args)]
#[command(
    after_help = "The learning-rate range test (Smith 2017): the rate grows by the same factor from step to step, the loss falls and explodes; a rate well before that is a good full rate. The network begins as in `kiln train` with the same flags, and nothing is kept of it. Every step is of one batch, for gd too.\nPrecedence: recipe < --config < --set < flags.\n\nExample: kiln lr-find lenet --dataset digits --output lr.svg\nExample: kiln lr-find resnet20 --dataset cifar10 --optimizer momentum --from 1e-5 --csv lr.csv"
)]
pub struct LrFindArguments {
    /// The network, such as lenet or resnet20; `kiln list models` shows all
    pub model: Option<String>,
    /// Rate of the first step
    #[arg(long, default_value_t = 1e-7, value_name = "F")]
    pub from: f64,
    /// Rate of the last step, if the loss does not explode before
    #[arg(long, default_value_t = 10.0, value_name = "F")]
    pub to: f64,
    /// Steps
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub steps: usize,
    /// Write loss over rate as a figure
    #[arg(long, short, value_name = "FILE.svg")]
    pub output: Option<PathBuf>,
    /// Write every step as a table
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
    /// Data set, as for `kiln train` [default: the first of the model's list that is there]
    #[arg(long, short, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Images per step [default: 128]
    #[arg(long, short, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: Option<i64>,
    /// The optimizer; `kiln list optimizers` shows all [default: adam]
    #[arg(long, visible_alias = "opt", value_name = "NAME")]
    pub optimizer: Option<String>,
    /// Seed of the weights and of the order of the images [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<i64>,
    /// flex, or another backend as for `kiln train`, with :INDEX for one of several devices [default: flex]
    #[arg(long, visible_alias = "device", value_name = "NAME")]
    pub backend: Option<String>,
    #[command(flatten)]
    pub threads: ThreadsArguments,
    /// Training images used, balanced by class: a number or a share such as 0.1
    #[arg(long, value_name = "N|F")]
    pub limit_train: Option<String>,
    #[command(flatten)]
    pub store: StoreArguments,
    /// Configuration file, such as the config.toml of a run folder
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set a key of the configuration, such as optimizer.beta1=0.8; may be given several times, once for each key
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}
