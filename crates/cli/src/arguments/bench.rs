//! Flags of `bench`.

use super::ThreadsArguments;
use clap::{Args, ValueEnum};
use kiln_vision::ImageSpec;
use std::path::PathBuf;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bench {
    /// Whole training steps with SGD and momentum 0.9
    Train,
    /// Forward alone
    Infer,
    /// Both, one after the other
    Both,
    /// The loader alone, on the built-in digits, without a network
    Loader,
}

/// How measurements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchFormat {
    /// For people
    Table,
    /// One row for each network, with the column names of timm's benchmark
    Csv,
    /// The same names, one object for each network
    Json,
}

/// Flags of `bench`.
#[derive(Args)]
#[command(
    after_help = "Images and labels are random and fixed, on the device before the clock starts. GFLOP are two for each multiply-accumulate of convolutions and linear layers, a training step counted as three forward passes; the peak is that of a 1024x1024 matrix product of the same backend in float32. Memory is the process's resident peak, on Linux alone: it counts from the start of each measurement where the system allows that (/proc/self/clear_refs), but memory that earlier ones did not give back is in it, so measure one network at a time where it matters.\n\nA profile shows means over its steps. What a layer's forward and backward take is known on flex; elsewhere only forwards are, and phases show where the program waits.\n\nExample: kiln bench lenet resnet20 --threads 2\nExample: kiln bench resnet18 --image-size 160 --batch-size 8 --bench infer --format csv\nExample: kiln bench lenet --profile --trace lenet-step.json"
)]
pub struct BenchArguments {
    /// The networks; `kiln list models` shows all
    #[arg(value_name = "MODEL")]
    pub models: Vec<String>,
    /// What is timed
    #[arg(long, value_enum, default_value = "both")]
    pub bench: Bench,
    /// Images in a batch [default: 128 for images up to 64x64, 16 for larger ones]
    #[arg(long, short, value_name = "N")]
    pub batch_size: Option<usize>,
    /// Steps before the timed ones
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub warmup: usize,
    /// Timed steps
    #[arg(long, default_value_t = 40, value_name = "N")]
    pub iters: usize,
    /// flex, ndarray, wgpu, vulkan, metal, webgpu, cuda, rocm or tch, with :INDEX for one of several devices
    #[arg(
        long,
        visible_alias = "device",
        default_value = "flex",
        value_name = "NAME"
    )]
    pub backend: String,
    #[command(flatten)]
    pub threads: ThreadsArguments,
    /// Shape of the images [default: the one a network was published for]
    #[arg(long, value_name = "CxHxW", conflicts_with = "image_size")]
    pub input: Option<ImageSpec>,
    /// Rows and columns of the images, with the channels that a network was published for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub image_size: Option<u32>,
    /// Number of classes [default: the one a network was published for]
    #[arg(long, value_name = "N")]
    pub classes: Option<usize>,
    /// Choose an option of the networks, such as `'model.hidden=[512,512]'`; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Show where the time of a training step goes, by phase and by layer
    #[arg(long, conflicts_with = "bench")]
    pub profile: bool,
    /// Write one profiled step as trace events, for chrome://tracing, Perfetto or speedscope
    #[arg(long, value_name = "FILE", requires = "profile")]
    pub trace: Option<PathBuf>,
    /// Replace a trace that is there
    #[arg(long, requires = "trace")]
    pub force: bool,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: BenchFormat,
}
