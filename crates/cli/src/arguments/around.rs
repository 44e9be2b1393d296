//! Flags around a training: what it would do, how long it may take, several of
//! them, and their comparison.

use super::{Format, OutputArguments, StoreArguments, ThreadsArguments};
use clap::Args;
use std::path::PathBuf;

/// Flags of `train` that decide how often and how long it trains, or whether
/// at all.
#[derive(Args)]
pub struct AroundArguments {
    /// Train K times, with the seed and those after it, and show mean and standard deviation; completed runs of an earlier try count
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,
    /// Train K members of an ensemble, each with a seed of its own on images drawn with replacement
    #[arg(long, value_name = "K", conflicts_with = "seeds", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub members: Option<u64>,
    /// As many epochs as fit into this time, such as 90s, 5m or 1h30m, from a measurement beforehand; of each run where there are several
    #[arg(long, value_name = "TIME", conflicts_with = "epochs")]
    pub max_time: Option<String>,
    /// Train and validate on the images of the first N batches alone, unchanged: a network that works learns them by heart
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub overfit_batches: Option<i64>,
    /// Load data and network, show what would be done, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the resolved configuration, for `--config FILE`, and do nothing
    #[arg(long, conflicts_with_all = ["dry_run", "max_time", "seeds", "members"])]
    pub print_config: bool,
}

/// Flags of `compare`.
#[derive(Args)]
#[command(
    after_help = "Example: kiln compare latest 20261121-101500-lenet-mnist\nExample: kiln compare runs/*-lenet-* --format json"
)]
pub struct CompareArguments {
    /// Run folders: paths, names, or latest
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    pub runs: Vec<String>,
    #[command(flatten)]
    pub output: OutputArguments,
    /// How to write the result
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
}

/// Flags of `sweep`.
#[derive(Args)]
#[command(
    after_help = "The file says what all runs have in common, and what is tried:\n\n  seeds = 1                  # runs of each candidate\n\n  [base]\n  config = \"FILE|RECIPE\"      # or nothing\n  model = \"lenet\"\n  dataset = \"mnist\"\n  train.epochs = 5\n\n  [grid]                     # every combination of\n  optimizer.lr = [0.1, 0.01, 0.001]\n  train.batch_size = [64, 128]\n\n  [random]                   # or so many draws\n  count = 20\n  seed = 1\n  optimizer.lr = { log-uniform = [1e-4, 0.1] }\n  model.hidden = { choice = [[128], [256, 84]] }\n\n  [halving]                  # if wanted: one in eta goes on with eta times the epochs\n  eta = 3\n  min_epochs = 1\n  max_epochs = 9\n\nCandidates are compared by their best validation accuracy, never by test images. The runs, results.csv and the state are in the folder OUTPUT_DIR/NAME-OF-THE-FILE; the same command goes on there. With halving a candidate that goes on trains again from its first weights, with the schedule of the larger number of epochs.\n\nExample: kiln sweep lr.toml"
)]
pub struct SweepArguments {
    /// The sweep's file
    pub file: PathBuf,
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
