//! The network of `data/generate.py`, and where its files are.

use burn::{
    module::{Module, ModuleDisplay},
    nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, conv::Conv2d, conv::Conv2dConfig},
    tensor::Device,
};
use std::path::{Path, PathBuf};

#[derive(Module, Debug)]
pub enum Layer {
    Conv(Conv2d),
    Norm(BatchNorm),
}

#[derive(Module, Debug)]
pub struct Sequential<M: Module + ModuleDisplay> {
    pub layers: Vec<M>,
}

#[derive(Module, Debug)]
pub struct Net {
    pub features: Sequential<Layer>,
    pub fc: Linear,
}

impl Net {
    pub fn new(classes: usize) -> Self {
        let device = Device::flex();
        let layers = vec![
            Layer::Conv(Conv2dConfig::new([1, 2], [2, 2]).init(&device)),
            Layer::Norm(BatchNormConfig::new(2).init(&device)),
        ];
        Self {
            features: Sequential { layers },
            fc: LinearConfig::new(8, classes).init(&device),
        }
    }
}

/// PyTorch's names, sorted.
pub const NAMES: [&str; 8] = [
    "fc.bias",
    "fc.weight",
    "features.0.bias",
    "features.0.weight",
    "features.1.bias",
    "features.1.running_mean",
    "features.1.running_var",
    "features.1.weight",
];

/// A file of `data`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}
