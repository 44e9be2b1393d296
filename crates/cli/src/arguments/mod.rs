//! What can be typed. Names and defaults of the configuration live in the
//! libraries; a flag that is not given leaves the recipe's value.

mod around;
mod bench;
mod conv;
mod data;
mod network;
mod playground;
mod rate;
mod report;
mod train;
mod view;

pub use around::*;
pub use bench::*;
pub use conv::*;
pub use data::*;
pub use network::*;
pub use playground::*;
pub use rate::*;
pub use report::ReportArguments;
pub use train::*;
pub use view::*;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Train, evaluate and compare convolutional networks.
#[derive(Parser)]
#[command(
    name = "kiln",
    version,
    propagate_version = true,
    after_help = "Example: kiln train lenet --dataset digits --epochs 3\n\nExit codes: 0 done, 1 error, 2 usage, 3 data missing or corrupt, 130 interrupted"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Subcommand)]
pub enum Verb {
    /// Train a network in a new run folder
    Train(Box<TrainArguments>),
    /// Train a run again and compare every step, bit for bit
    Repro(ReproArguments),
    /// Train with many settings and compare them by validation
    Sweep(SweepArguments),
    /// Compare runs: settings, results, fairness
    Compare(CompareArguments),
    /// Evaluate a run on its test, validation or training images
    #[command(alias = "test")]
    Eval(EvalArguments),
    /// Classify pictures with a trained network
    Predict(PredictArguments),
    /// Look inside a trained network: figures of filters, maps, saliency, errors
    View(Box<ViewArguments>),
    /// Write one HTML file about runs: results, curves, errors, filters, maps
    Report(ReportArguments),
    /// Draw on a page of this machine and watch networks answer
    Playground(PlaygroundArguments),
    /// Write weights, or a network as a graph, for other programs
    Export(ExportArguments),
    /// Make a run folder of a weight file
    Import(ImportArguments),
    /// List the names that other commands take
    List(ListArguments),
    /// Show a network layer by layer: shapes, parameters, arithmetic, memory
    Summary(SummaryArguments),
    /// Convolve small matrices by hand: every sum spelled out
    Conv(Box<ConvArguments>),
    /// Time training steps and inference of networks
    #[command(alias = "benchmark")]
    Bench(BenchArguments),
    /// Draw learning-rate schedules in the terminal and as a file
    Schedule(ScheduleArguments),
    /// Find a learning rate: train a few steps with a growing one
    LrFind(LrFindArguments),
    /// List, check, fetch and import data sets
    Data(DataArguments),
    /// List and remove run folders
    Runs(RunsArguments),
    /// Show backends, adapters, data and versions
    Doctor(DoctorArguments),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example: kiln completions bash > ~/.local/share/bash-completion/completions/kiln"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Verb {
    /// Threads that were asked for, by a verb that computes.
    pub fn threads(&self) -> Option<usize> {
        match self {
            Self::Train(arguments) => arguments.threads.threads,
            Self::Repro(arguments) => arguments.threads.threads,
            Self::Sweep(arguments) => arguments.threads.threads,
            Self::Eval(arguments) => arguments.threads.threads,
            Self::Predict(arguments) => arguments.threads.threads,
            Self::Playground(arguments) => arguments.threads.threads,
            Self::View(arguments) => arguments.threads.threads,
            Self::Report(arguments) => arguments.threads.threads,
            Self::Bench(arguments) => arguments.threads.threads,
            Self::LrFind(arguments) => arguments.threads.threads,
            _ => None,
        }
    }
}

