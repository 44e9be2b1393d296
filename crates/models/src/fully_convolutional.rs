//! All-CNN-C: a fully convolutional network, without pooling and without a
//! fully connected layer; it takes images of any size from 9x9.
//!
//! J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, "Striving for
//! simplicity: the all convolutional net", ICLR workshop 2015, tables 1 and 2,
//! <https://arxiv.org/abs/1412.6806>. Scores for every place of an image: J.
//! Long, E. Shelhamer, T. Darrell, "Fully convolutional networks for semantic
//! segmentation", CVPR 2015, <https://arxiv.org/abs/1411.4038>. The global
//! average in place of the fully connected layer: M. Lin, Q. Chen, S. Yan,
//! "Network in network", ICLR 2014, <https://arxiv.org/abs/1312.4400>.
//!
//! | layer | output for 3x32x32 | parameters |
//! |---|---|---|
//! | dropout | 3x32x32 | 0 |
//! | block1.0 3x3, ReLU | 96x32x32 | 2,688 |
//! | block1.1 3x3, ReLU | 96x32x32 | 83,040 |
//! | block1.2 3x3, stride 2, ReLU, dropout | 96x16x16 | 83,040 |
//! | block2.0 3x3, ReLU | 192x16x16 | 166,080 |
//! | block2.1 3x3, ReLU | 192x16x16 | 331,968 |
//! | block2.2 3x3, stride 2, ReLU, dropout | 192x8x8 | 331,968 |
//! | block3.0 3x3 without padding, ReLU | 192x6x6 | 331,968 |
//! | block3.1 1x1, ReLU | 192x6x6 | 37,056 |
//! | classifier 1x1 | 10x6x6 | 1,930 |
//! | global average pool | 10 | 0 |
//!
//! Differs from the paper: no ReLU after the last layer, which would take the
//! scores their sign, and weights by He et al. 2015, since the paper names no
//! initialisation.

use crate::{
    Options, Task,
    initialisation::HE,
    layers::{Conv, Conv2d, Dropout, global_average, relu},
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// Dropout of the image, as a share of that after a convolution with stride:
/// the paper's 0.2 and 0.5.
const ON_THE_IMAGE: f64 = 0.4;

/// See the [module](self).
#[derive(Module, Debug)]
pub struct AllCnn {
    input_dropout: Dropout,
    block1: Vec<Conv2d>,
    block2: Vec<Conv2d>,
    block3: Vec<Conv2d>,
    classifier: Conv2d,
    dropout: Dropout,
}

impl AllCnn {
    /// The network; [`Options::dropout`] is its choice, with 0.4 times as much
    /// for the image itself.
    pub fn new(task: &Task, options: &Options, device: &Device) -> Self {
        let dropout = options.dropout.unwrap_or(0.5);
        let conv = |inputs, outputs, kernel| Conv::new(inputs, outputs, kernel).weights(HE);
        let same = |inputs, outputs| conv(inputs, outputs, 3).same().init(device);
        let halving = |channels| conv(channels, channels, 3).same().stride(2).init(device);
        Self {
            input_dropout: Dropout::new(ON_THE_IMAGE * dropout),
            block1: vec![same(task.input.channels, 96), same(96, 96), halving(96)],
            block2: vec![same(96, 192), same(192, 192), halving(192)],
            block3: vec![
                conv(192, 192, 3).init(device),
                conv(192, 192, 1).init(device),
            ],
            classifier: conv(192, task.classes, 1).init(device),
            dropout: Dropout::new(dropout),
        }
    }

    /// Class scores before the softmax: the mean of [`Self::score_map`].
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        global_average(self.score_map(images))
    }

    /// Class scores of every part of the images; neighbouring parts are four
    /// pixels apart.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to
    /// `[batch, classes, height / 4 - 2, width / 4 - 2]`, the quarters rounded up.
    pub fn score_map(&self, images: Tensor<4>) -> Tensor<4> {
        let through = |x, conv: &Conv2d| relu(conv.forward(x));
        let x = self.input_dropout.forward(images);
        let x = self.block1.iter().fold(x, through); // [batch, 96, 16, 16]
        let x = self.dropout.forward(x);
        let x = self.block2.iter().fold(x, through); // [batch, 192, 8, 8]
        let x = self.dropout.forward(x);
        let x = self.block3.iter().fold(x, through); // [batch, 192, 6, 6]
        self.classifier.forward(x) // [batch, classes, 6, 6]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_vision::ImageSpec;

    #[test]
    fn the_same_weights_take_images_of_any_size_from_nine_pixels() {
        let device = Device::flex();
        let task = Task {
            input: ImageSpec::CIFAR,
            classes: 10,
        };
        let network = AllCnn::new(&task, &Options::default(), &device);
        for ([height, width], map) in [
            ([9, 9], [1, 1]),
            ([13, 18], [2, 3]),
            ([32, 32], [6, 6]),
            ([41, 32], [9, 6]),
        ] {
            let images = Tensor::ones([1, 3, height, width], &device);
            let scores = network.score_map(images.clone());
            assert_eq!(scores.dims(), [1, 10, map[0], map[1]]);
            assert_eq!(network.forward(images).dims(), [1, 10]);
        }
    }

    #[test]
    fn the_class_scores_are_the_mean_of_the_map() {
        let device = Device::flex();
        let task = Task {
            input: ImageSpec::CIFAR,
            classes: 3,
        };
        let network = AllCnn::new(&task, &Options::default(), &device);
        let images = Tensor::<1, burn::tensor::Int>::arange(0..3 * 20 * 20, &device)
            .float()
            .reshape([1, 3, 20, 20])
            .sin();
        let map = network
            .score_map(images.clone())
            .reshape([1, 3, 9])
            .mean_dim(2);
        let difference = map.reshape([1, 3]) - network.forward(images);
        assert!(difference.abs().max().into_scalar::<f32>() < 1e-5);
    }

    #[test]
    fn images_below_nine_pixels_are_refused() {
        let task = Task {
            input: ImageSpec::new(3, 8, 8),
            classes: 10,
        };
        let refused = crate::build("fcn", &task, &Options::default(), &Device::flex()).err();
        let message = refused.map(|error| error.to_string()).unwrap_or_default();
        assert!(message.ends_with("it takes is 9x9"), "{message}");
    }
}
