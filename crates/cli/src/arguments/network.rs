//! Flags of the verbs about networks and their weights.

use super::{Checkpoint, Format, OutputArguments, StoreArguments, ThreadsArguments};
use clap::{Args, ValueEnum};
use kiln_vision::{ImageSpec, Invert};
use std::path::PathBuf;

/// How weights are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WeightFormat {
    /// PyTorch's names and layouts, for model.load_state_dict(load_file(FILE))
    Safetensors,
    /// Burn's own, for module.load_file(FILE)
    Burnpack,
    /// The network as a graph, where this program was built with it
    Onnx,
}

/// Flags of `export`.
#[derive(Args)]
#[command(
    after_help = "Example: kiln export latest --format safetensors --output lenet.safetensors\nExample: kiln export resnet18 --format onnx --output resnet18.onnx"
)]
pub struct ExportArguments {
    /// Run folder (a path, a name, or latest), or a network with its first weights
    #[arg(value_name = "RUN|MODEL")]
    pub what: String,
    /// How to write it
    #[arg(long, value_enum, default_value = "safetensors")]
    pub format: WeightFormat,
    /// The file
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
    /// The weights of a run [default: best]
    #[arg(long, value_enum)]
    pub checkpoint: Option<Checkpoint>,
    /// Seed of a network's first weights [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Shape of a network's images [default: the one it was published for]
    #[arg(long, value_name = "CxHxW")]
    pub input: Option<ImageSpec>,
    /// Number of a network's classes [default: the one it was published for]
    #[arg(long, value_name = "N")]
    pub classes: Option<usize>,
    /// Choose an option of a network, such as `'model.hidden=[512,512]'`; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub runs: OutputArguments,
}

/// Flags of `import`.
#[derive(Args)]
#[command(
    after_help = "Weights that lie in a run folder keep its classes, image shape and normalisation. Others get those that a training on all images of --dataset has; without a data set the classes are numbers, and the normalisation is ImageNet's for networks of that form and none for others. What was assumed is said.\n\nExample: kiln import --model resnet18 --weights resnet18-f37072fd.pth\nExample: kiln import --model lenet --weights lenet.safetensors --dataset mnist"
)]
pub struct ImportArguments {
    /// The network; `kiln list models` shows all
    #[arg(long, value_name = "NAME")]
    pub model: String,
    /// A .safetensors or .pth file with PyTorch's names
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// Data set that the weights were trained on
    #[arg(long, short, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Shape of the images [default: the data set's, or the one the network was published for]
    #[arg(long, value_name = "CxHxW")]
    pub input: Option<ImageSpec>,
    /// Number of classes [default: the data set's, or the one the network was published for]
    #[arg(long, value_name = "N")]
    pub classes: Option<usize>,
    /// Choose an option of the network, such as model.shortcut=projection; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A word for the name of the run folder
    #[arg(long, value_name = "WORD")]
    pub name: Option<String>,
    #[command(flatten)]
    pub store: StoreArguments,
    #[command(flatten)]
    pub output: OutputArguments,
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
    /// Choose an option of it, such as model.shortcut=projection; may be given several times
    #[arg(long, value_name = "KEY=VALUE", requires = "model")]
    pub set: Vec<String>,
    /// Images as numbers, taken as they are: a safetensors file with `images [N,C,H,W]` in float32
    #[arg(long, value_name = "FILE", requires = "output")]
    pub tensor: Option<PathBuf>,
    /// Where the raw scores of --tensor go: `logits [N,classes]`
    #[arg(long, value_name = "FILE", requires = "tensor")]
    pub output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, requires = "output")]
    pub force: bool,
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
    pub threads: ThreadsArguments,
    #[command(flatten)]
    pub runs: OutputArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Networks by family, with parameters and multiply-accumulates
    Models,
    /// Data sets
    Datasets,
    /// Optimizers
    Optimizers,
    /// Learning rate schedules
    Schedules,
    /// Backends, and whether this program holds them
    Backends,
    /// Published trainings, for `kiln train --config NAME`
    Recipes,
    /// Experiments
    Experiments,
}

/// Flags of `list`.
#[derive(Args)]
#[command(after_help = "Example: kiln list models")]
pub struct ListArguments {
    /// What to list
    pub what: Listed,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// How a summary is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SummaryFormat {
    /// For people
    Table,
    /// A Markdown table
    Md,
    /// For programs; every layer by itself
    Json,
}

/// Flags of `summary`.
#[derive(Args)]
#[command(
    after_help = "MACs are the multiply-accumulates of convolutions and linear layers; field is the receptive field in pixels, padding included, and jump its step from one output to the next.\n\nExample: kiln summary lenet --input 1x32x32"
)]
pub struct SummaryArguments {
    /// The network; `kiln list models` shows all
    pub model: String,
    /// Shape of the images [default: the one it was published for]
    #[arg(long, value_name = "CxHxW")]
    pub input: Option<ImageSpec>,
    /// Number of classes [default: the one it was published for]
    #[arg(long, value_name = "N")]
    pub classes: Option<usize>,
    /// Images in a batch, for the memory
    #[arg(long, short, default_value = "128", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch_size: u32,
    /// Choose an option of the network, such as `'model.hidden=[512,512]'`; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: SummaryFormat,
}
