//! VGG: stacks of 3x3 convolutions, with and without batch norm, for ImageNet
//! and for small images.
//!
//! K. Simonyan, A. Zisserman, "Very deep convolutional networks for
//! large-scale image recognition", ICLR 2015, table 1,
//! <https://arxiv.org/abs/1409.1556>.
//!
//! | layer | output of VGG-16 for 3x224x224 | parameters |
//! |---|---|---|
//! | 2 times 3x3, ReLU; max pool 2x2 | 64x112x112 | 38,720 |
//! | 2 times 3x3, ReLU; max pool 2x2 | 128x56x56 | 221,440 |
//! | 3 times 3x3, ReLU; max pool 2x2 | 256x28x28 | 1,475,328 |
//! | 3 times 3x3, ReLU; max pool 2x2 | 512x14x14 | 5,899,776 |
//! | 3 times 3x3, ReLU; max pool 2x2 | 512x7x7 | 7,079,424 |
//! | classifier.0, ReLU, dropout | 4096 | 102,764,544 |
//! | classifier.3, ReLU, dropout | 4096 | 16,781,312 |
//! | classifier.6 | 1000 | 4,097,000 |
//!
//! Differs from the paper: an average pool to 7x7 lets images of other sizes
//! in, and the first weights are He's, as torchvision has both. The forms with
//! batch norm keep the biases of the convolutions. The forms for CIFAR-10 have
//! one linear layer after the last pool. `width` multiplies the channels and
//! the hidden units, each to the nearest whole number.

use crate::{
    Network, Options, Refusal, Task,
    classifier::{self, Classifier, ConvNet, Head},
    initialisation::{HE_FAN_OUT, normal},
    layers::{
        AdaptivePool, BatchNorm, Conv, DenseLayer, DenseSequential, Dropout, Layer, Linear,
        Nonlinearity, Pool, Sequential,
    },
    trace,
    window::Misfit,
};
use burn::{nn::Initializer, tensor::Device};

/// What stands between a convolution and its ReLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// Nothing.
    None,
    /// A batch norm.
    Batch,
}

/// A VGG to be built.
#[derive(Clone, Debug)]
pub struct VggConfig {
    /// Channels and number of convolutions of each stage; a pool ends it.
    pub stages: [(usize, usize); 5],
    /// What stands between a convolution and its ReLU.
    pub norm: Norm,
    /// What gives the class scores; hidden layers follow a pool to 7x7.
    pub head: Head,
}

impl VggConfig {
    /// Column A of the paper's table.
    pub fn vgg11() -> Self {
        Self::new([1, 1, 2, 2, 2])
    }

    /// Column B of the paper's table.
    pub fn vgg13() -> Self {
        Self::new([2, 2, 2, 2, 2])
    }

    /// Column D of the paper's table.
    pub fn vgg16() -> Self {
        Self::new([2, 2, 3, 3, 3])
    }

    /// Column E of the paper's table.
    pub fn vgg19() -> Self {
        Self::new([2, 2, 4, 4, 4])
    }

    fn new([first, second, third, fourth, fifth]: [usize; 5]) -> Self {
        Self {
            stages: [
                (64, first),
                (128, second),
                (256, third),
                (512, fourth),
                (512, fifth),
            ],
            norm: Norm::None,
            head: Head::Hidden(4096),
        }
    }

    /// A batch norm after each convolution.
    pub fn batch_norm(self) -> Self {
        Self {
            norm: Norm::Batch,
            ..self
        }
    }

    /// One linear layer at the end, for small images.
    pub fn small(self) -> Self {
        Self {
            head: Head::Linear,
            ..self
        }
    }

    /// The network, as one of the zoo.
    pub(crate) fn network(
        &self,
        task: &Task,
        options: &Options,
        device: &Device,
    ) -> Result<Network, Refusal> {
        Ok(Network::Vgg(self.init(task, options, device)?))
    }

    /// The network, with [`Options::width`], and [`Options::dropout`] where it
    /// has hidden layers.
    ///
    /// # Errors
    /// When the images are smaller than 32x32.
    pub fn init(&self, task: &Task, options: &Options, device: &Device) -> Result<ConvNet, Misfit> {
        let pooled = self.head != Head::Linear;
        let mut network = ConvNet {
            features: self.features(task.input.channels, options, device),
            avgpool: pooled.then(|| AdaptivePool::average([7, 7])),
            classifier: Classifier::Linear(linear([1, 1], device)),
        };
        let (_, [_, inputs]) = trace::follow(task.input, device, |x| network.features(x))?;
        network.classifier = match self.head {
            Head::Linear => Classifier::Linear(linear([inputs, task.classes], device)),
            Head::Hidden(units) => {
                let widths = [inputs, options.widened(units), task.classes];
                Classifier::Perceptron(perceptron(widths, options, device))
            }
        };
        Ok(network)
    }

    fn features(&self, images: usize, options: &Options, device: &Device) -> Sequential {
        let mut layers: Vec<Layer> = Vec::new();
        let mut inputs = images;
        for (channels, convolutions) in self.stages {
            let channels = options.widened(channels);
            for _ in 0..convolutions {
                let conv = Conv::new(inputs, channels, 3).same();
                layers.push(conv.weights(HE_FAN_OUT).init(device).into());
                if self.norm == Norm::Batch {
                    layers.push(BatchNorm::new(channels, device).into());
                }
                layers.push(Nonlinearity::Relu.layer(device).into());
                inputs = channels;
            }
            layers.push(Pool::max(2).into());
        }
        Sequential::new(layers)
    }
}

fn perceptron(
    [inputs, units, classes]: [usize; 3],
    options: &Options,
    device: &Device,
) -> DenseSequential {
    let mut layers: Vec<DenseLayer> = Vec::new();
    for inputs in [inputs, units] {
        layers.push(linear([inputs, units], device).into());
        layers.push(Nonlinearity::Relu.layer(device).into());
        layers.push(Dropout::new(options.dropout.unwrap_or(0.5)).into());
    }
    layers.push(linear([units, classes], device).into());
    DenseSequential::new(layers)
}

fn linear(sizes: [usize; 2], device: &Device) -> Linear {
    Linear::drawn(sizes, [normal(0.01), Initializer::Zeros], device)
}

/// What can be chosen of a VGG.
pub(crate) fn options() -> Options {
    Options {
        width: Some(1.0),
        ..classifier::options()
    }
}

/// The same without hidden layers.
pub(crate) fn small_options() -> Options {
    Options {
        dropout: None,
        ..options()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, Task, build};
    use burn::tensor::Device;
    use kiln_vision::ImageSpec;

    #[test]
    fn both_forms_take_images_from_32x32_on() {
        for (name, inputs) in [("vgg11", 512 * 7 * 7), ("vgg11-bn-cifar", 512 * 2 * 2)] {
            let of = |side| Task {
                input: ImageSpec::new(3, side, side),
                classes: 10,
            };
            let build = |side| build(name, &of(side), &Options::default(), &Device::flex());
            let steps = build(64)
                .expect("builds")
                .steps(of(64).input)
                .expect("fits");
            let flat = steps.iter().find(|step| step.kind == "flatten");
            assert_eq!(flat.expect("flattens").output, [inputs]);
            assert!(build(32).is_ok());
            let message = build(31).err().map(|error| error.to_string());
            let message = message.unwrap_or_default();
            assert!(message.contains("takes is 32x32"), "{message}");
        }
    }
}
