//! What can be typed. Names and defaults of the configuration live in the
//! libraries; a flag that is not given leaves the recipe's value.

mod network;

pub use network::*;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kiln_vision::Invert;
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
    /// Evaluate a run on its test, validation or training images
    #[command(alias = "test")]
    Eval(EvalArguments),
    /// Classify pictures with a trained network
    Predict(PredictArguments),
    /// Write weights, or a network as a graph, for other programs
    Export(ExportArguments),
    /// Make a run folder of a weight file
    Import(ImportArguments),
    /// List the names that other commands take
    List(ListArguments),
    /// Show a network layer by layer: shapes, parameters, arithmetic, memory
    Summary(SummaryArguments),
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

/// What a training shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// burn-train's dashboard
    Tui,
    /// One line per epoch
    Plain,
    /// One JSON object per epoch
    Json,
    /// Nothing
    None,
}

/// Flags of `train`.
#[derive(Args)]
#[command(
    after_help = "Defaults are the recipe's: 10 epochs, batches of 128, Adam at 0.002 falling along a cosine, seed 1.\nPrecedence: recipe < --config < --set < flags.\n\nExample: kiln train lenet --dataset mnist --backend wgpu --seed 3"
)]
pub struct TrainArguments {
    /// The network, such as lenet or resnet20; `kiln list models` shows all
    pub model: Option<String>,
    /// Data set: mnist, fashion-mnist, cifar10, digits, shapes or folder:PATH [default: the first of the model's list that is there]
    #[arg(long, short, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Shape that the images of a folder are brought to, such as 3x32x32
    #[arg(long, value_name = "CxHxW")]
    pub input: Option<String>,
    /// Classes that the data set must have
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub classes: Option<i64>,
    /// Weights to start from: a .safetensors or .pth file, or a run; a head for other classes is drawn anew
    #[arg(long, value_name = "FILE|RUN")]
    pub weights: Option<String>,
    /// What is not trained: none, backbone (all but the last layer), or a regular expression over the parameters' names
    #[arg(long, value_name = "none|backbone|REGEX")]
    pub freeze: Option<String>,
    /// Passes over the training images [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub epochs: Option<i64>,
    /// Images per step [default: 128]
    #[arg(long, short, value_name = "N", allow_negative_numbers = true)]
    pub batch_size: Option<i64>,
    /// Learning rate [default: 0.002 for Adam]
    #[arg(
        long,
        visible_alias = "learning-rate",
        value_name = "F",
        allow_negative_numbers = true
    )]
    pub lr: Option<f64>,
    /// sgd, momentum, nesterov, adam or adamw [default: adam]
    #[arg(long, visible_alias = "opt", value_name = "NAME")]
    pub optimizer: Option<String>,
    /// constant or cosine [default: cosine]
    #[arg(long, visible_alias = "sched", value_name = "NAME")]
    pub schedule: Option<String>,
    /// Seed of the weights and of the order of the images [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<i64>,
    /// Threads that prepare batches; without influence on the result [default: 1]
    #[arg(long, short = 'j', value_name = "N", allow_negative_numbers = true)]
    pub workers: Option<i64>,
    /// flex, ndarray, wgpu, vulkan, metal, webgpu, cuda, rocm or tch, with :INDEX for one of several devices [default: flex]
    #[arg(long, visible_alias = "device", value_name = "NAME")]
    pub backend: Option<String>,
    /// Training images used, balanced by class: a number or a share such as 0.1
    #[arg(long, value_name = "N|F")]
    pub limit_train: Option<String>,
    /// Validation images used, likewise
    #[arg(long, value_name = "N|F")]
    pub limit_val: Option<String>,
    /// Images held out for validation: a number, a share, or 0 [default: 5,000 of MNIST and CIFAR-10]
    #[arg(long, value_name = "N|F")]
    pub val_split: Option<String>,
    #[command(flatten)]
    pub store: StoreArguments,
    #[command(flatten)]
    pub output: OutputArguments,
    /// A word for the name of the run folder
    #[arg(long, value_name = "WORD")]
    pub name: Option<String>,
    /// What to show [default: tui in a terminal, plain elsewhere]
    #[arg(long, value_enum)]
    pub progress: Option<Progress>,
    /// Configuration file, such as the config.toml of a run folder
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set a key of the configuration, such as optimizer.beta1=0.8
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
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
#[command(after_help = "Example: kiln eval latest --split test")]
pub struct EvalArguments {
    /// Run folder: a path, a name, or latest
    pub run: String,
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
    pub store: StoreArguments,
    #[command(flatten)]
    pub output: OutputArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Flags of `predict`.
#[derive(Args)]
#[command(
    override_usage = "kiln predict [OPTIONS] <RUN> <IMAGES>...\n       kiln predict [OPTIONS] <RUN> --tensor IN --output OUT\n       kiln predict [OPTIONS] --model NAME --weights FILE --tensor IN --output OUT",
    after_help = "Pictures may be PNG, JPEG, PGM or PPM of any size: transparency becomes white, the picture is fitted into the network's image, centred and padded with its border's colour.\n\nExample: kiln predict latest digit.png --top 3\nExample: kiln predict --model resnet18 --weights resnet18.safetensors --tensor in.safetensors --output out.safetensors"
)]
pub struct PredictArguments {
    /// Run folder: a path, a name, or latest
    #[arg(required_unless_present = "model")]
    pub run: Option<String>,
    /// Pictures
    #[arg(conflicts_with = "tensor")]
    pub images: Vec<PathBuf>,
    /// A network of the zoo instead of a run
    #[arg(long, value_name = "NAME", requires_all = ["weights", "tensor"], conflicts_with = "run")]
    pub model: Option<String>,
    /// Its weights: a .safetensors or .pth file with PyTorch's names
    #[arg(long, value_name = "FILE", requires = "model")]
    pub weights: Option<PathBuf>,
    /// Number of its classes [default: the one it was published for]
    #[arg(long, value_name = "N", requires = "model")]
    pub classes: Option<usize>,
    /// Choose an option of it, such as model.shortcut=projection
    #[arg(long, value_name = "KEY=VALUE", requires = "model")]
    pub set: Vec<String>,
    /// Images as numbers, taken as they are: a safetensors file with images [N,C,H,W] in float32
    #[arg(long, value_name = "FILE", requires = "output")]
    pub tensor: Option<PathBuf>,
    /// Where the raw scores of --tensor go: logits [N,classes]
    #[arg(long, value_name = "FILE", requires = "tensor")]
    pub output: Option<PathBuf>,
    /// Turn dark ink on light paper into light ink on dark paper: yes, no, or auto, which does so for grey networks when the border is bright
    #[arg(long, value_name = "auto|yes|no", default_value = "auto")]
    pub invert: Invert,
    /// Classes shown for each picture
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub top: usize,
    /// The weights
    #[arg(long, value_enum, default_value = "best")]
    pub checkpoint: Checkpoint,
    #[command(flatten)]
    pub runs: OutputArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Flags of `data`.
#[derive(Args)]
#[command(after_help = "Example: kiln data fetch mnist")]
pub struct DataArguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: DataVerb,
    #[command(flatten)]
    pub store: StoreArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table", global = true)]
    pub format: Format,
}

/// The verbs of `data`.
#[derive(Subcommand)]
pub enum DataVerb {
    /// List the data sets and whether they are there
    #[command(after_help = "Example: kiln data list --format json")]
    List,
    /// Show what is known of a data set
    #[command(after_help = "Example: kiln data info cifar10")]
    Info {
        /// The data set
        dataset: String,
    },
    /// Compare the SHA-256 of every file
    #[command(after_help = "Example: kiln data verify mnist")]
    Verify {
        /// The data set
        dataset: String,
    },
    /// Download a data set; an interrupted download goes on
    #[command(after_help = "Example: kiln data fetch fashion-mnist")]
    Fetch {
        /// The data set
        dataset: String,
    },
    /// Take files that were downloaded by other means
    #[command(
        after_help = "Example: kiln data import ~/Downloads\nExample: kiln data import copy/ --dataset cifar10 --unofficial \"rebuilt from PNG files\""
    )]
    Import {
        /// Folder with the files
        dir: PathBuf,
        /// The data set [default: found out from the files]
        #[arg(long, short, value_name = "NAME")]
        dataset: Option<String>,
        /// Admit a copy that is not the official one, and say where it comes from
        #[arg(long, value_name = "TEXT")]
        unofficial: Option<String>,
    },
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
