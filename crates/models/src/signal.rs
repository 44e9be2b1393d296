//! A 1-D convolutional network for signals of any length.
//!
//! A. Waibel, T. Hanazawa, G. Hinton, K. Shikano, K. J. Lang, "Phoneme
//! recognition using time-delay neural networks", IEEE Trans. ASSP 37(3), 1989,
//! sections II and III: kernels that slide over time, and evidence added up
//! over time, so that it does not matter when something happens. Pixels read
//! row by row as a signal (sequential MNIST): Q. V. Le, N. Jaitly, G. E.
//! Hinton, "A simple way to initialize recurrent networks of rectified linear
//! units", 2015, section 4.2, <https://arxiv.org/abs/1504.00941>.
//!
//! | layer | output for 1x28x28 | parameters |
//! |---|---|---|
//! | row by row | 1x1x784 | 0 |
//! | conv1 1x9, stride 4, ReLU | 16x1x196 | 160 |
//! | conv2 1x9, stride 4, ReLU | 32x1x49 | 4,640 |
//! | conv3 1x9, stride 2, ReLU | 64x1x25 | 18,496 |
//! | average pool over time | 64 | 0 |
//! | fc | 10 | 650 |
//!
//! A signal is an image of height 1: `[batch, channels, 1, samples]`. The
//! parameters are as many for a hundred samples as for a million.
//!
//! Differs from the paper: raw samples instead of 16 bands of a spectrogram,
//! ReLU instead of sigmoids, three layers, a linear layer after the pooling,
//! which is the mean or the maximum instead of a sum of squares; the sum is
//! left to choose.

use crate::{
    Options, Refusal, Task,
    layers::{Conv, Conv2d, Dropout, Linear, Pool, Pooling, flatten, relu},
    trace::{self, Report},
    window::Window,
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// Taps of every kernel.
const TAPS: usize = 9;

/// See the [module](self).
#[derive(Module, Debug)]
pub struct SignalNetwork {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    #[module(skip)]
    pooling: Pooling,
    dropout: Option<Dropout>,
    fc: Linear,
}

impl SignalNetwork {
    /// The network, with [`Options::dropout`] before its last layer;
    /// [`Options::pooling`] over time is its choice: sum, average or max.
    ///
    /// # Errors
    /// When another pooling is chosen.
    pub fn new(task: &Task, options: &Options, device: &Device) -> Result<Self, Refusal> {
        let pooling = options.pooling.unwrap_or(Pooling::Average);
        let refused = match pooling {
            Pooling::Sum | Pooling::Average | Pooling::Max => None,
            Pooling::L2 => Some("l2"),
            Pooling::Gaussian => Some("gaussian"),
            Pooling::Stride => Some("stride"),
        };
        if let Some(name) = refused {
            return Err(Refusal::Option(format!(
                "pooling is {name}, but over time it is sum, average or max"
            )));
        }
        let conv = |inputs, outputs, stride| {
            let window = Window {
                stride: [1, stride],
                ..Window::new([1, TAPS])
            };
            let conv = Conv::new(inputs, outputs, TAPS).window(window);
            conv.same().init(device)
        };
        Ok(Self {
            conv1: conv(task.input.channels, 16, 4),
            conv2: conv(16, 32, 4),
            conv3: conv(32, 64, 2),
            pooling,
            dropout: Dropout::chosen(options),
            fc: Linear::new([64, task.classes], device),
        })
    }

    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = row_by_row(images); // [batch, channels, 1, 784]
        let x = relu(self.conv1.forward(x)); // [batch, 16, 1, 196]
        let x = relu(self.conv2.forward(x)); // [batch, 32, 1, 49]
        let x = relu(self.conv3.forward(x)); // [batch, 64, 1, 25]
        let [_, _, _, length] = x.dims();
        let time = Window::new([1, length]);
        let x = Pool::new(self.pooling, 1).window(time).forward(x); // [batch, 64, 1, 1]
        self.fc.forward(Dropout::maybe(&self.dropout, flatten(x)))
    }
}

/// Images as signals: one row after the other.
fn row_by_row(images: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let shape = [batch, channels, 1, height * width];
    let report = |_| Report::pointwise("row by row", shape);
    trace::layer(images, report, |images| images.reshape(shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModelError, Network, build, parameters};
    use burn::tensor::Int;
    use kiln_vision::ImageSpec;

    fn network(pooling: Pooling, input: ImageSpec) -> Result<Network, ModelError> {
        let options = Options {
            pooling: Some(pooling),
            ..Options::default()
        };
        let task = Task { input, classes: 10 };
        build("signal", &task, &options, &Device::flex())
    }

    #[test]
    fn more_samples_need_no_more_parameters() {
        for pooling in [Pooling::Sum, Pooling::Average, Pooling::Max] {
            for length in [1, 9, 784, 16_000] {
                let input = ImageSpec::new(1, 1, length);
                let network = network(pooling, input).expect("takes any length");
                assert_eq!(parameters(&network), 23_946);
                let wave = Tensor::ones([2, 1, 1, length], &Device::flex());
                assert_eq!(network.forward(wave).dims(), [2, 10]);
            }
        }
    }

    #[test]
    fn an_image_is_its_rows_one_after_the_other() {
        let network = network(Pooling::Average, ImageSpec::MNIST).expect("builds");
        let values = Tensor::<1, Int>::arange(0..784, &Device::flex()).float();
        let values = values.sin();
        let image = network.forward(values.clone().reshape([1, 1, 28, 28]));
        let wave = network.forward(values.reshape([1, 1, 1, 784]));
        assert_eq!(image.into_data(), wave.into_data());
    }

    #[test]
    fn pooling_over_time_is_sum_average_or_max() {
        for pooling in [Pooling::L2, Pooling::Gaussian, Pooling::Stride] {
            let error = network(pooling, ImageSpec::MNIST).err();
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            let expected = "but over time it is sum, average or max";
            assert!(message.contains(expected), "{message}");
        }
    }
}
