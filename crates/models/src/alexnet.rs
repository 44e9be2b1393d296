//! AlexNet: the network of 2012, its form in one tower, and one for small
//! images.
//!
//! A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with
//! deep convolutional neural networks", NIPS 2012,
//! <https://papers.nips.cc/paper/4824>. A. Krizhevsky, "One weird trick for
//! parallelizing convolutional neural networks", 2014,
//! <https://arxiv.org/abs/1404.5997>.
//!
//! | layer | output of `alexnet` for 3x224x224 | parameters |
//! |---|---|---|
//! | features.0 11x11, stride 4, padding 2, ReLU | 64x55x55 | 23,296 |
//! | max pool 3x3, stride 2 | 64x27x27 | 0 |
//! | features.3 5x5, ReLU | 192x27x27 | 307,392 |
//! | max pool 3x3, stride 2 | 192x13x13 | 0 |
//! | features.6 3x3, ReLU | 384x13x13 | 663,936 |
//! | features.8 3x3, ReLU | 256x13x13 | 884,992 |
//! | features.10 3x3, ReLU | 256x13x13 | 590,080 |
//! | max pool 3x3, stride 2 | 256x6x6 | 0 |
//! | classifier.1, ReLU | 4096 | 37,752,832 |
//! | classifier.4, ReLU | 4096 | 16,781,312 |
//! | classifier.6 | 1000 | 4,097,000 |
//!
//! The original has 96, 256, 384, 384 and 256 channels, of which the second,
//! fourth and fifth convolution see only the half on their own GPU (two
//! groups), and a response norm before its first two pools.
//!
//! Differs from the papers: `alexnet` is torchvision's, with 256 and not 384
//! channels in the fourth convolution, an average pool to 6x6, and dropout
//! before the hidden layers. `alexnet-2012` pads its 224x224 images by 2, which
//! gives the paper's maps of 55x55. `alexnet-cifar` is bearpaw's, with pools of
//! 2x2 and one linear layer.

use crate::{
    Network, Options, Refusal, Task,
    classifier::{Classifier, ConvNet, Head},
    initialisation::normal,
    layers::{
        AdaptivePool, Conv, DenseSequential, Dropout, Layer, Linear, Nonlinearity, Pool,
        ResponseNorm, Sequential,
    },
    trace,
    window::Misfit,
};
use burn::{nn::Initializer, tensor::Device};

/// Which of the networks called AlexNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// The paper's of 2012: two groups, response norms, its first weights.
    Original,
    /// The one of 2014: every convolution sees all channels.
    OneTower,
    /// For images of 32x32.
    Small,
}

/// An AlexNet to be built.
#[derive(Clone, Debug)]
pub struct AlexNetConfig {
    /// Which of them.
    pub edition: Edition,
    /// Channels of each convolution.
    pub channels: [usize; 5],
    /// What gives the class scores.
    pub head: Head,
}

const KERNELS: [usize; 5] = [11, 5, 3, 3, 3];
/// Groups of the original's convolutions.
const GROUPS: [usize; 5] = [1, 2, 1, 2, 2];
/// Biases at first of the original's convolutions.
const BIASES: [f64; 5] = [0.0, 1.0, 0.0, 1.0, 1.0];
/// Convolutions that a pool follows.
const POOLED: [usize; 3] = [0, 1, 4];
/// Convolutions of the original that a response norm follows.
const NORMED: [usize; 2] = [0, 1];

impl AlexNetConfig {
    /// The network of 2012.
    pub fn original() -> Self {
        Self {
            edition: Edition::Original,
            channels: [96, 256, 384, 384, 256],
            head: Head::Hidden(4096),
        }
    }

    /// torchvision's network.
    pub fn one_tower() -> Self {
        Self {
            edition: Edition::OneTower,
            channels: [64, 192, 384, 256, 256],
            head: Head::Hidden(4096),
        }
    }

    /// The network for CIFAR-10.
    pub fn cifar() -> Self {
        Self {
            edition: Edition::Small,
            head: Head::Linear,
            ..Self::one_tower()
        }
    }

    /// The network, as one of the zoo.
    pub(crate) fn network(
        &self,
        task: &Task,
        options: &Options,
        device: &Device,
    ) -> Result<Network, Refusal> {
        Ok(Network::AlexNet(self.init(task, options, device)?))
    }