/// Flags about the processor.
#[derive(Args, Clone)]
pub struct ThreadsArguments {
    /// Threads that the CPU backends compute with; without influence on the result [default: $RAYON_NUM_THREADS, or all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// Flags about the data folder.
#[derive(Args, Clone)]
pub struct StoreArguments {
    /// Data folder [default: $KILN_DATA_DIR, or the platform's cache folder]
    #[arg(long, value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// Never use the network
    #[arg(long, global = true)]
    pub offline: bool,
}

/// Flags about run folders.
#[derive(Args, Clone)]
pub struct OutputArguments {
    /// Folder that holds the run folders [default: $KILN_RUNS_DIR, or runs]
    #[arg(long, short, value_name = "DIR", global = true)]
    pub output_dir: Option<PathBuf>,
}

impl OutputArguments {
    /// The folder that holds the run folders.
    pub fn folder(&self) -> PathBuf {
        let variable = || std::env::var_os("KILN_RUNS_DIR").filter(|value| !value.is_empty());
        self.output_dir
            .clone()
            .or_else(|| variable().map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("runs"))
    }
}

/// How a result is written to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Which images to evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// Images that training never read
    Test,
    /// Images that chose the best weights
    Val,
    /// Images that trained
    Train,
}

/// Which weights to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Checkpoint {
    /// The best by validation
    Best,
    /// The last
    Last,
}

/// Flags of `eval`.
#[derive(Args)]
#[command(
    after_help = "Example: kiln eval latest --split test\nExample: kiln eval latest --tta 1\nExample: kiln eval RUN1 RUN2 RUN3 --ensemble"
)]
pub struct EvalArguments {
    /// Run folder: a path, a name, or latest; several with --ensemble
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// Evaluate several runs as one, by the mean of their probabilities
    #[arg(long)]
    pub ensemble: bool,
    /// Average the logits of several views: 1 adds the mirror image, where a run was trained on mirrored images or on photographs, elsewhere the shifts by one pixel; 2 adds the shifts of both
    #[arg(long, value_name = "LEVEL", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub tta: u8,
    /// The images
    #[arg(long, value_enum, default_value = "test")]
    pub split: Split,
    /// The weights
    #[arg(long, value_enum, default_value = "best")]
    pub checkpoint: Checkpoint,
    /// Backend instead of the run's
    #[arg(long, visible_alias = "device", value_name = "NAME")]
    pub backend: Option<String>,
    /// Images at a time
    #[arg(long, short, default_value_t = 500, value_name = "N")]
    pub batch_size: usize,
    #[command(flatten)]
    pub threads: ThreadsArguments,
    #[command(flatten)]
    pub store: StoreArguments,
    #[command(flatten)]
    pub output: OutputArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Flags of `repro`.
#[derive(Args)]
#[command(
    after_help = "Trains twice in a folder that is removed: whole, and interrupted after --resume-at and taken up again. Ends with exit code 1 where flex gives other bits.\n\nExample: kiln repro latest --resume-at 100"
)]
pub struct ReproArguments {
    /// Run folder: a path, a name, or latest
    pub run: String,
    /// Step after which the second training is interrupted [default: half way]
    #[arg(long, value_name = "STEP")]
    pub resume_at: Option<usize>,
    #[command(flatten)]
    pub threads: ThreadsArguments,
    #[command(flatten)]
    pub store: StoreArguments,
    #[command(flatten)]
    pub output: OutputArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Flags of `runs`.
#[derive(Args)]
#[command(after_help = "Example: kiln runs list")]
pub struct RunsArguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: RunsVerb,
    #[command(flatten)]
    pub output: OutputArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table", global = true)]
    pub format: Format,
}

/// The verbs of `runs`.
#[derive(Subcommand)]
pub enum RunsVerb {
    /// List the runs, oldest first
    #[command(after_help = "Example: kiln runs list --output-dir runs")]
    List,
    /// Remove run folders
    #[command(
        alias = "remove",
        after_help = "Example: kiln runs rm 20261121-101500-lenet-mnist"
    )]
    Rm {
        /// Run folders: paths, names, or latest
        #[arg(required = true)]
        runs: Vec<String>,
    },
}

/// Flags of `doctor`.
#[derive(Args)]
#[command(after_help = "Example: kiln doctor")]
pub struct DoctorArguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}
