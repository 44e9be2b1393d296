//! Flags of `train`.

use super::{AroundArguments, OutputArguments, StoreArguments, ThreadsArguments};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Heading of the flags that decide how the network learns.
const LEARNING: &str = "Regularization and optimization";

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
    after_help = "Defaults are the recipe's: 10 epochs, batches of 128, Adam at 0.002 falling along a cosine, seed 1.\nPrecedence: recipe < --config < --set < flags.\nThe head, a network's last layer, learns at optimizer.head_lr; 0 means as the rest, at optimizer.lr.\n\nExample: kiln train lenet --dataset mnist --backend wgpu --seed 3\nExample: kiln train --resume latest\nExample: kiln train mlp --set 'model.hidden=[512,512]' --set model.activation=tanh\nExample: kiln train resnet18 --weights resnet18.safetensors --dataset cifar10 --freeze backbone"
)]
pub struct TrainArguments {
    /// The network, such as lenet or resnet20; `kiln list models` shows all
    pub model: Option<String>,
    /// Data set: mnist, fashion-mnist, cifar10, digits, shapes or folder:PATH [default: the first of the model's list that is there]
    #[arg(long, short, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Shape that the pictures of a folder are brought to, such as 3x32x32
    #[arg(long, value_name = "CxHxW")]
    pub input: Option<String>,
    /// Classes that the data set must have
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub classes: Option<i64>,
    /// Weights to start from: a .safetensors or .pth file, or a run; a head for other classes is drawn anew
    #[arg(long, value_name = "FILE|RUN")]
    pub weights: Option<String>,
    /// What is not trained: none, backbone (all but the last layer), or a regular expression found anywhere in a parameter's name: ^conv1 is what begins with conv1
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
    /// The optimizer, such as momentum or adamw; `kiln list optimizers` shows all [default: adam]
    #[arg(long, visible_alias = "opt", value_name = "NAME")]
    pub optimizer: Option<String>,
    /// The course of the learning rate, such as one-cycle; `kiln list schedules` shows all [default: cosine]
    #[arg(long, visible_alias = "sched", value_name = "NAME")]
    pub schedule: Option<String>,
    /// Momentum of the optimizers that have it, such as momentum or nesterov, from 0 to below 1
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = LEARNING)]
    pub momentum: Option<f64>,
    /// Weight decay: L2 in the gradient, or decoupled with adamw, lion and muon
    #[arg(
        long,
        visible_alias = "wd",
        value_name = "F",
        allow_negative_numbers = true,
        help_heading = LEARNING
    )]
    pub weight_decay: Option<f64>,
    /// Rate of the network's dropout layers, from 0 to below 1
    #[arg(long, value_name = "P", allow_negative_numbers = true, help_heading = LEARNING)]
    pub dropout: Option<f64>,
    /// Weight of the sum of all |w| in the loss, by proximal steps that leave exact zeros
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = LEARNING)]
    pub l1: Option<f64>,
    /// Scale all gradients down to this norm together where theirs is larger
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = LEARNING)]
    pub clip_grad: Option<f64>,
    /// Share of the target that is spread over all classes
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = LEARNING)]
    pub label_smoothing: Option<f64>,
    /// Mix pairs of images and their classes, by a beta distribution with both parameters A
    #[arg(long, value_name = "A", allow_negative_numbers = true, help_heading = LEARNING)]
    pub mixup: Option<f64>,
    /// Paste a part of one image into another, likewise
    #[arg(long, value_name = "A", allow_negative_numbers = true, help_heading = LEARNING)]
    pub cutmix: Option<f64>,
    /// Validate and keep a moving average of the weights with this decay, such as 0.999
    #[arg(long, value_name = "F", allow_negative_numbers = true, help_heading = LEARNING)]
    pub ema_decay: Option<f64>,
    /// Batches whose gradients are averaged for one step [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = LEARNING)]
    pub accumulate: Option<i64>,
    /// End after N epochs without a better validation result
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = LEARNING)]
    pub early_stop: Option<i64>,
    /// Go on with a run that was interrupted, in its own folder: a path, a name, or latest
    #[arg(
        long,
        value_name = "RUN|latest",
        conflicts_with_all = ["weights", "name", "config", "seeds", "members", "max_time", "dry_run", "print_config"]
    )]
    pub resume: Option<String>,
    /// Write checkpoints also after N steps or a time such as 5m [default: after each epoch]
    #[arg(long, value_name = "N|TIME")]
    pub checkpoint_every: Option<String>,
    /// Seed of the weights and of the order of the images [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<i64>,
    /// Threads that prepare batches; without influence on the result [default: 1]
    #[arg(long, short = 'j', value_name = "N", allow_negative_numbers = true)]
    pub workers: Option<i64>,
    /// flex, ndarray, wgpu, vulkan, metal, webgpu, cuda, rocm or tch, with :INDEX for one of several devices [default: flex]
    #[arg(long, visible_alias = "device", value_name = "NAME")]
    pub backend: Option<String>,
    #[command(flatten)]
    pub threads: ThreadsArguments,
    /// Training images used, balanced by class: a number or a share such as 0.1
    #[arg(long, value_name = "N|F")]
    pub limit_train: Option<String>,
    /// Validation images used, likewise
    #[arg(long, value_name = "N|F")]
    pub limit_val: Option<String>,
    /// Images held out for validation: a number, a share, or 0 [default: 5,000 of MNIST and CIFAR-10]
    #[arg(long, value_name = "N|F")]
    pub val_split: Option<String>,
    /// What is done to the training images: none, basic, strong, or a list such as crop:4,flip [default: none]
    #[arg(long, value_name = "NAME|LIST")]
    pub augment: Option<String>,
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
    /// Also write event files for TensorBoard
    #[arg(long)]
    pub tensorboard: bool,
    /// Configuration file, such as the config.toml of a run folder, or a recipe that `kiln list recipes` shows
    #[arg(long, short, value_name = "FILE|RECIPE")]
    pub config: Option<PathBuf>,
    /// Set a key of the configuration, such as optimizer.beta1=0.8 or `'model.hidden=[512,512]'`; may be given several times, once for each key
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub around: AroundArguments,
}
