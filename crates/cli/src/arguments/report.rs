//! Flags of `report`.

use super::{OutputArguments, Split, StoreArguments, ThreadsArguments};
use clap::Args;
use std::path::PathBuf;

/// Flags of `report`.
#[derive(Args)]
#[command(
    after_help = "The file needs nothing else: no network, no script. It holds the results and configurations of the runs, what differs between them, their curves, and of each the confusion matrix, errors, filters, feature maps, saliency and weights.\n\nExample: kiln report latest\nExample: kiln report RUN_MLP RUN_CNN --output comparison.html"
)]
pub struct ReportArguments {
    /// Run folders: paths, names, or latest
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// The images that the networks are judged by
    #[arg(long, value_enum, default_value = "test")]
    pub split: Split,
    /// Number of the image whose feature maps are shown, from 0 [default: the first]
    #[arg(long, value_name = "INDEX")]
    pub image: Option<usize>,
    /// Backend instead of the runs' own
    #[arg(long, visible_alias = "device", value_name = "NAME")]
    pub backend: Option<String>,
    /// The file
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub output: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub threads: ThreadsArguments,
    #[command(flatten)]
    pub store: StoreArguments,
    #[command(flatten)]
    pub runs_in: OutputArguments,
}
