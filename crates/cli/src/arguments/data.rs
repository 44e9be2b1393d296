//! Flags of `data`.

use super::{Format, StoreArguments};
use clap::{Args, Subcommand, ValueEnum};
use kiln_vision::{Augmentation, ImageSpec};
use std::path::PathBuf;

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
    /// Draw images as a training sees them on a sheet, a PNG file
    #[command(
        after_help = "Example: kiln data show mnist --augment basic\nExample: kiln data show cifar10 --augment strong --index 7 --count 25 --output frog.png"
    )]
    Show(ShowArguments),
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

/// Which half of a data set is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Half {
    /// The training images
    Train,
    /// The test images
    Test,
}

/// Flags of `data show`.
#[derive(Args)]
pub struct ShowArguments {
    /// The data set
    pub dataset: String,
    /// What is done to the images: none, basic, strong, or a list such as crop:4,flip
    #[arg(long, value_name = "NAME|LIST", default_value = "none")]
    pub augment: Augmentation,
    /// How many images, balanced by class
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub count: usize,
    /// One image alone, from 0, as it looks from epoch to epoch
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
    /// Seed of the choice and of the changes
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The epoch, on which the changes depend; with --index the first
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub epoch: u64,
    /// The images
    #[arg(long, value_enum, default_value = "train")]
    pub split: Half,
    /// Shape that the pictures of a folder are brought to, such as 3x32x32
    #[arg(long, value_name = "CxHxW")]
    pub input: Option<ImageSpec>,
    /// The file [default: DATASET.png here]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}