    /// The network, with [`Options::dropout`] where it has hidden layers.
    ///
    /// # Errors
    /// When the images are too small.
    pub fn init(&self, task: &Task, options: &Options, device: &Device) -> Result<ConvNet, Misfit> {
        let pooled = self.edition == Edition::OneTower;
        let mut network = ConvNet {
            features: self.features(task.input.channels, device),
            avgpool: pooled.then(|| AdaptivePool::average([6, 6])),
            classifier: Classifier::Linear(Linear::new([1, 1], device)),
        };
        let (_, [_, inputs]) = trace::follow(task.input, device, |x| network.features(x))?;
        network.classifier = match self.head {
            Head::Linear => Classifier::Linear(self.linear([inputs, task.classes], 0.0, device)),
            Head::Hidden(units) => {
                let widths = [inputs, units, task.classes];
                Classifier::Perceptron(self.perceptron(widths, options, device))
            }
        };
        Ok(network)
    }

    fn features(&self, inputs: usize, device: &Device) -> Sequential {
        let mut layers: Vec<Layer> = Vec::new();
        for at in 0..self.channels.len() {
            layers.push(self.conv(inputs, at).init(device).into());
            layers.push(Nonlinearity::Relu.layer(device).into());
            if self.edition == Edition::Original && NORMED.contains(&at) {
                layers.push(ResponseNorm::new().into());
            }
            if POOLED.contains(&at) {
                let pool = match self.edition {
                    Edition::Small => Pool::max(2),
                    Edition::Original | Edition::OneTower => Pool::max(3).stride(2),
                };
                layers.push(pool.into());
            }
        }
        Sequential::new(layers)
    }

    fn conv(&self, images: usize, at: usize) -> Conv {
        let outputs = self.channels[at];
        let conv = match at {
            0 => Conv::new(images, outputs, KERNELS[0])
                .stride(4)
                .padding(match self.edition {
                    Edition::Small => 5,
                    Edition::Original | Edition::OneTower => 2,
                }),
            _ => Conv::new(self.channels[at - 1], outputs, KERNELS[at]).same(),
        };
        match self.edition {
            Edition::OneTower | Edition::Small => conv,
            Edition::Original => conv
                .groups(GROUPS[at])
                .weights(normal(0.01))
                .biases(Initializer::Constant { value: BIASES[at] }),
        }
    }

    fn perceptron(
        &self,
        [inputs, units, classes]: [usize; 3],
        options: &Options,
        device: &Device,
    ) -> DenseSequential {
        let dropout = || Dropout::new(options.dropout.unwrap_or(0.5)).into();
        let relu = || Nonlinearity::Relu.layer(device).into();
        let first = self.linear([inputs, units], 1.0, device).into();
        let second = self.linear([units, units], 1.0, device).into();
        let last = self.linear([units, classes], 0.0, device).into();
        DenseSequential::new(match self.edition {
            Edition::OneTower => vec![dropout(), first, relu(), dropout(), second, relu(), last],
            Edition::Original | Edition::Small => {
                vec![first, relu(), dropout(), second, relu(), dropout(), last]
            }
        })
    }

    /// A linear layer; `bias` is the original's.
    fn linear(&self, sizes: [usize; 2], bias: f64, device: &Device) -> Linear {
        match self.edition {
            Edition::OneTower | Edition::Small => Linear::new(sizes, device),
            Edition::Original => {
                let biases = Initializer::Constant { value: bias };
                Linear::drawn(sizes, [normal(0.01), biases], device)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, Task, build};
    use burn::tensor::Device;
    use kiln_vision::ImageSpec;

    #[test]
    fn the_maps_are_the_papers() {
        let task = Task {
            input: ImageSpec::new(3, 224, 224),
            classes: 1000,
        };
        let network =
            build("alexnet-2012", &task, &Options::default(), &Device::flex()).expect("builds");
        let steps = network.steps(task.input).expect("fits");
        let windowed = steps.iter().filter(|step| step.window.is_some());
        let sides: Vec<usize> = windowed.map(|step| step.output[1]).collect();
        assert_eq!(sides, [55, 27, 27, 13, 13, 13, 13, 6]);
        let kinds: Vec<&str> = steps.iter().map(|step| step.kind).take(4).collect();
        assert_eq!(kinds, ["conv", "ReLU", "response norm", "max pool"]);
    }

    #[test]
    fn the_smallest_image_is_63x63() {
        let of = |side| Task {
            input: ImageSpec::new(3, side, side),
            classes: 10,
        };
        let build = |side| build("alexnet", &of(side), &Options::default(), &Device::flex());
        assert!(build(63).is_ok());
        let message = build(62).err().map(|error| error.to_string());
        let message = message.unwrap_or_default();
        assert!(message.contains("takes is 63x63"), "{message}");
    }
}
