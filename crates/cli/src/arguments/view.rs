//! Flags of `view`.

use super::{Checkpoint, OutputArguments, Split, StoreArguments, ThreadsArguments};
use clap::Args;
use kiln_lab::view::{VIEWS, View};
use kiln_vision::Invert;
use std::path::PathBuf;

/// Flags of `view`.
#[derive(Args)]
#[command(after_help = help())]
pub struct ViewArguments {
    /// Run folder: a path, a name, or latest
    pub run: String,
    /// What to draw; everything unless named
    #[arg(value_name = "FIGURE", hide_possible_values = true)]
    pub figures: Vec<View>,
    /// The image that is looked at: its number in the split, from 0, or a picture file
    #[arg(long, value_name = "INDEX|FILE")]
    pub image: Option<String>,
    /// Turn dark ink on light paper into light ink on dark paper in a picture file: yes, no, or auto, as for `kiln predict`
    #[arg(long, value_name = "auto|yes|no", default_value = "auto")]
    pub invert: Invert,
    /// Class whose score is explained [default: the predicted one]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Layer for filters, feature-maps, grad-cam, exemplars and weights
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// The images
    #[arg(long, value_enum, default_value = "test")]
    pub split: Split,
    /// The weights
    #[arg(long, value_enum, default_value = "best")]
    pub checkpoint: Checkpoint,
    /// Backend instead of the run's
    #[arg(long, visible_alias = "device", value_name = "NAME")]
    pub backend: Option<String>,
    /// Folder for the figures [default: figures in the run folder, where older ones are replaced]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Replace figures that are there
    #[arg(long, requires = "output")]
    pub force: bool,
    #[command(flatten)]
    pub threads: ThreadsArguments,
    #[command(flatten)]
    pub store: StoreArguments,
    #[command(flatten)]
    pub runs: OutputArguments,
}

/// The figures and examples.
fn help() -> String {
    let rows = VIEWS.iter();
    let figures: String = rows
        .map(|row| format!("  {:<14} {}\n", row.name, row.summary))
        .collect();
    format!(
        "Figures:\n{figures}\nEach is one SVG file that holds its pictures. Without a name all are drawn that the network has something for; layers have the names that the figures show, as conv1 or max_pool2.\n\nExample: kiln view latest\nExample: kiln view latest feature-maps grad-cam --image 7\nExample: kiln view latest occlusion --image digit.png --class 3 --output figures"
    )
}
