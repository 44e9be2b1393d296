//! The zoo as a library: build a network, load weights, look at it, use it.
//!
//! `cargo run --release -p kiln-models --example zoo [WEIGHTS]`

use burn::tensor::{Device, Tensor, activation::softmax};
use kiln_models::{Options, build, find, summarize, weights::load_weights};
use std::{error::Error, io::Write, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let task = find("resnet20")?.form.task();
    let device = Device::flex();
    device.seed(1);
    let mut network = build("resnet20", &task, &Options::default(), &device)?;
    if let Some(weights) = std::env::args().nth(1) {
        network = load_weights(network, Path::new(&weights))?;
    }
    let summary = summarize("resnet20", &network, &task)?;
    let images = Tensor::zeros([2, 3, 32, 32], &device);
    let probabilities = softmax(network.forward(images), 1);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} parameters, {} multiply-accumulates\n{probabilities}",
        summary.params, summary.macs
    )?;
    Ok(())
}
