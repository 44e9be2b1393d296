//! The zoo: one file per family, one table that names every network.
//!
//! A network takes images `[batch, channels, height, width]` and gives logits
//! `[batch, classes]`. This crate knows no data set, no optimizer and no
//! training loop.

mod activations;
pub mod alexnet;
mod classifier;
pub mod cnn;
mod count;
pub mod densenet;
pub mod encoder_decoder;
mod finite;
pub mod fully_convolutional;
mod gradients;
mod initialisation;
pub mod layers;
pub mod lenet;
pub mod lenet5_1998;
pub mod locally_connected;
pub mod mlp;
pub mod mobilenet_v2;
mod options;
pub mod preact_resnet;
mod profile;
mod refusal;
pub mod resnet;
pub mod resnet9;
mod rows;
pub mod signal;
pub mod squeezenet;
mod summary;
mod table;
mod trace;
pub mod vgg;
mod window;

pub use kiln_weights as weights;

pub use activations::{
    Activation, Sensitivity, activation, activations, input_gradient, sensitivity,
};
pub use classifier::{ConvNet, Head};
pub use cnn::Cnn;
pub use count::{materialize, parameters, parameters_where};
pub use densenet::DenseNet;
pub use encoder_decoder::EncoderDecoder;
pub use finite::first_not_finite;
pub use fully_convolutional::AllCnn;
pub use gradients::gradient_norms;
pub use initialisation::Scheme;
pub use lenet::LeNet;
pub use lenet5_1998::LeNet5;
pub use locally_connected::{LocallyConnectedNetwork, Sharing};
pub use mlp::Mlp;
pub use mobilenet_v2::MobileNetV2;
pub use options::{LastNorm, Options, Shortcut};
pub use preact_resnet::PreActResNet;
pub use profile::{TimedLayer, profile};
pub use refusal::{ModelError, Refusal};
pub use resnet::ResNet;
pub use resnet9::ResNet9;
pub use rows::MODELS;
pub use signal::SignalNetwork;
pub use squeezenet::SqueezeNet;
pub use summary::{LayerSummary, Summary, WindowSummary, summarize};
pub use table::{Form, Row, find};
pub use trace::Step;
pub use window::{Misfit, Window};

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
    /// A perceptron with any number of hidden layers.
    Mlp(Mlp),
    /// Local connections, with weight sharing or without.
    LocallyConnected(LocallyConnectedNetwork),
    /// A 1-D convolutional network.
    Signal(SignalNetwork),
    /// LeNet-5 as it is used today.
    LeNet(LeNet),
    /// LeNet-5 as published in 1998.
    LeNet5(LeNet5),
    /// Two convolutions and one or two linear layers.
    Cnn(Cnn),
    /// AlexNet, of 2012 or later.
    AlexNet(ConvNet),
    /// A VGG.
    Vgg(ConvNet),
    /// An all-convolutional network.
    AllCnn(AllCnn),
    /// An encoder-decoder.
    EncoderDecoder(EncoderDecoder),
    /// A residual network.
    ResNet(ResNet),
    /// A residual network with batch norm and ReLU before each convolution.
    PreActResNet(PreActResNet),
    /// The small residual network of DAWNBench.
    ResNet9(ResNet9),
    /// A densely connected network.
    DenseNet(DenseNet),
    /// A SqueezeNet.
    SqueezeNet(SqueezeNet),
    /// A MobileNetV2.
    MobileNetV2(MobileNetV2),
}

impl Network {
    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Mlp(network) => network.forward(images),
            Self::LocallyConnected(network) => network.forward(images),
            Self::Signal(network) => network.forward(images),
            Self::LeNet(network) => network.forward(images),
            Self::LeNet5(network) => network.forward(images),
            Self::Cnn(network) => network.forward(images),
            Self::AlexNet(network) => network.forward(images),
            Self::Vgg(network) => network.forward(images),
            Self::AllCnn(network) => network.forward(images),
            Self::EncoderDecoder(network) => network.forward(images),
            Self::ResNet(network) => network.forward(images),
            Self::PreActResNet(network) => network.forward(images),
            Self::ResNet9(network) => network.forward(images),
            Self::DenseNet(network) => network.forward(images),
            Self::SqueezeNet(network) => network.forward(images),
            Self::MobileNetV2(network) => network.forward(images),
        }
    }

    /// Path of the layer that gives the class scores, which a network for
    /// other classes has anew.
    pub fn head(&self) -> String {
        match self {
            Self::Mlp(network) => network.head(),
            Self::Cnn(network) => network.head(),
            Self::AlexNet(network) => network.head(),
            Self::Vgg(network) => network.head(),
            Self::LocallyConnected(_)
            | Self::Signal(_)
            | Self::ResNet(_)
            | Self::PreActResNet(_) => "fc".to_owned(),
            Self::LeNet(_) => "fc3".to_owned(),
            Self::LeNet5(_) => String::new(),
            Self::AllCnn(_) | Self::EncoderDecoder(_) | Self::DenseNet(_) => {
                "classifier".to_owned()
            }
            Self::ResNet9(_) => "linear".to_owned(),
            Self::SqueezeNet(_) | Self::MobileNetV2(_) => "classifier.1".to_owned(),
        }
    }

    /// The layers that an image of `input` goes through, in order. Nothing is
    /// computed, and weights that are not drawn yet stay so.
    ///
    /// # Errors
    /// When a layer does not fit the image.
    pub fn steps(&self, input: ImageSpec) -> Result<Vec<Step>, Misfit> {
        let Some(device) = self.devices().into_iter().next() else {
            return Ok(Vec::new());
        };
        trace::follow(input, &device, |images| self.forward(images)).map(|(steps, _)| steps)
    }
}

/// More classes are a mistake.
const MOST_CLASSES: usize = 1 << 20;

/// Builds the network called `name` for `task`; its parameters are drawn from
/// the device's random numbers when they are first looked at.
///
/// # Errors
/// When no network has that name, or it does not exist for such images, so
/// many classes or these options.
pub fn build(
    name: &str,
    task: &Task,
    options: &Options,
    device: &Device,
) -> Result<Network, ModelError> {
    let row = find(name)?;
    let allowed = match task.classes {
        0 | 1 => "at least 2",
        2..=MOST_CLASSES => "",
        _ => "at most 1,048,576",
    };
    if !allowed.is_empty() {
        return Err(ModelError::Classes {
            model: row.name,
            classes: task.classes,
            allowed,
        });
    }
    row.network(task, &row.choose(options)?, device)
}
