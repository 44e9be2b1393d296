//! Flags of `playground`.

use super::{Checkpoint, OutputArguments, ThreadsArguments};
use clap::Args;
use std::net::{IpAddr, Ipv4Addr};

/// Flags of `playground`.
#[derive(Args)]
#[command(
    after_help = "Prints the address of the page. It answers to this machine alone unless --host says otherwise; Ctrl-C ends it.\n\nExample: kiln playground latest\nExample: kiln playground 20261121-101500-mlp-mnist 20261121-102000-lenet-mnist"
)]
pub struct PlaygroundArguments {
    /// Run folders, at most two: paths, names, or latest [default: latest]
    #[arg(value_name = "RUN", num_args = 0..=2)]
    pub runs: Vec<String>,
    /// Port; 0 takes any that is free
    #[arg(long, default_value_t = 8300, value_name = "N")]
    pub port: u16,
    /// Address to listen at; with one that is not this machine's own, such as 0.0.0.0, everyone who reaches it can use the networks, without password or encryption
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    pub host: IpAddr,
    /// The weights
    #[arg(long, value_enum, default_value = "best")]
    pub checkpoint: Checkpoint,
    #[command(flatten)]
    pub threads: ThreadsArguments,
    #[command(flatten)]
    pub output: OutputArguments,
}
