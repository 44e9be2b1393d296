//! The zoo: one file per family, one table that names every network.
//!
//! A network takes images `[batch, channels, height, width]` and gives logits
//! `[batch, classes]`. This crate knows no data set, no optimizer and no
//! training loop.

mod count;
pub mod lenet;
pub mod lenet5_1998;
pub mod mlp;
mod table;

pub use count::{materialize, parameters};
pub use lenet::LeNet;
pub use lenet5_1998::LeNet5;
pub use mlp::Mlp;
pub use table::{MODELS, ModelError, Row, find};

use burn::{module::Module, tensor::Device, tensor::Tensor};
use kiln_vision::ImageSpec;

/// What a network is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Shape of the images.
    pub input: ImageSpec,
    /// Number of classes.
    pub classes: usize,
}

/// Any network of the zoo.
#[derive(Module, Debug)]
pub enum Network {
    /// The three-layer perceptron.
    Mlp(Mlp),
    /// LeNet-5 as it is used today.
    LeNet(LeNet),
    /// LeNet-5 as published in 1998.
    LeNet5(LeNet5),
}

impl Network {
    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Mlp(network) => network.forward(images),
            Self::LeNet(network) => network.forward(images),
            Self::LeNet5(network) => network.forward(images),
        }
    }
}

/// Builds the network called `name` for `task`, its parameters drawn from the
/// device's random numbers.
///
/// # Errors
/// When no network has that name, or it does not exist for such images or so
/// many classes.
pub fn build(name: &str, task: &Task, device: &Device) -> Result<Network, ModelError> {
    let row = find(name)?;
    if task.classes < 2 {
        return Err(ModelError::Classes {
            model: row.name,
            classes: task.classes,
            allowed: "at least 2",
        });
    }
    (row.build)(task, device)
}
