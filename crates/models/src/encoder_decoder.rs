//! An encoder-decoder: convolutions and pooling make the image small,
//! transposed convolutions make it as large again, and every pixel gets the
//! scores of every class.
//!
//! J. Long, E. Shelhamer, T. Darrell, "Fully convolutional networks for
//! semantic segmentation", CVPR 2015, section 3.3 (upsampling by transposed
//! convolution), <https://arxiv.org/abs/1411.4038>. H. Noh, S. Hong, B. Han,
//! "Learning deconvolution network for semantic segmentation", ICCV 2015 (a
//! decoder that mirrors the encoder), <https://arxiv.org/abs/1505.04366>.
//!
//! | layer | output for 3x32x32 | parameters |
//! |---|---|---|
//! | encoder.0 3x3, ReLU | 32x32x32 | 896 |
//! | max pool 2x2 | 32x16x16 | 0 |
//! | encoder.1 3x3, ReLU | 64x16x16 | 18,496 |
//! | max pool 2x2 | 64x8x8 | 0 |
//! | bottleneck 3x3, ReLU | 128x8x8 | 73,856 |
//! | decoder.0 transposed 2x2, stride 2, ReLU | 64x16x16 | 32,832 |
//! | decoder.1 transposed 2x2, stride 2, ReLU | 32x32x32 | 8,224 |
//! | classifier 1x1 | 10x32x32 | 330 |
//! | global average pool | 10 | 0 |
//!
//! The image's class scores are the mean of its pixels' scores, so that it
//! learns from images with one class each. Images have any size: the
//! pools count windows that hang over the edge, and what the decoder gives
//! beyond the image is cut off.
//!
//! Differs from the papers: small, for small images; neither unpooling nor
//! connections from the encoder to the decoder.

use crate::{
    Task,
    layers::{Conv, Conv2d, ConvTranspose2d, Pool, global_average, relu},
    trace::{self, Report},
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// See the [module](self).
#[derive(Module, Debug)]
pub struct EncoderDecoder {
    encoder: Vec<Conv2d>,
    pool: Pool,
    bottleneck: Conv2d,
    decoder: Vec<ConvTranspose2d>,
    classifier: Conv2d,
}

impl EncoderDecoder {
    /// The network.
    pub fn new(task: &Task, device: &Device) -> Self {
        let conv = |inputs, outputs| Conv::new(inputs, outputs, 3).same().init(device);
        let up = |channels| ConvTranspose2d::new(channels, 2, device).stride(2);
        Self {
            encoder: vec![conv(task.input.channels, 32), conv(32, 64)],
            pool: Pool::max(2).ceil(),
            bottleneck: conv(64, 128),
            decoder: vec![up([128, 64]), up([64, 32])],
            classifier: Conv::new(32, task.classes, 1).init(device),
        }
    }

    /// Class scores of the images before the softmax: the mean of
    /// [`Self::per_pixel`].
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        global_average(self.per_pixel(images))
    }

    /// Class scores of every pixel before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes, height, width]`.
    pub fn per_pixel(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = images.dims();
        let down = |x, conv: &Conv2d| self.pool.forward(relu(conv.forward(x)));
        let up = |x, conv: &ConvTranspose2d| relu(conv.forward(x));
        let x = self.encoder.iter().fold(images, down); // [batch, 64, 8, 8]
        let x = relu(self.bottleneck.forward(x)); // [batch, 128, 8, 8]
        let x = self.decoder.iter().fold(x, up); // [batch, 32, 32, 32]
        self.classifier.forward(crop(x, [height, width]))
    }
}

/// The upper left `height` x `width` of maps.
fn crop(maps: Tensor<4>, [height, width]: [usize; 2]) -> Tensor<4> {
    let [batch, channels, tall, wide] = maps.dims();
    if [tall, wide] == [height, width] {
        return maps;
    }
    let shape = [batch, channels, height, width];
    let report = |_| Report::pointwise("crop", shape);
    trace::layer(maps, report, |maps| maps.slice(shape.map(|side| 0..side)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_vision::ImageSpec;

    #[test]
    fn every_pixel_has_scores_whatever_the_size_of_the_image() {
        let device = Device::flex();
        let task = Task {
            input: ImageSpec::CIFAR,
            classes: 10,
        };
        let network = EncoderDecoder::new(&task, &device);
        for [height, width] in [[1, 1], [2, 3], [5, 4], [7, 9], [32, 32], [33, 30]] {
            let images = Tensor::ones([2, 3, height, width], &device);
            assert_eq!(network.forward(images.clone()).dims(), [2, 10]);
            let scores = network.per_pixel(images);
            assert_eq!(scores.dims(), [2, 10, height, width]);
            let input = ImageSpec::new(3, height, width);
            let followed = trace::follow(input, &device, |x| network.per_pixel(x));
            let followed = followed.map(|(_, shape)| shape);
            assert_eq!(followed, Ok([1, 10, height, width]));
        }
    }
}
