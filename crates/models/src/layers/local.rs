//! Local connections without weight sharing.

use super::conv::DEFAULT;
use crate::{
    trace::{self, Report},
    window::{Misfit, Window},
};
use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, module::unfold4d, ops::UnfoldOptions},
};

/// What layers of this kind are called where they are listed.
const KIND: &str = "locally connected";

/// A convolution with a kernel and a bias of its own at every position: Y.
/// LeCun 1989, Keras' `LocallyConnected2D`. It takes images of one size only.
#[derive(Module, Debug)]
pub struct LocallyConnected {
    /// `[positions, channels in * kernel height * kernel width, channels out]`,
    /// the positions row by row.
    pub weight: Param<Tensor<3>>,
    /// `[channels out, height out, width out]`.
    pub bias: Param<Tensor<3>>,
    #[module(skip)]
    window: Window,
}

impl LocallyConnected {
    /// The layer for maps of `[height, width]`; weights and biases are uniform
    /// in ±1/sqrt(inputs of a unit).
    ///
    /// # Errors
    /// When the window has no position on such maps.
    pub fn new(
        [inputs, outputs]: [usize; 2],
        window: Window,
        maps: [usize; 2],
        device: &Device,
    ) -> Result<Self, Misfit> {
        if let Some(misfit) = window.misfit(KIND, maps) {
            return Err(misfit);
        }
        let [height, width] = window.output(maps).unwrap_or([1, 1]);
        let [rows, columns] = window.kernel;
        let seen = inputs * rows * columns;
        let (fan_in, fan_out) = (Some(seen), Some(outputs * rows * columns));
        let weights = [height * width, seen, outputs];
        let biases = [outputs, height, width];
        Ok(Self {
            weight: DEFAULT.init_with(weights, fan_in, fan_out, device),
            bias: DEFAULT.init_with(biases, fan_in, fan_out, device),
            window,
        })
    }

    /// # Shapes
    /// `[batch, channels in, height, width]` to
    /// `[batch, channels out, height out, width out]`.
    pub fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        let report = |shape| self.report(shape);
        trace::layer(maps, report, |maps| self.connect(maps))
    }

    fn connect(&self, maps: Tensor<4>) -> Tensor<4> {
        let Window {
            kernel,
            stride,
            padding,
            dilation,
            ..
        } = self.window;
        let options = UnfoldOptions::new(stride, padding, dilation);
        let seen = unfold4d(maps, kernel, options); // [batch, inputs, positions]
        let seen = seen.permute([2, 0, 1]); // [positions, batch, inputs]
        let values = seen.matmul(self.weight.val()); // [positions, batch, outputs]
        let batch = values.dims()[1];
        let bias = self.bias.val();
        let [outputs, height, width] = bias.dims();
        let values = values.permute([1, 2, 0]); // [batch, outputs, positions]
        values.reshape([batch, outputs, height, width]) + bias.unsqueeze_dim(0)
    }

    fn report(&self, [batch, _, height, width]: [usize; 4]) -> Report<4> {
        let weights = self.weight.lazy_shape().num_elements();
        let biases = self.bias.lazy_shape();
        let [height, width] = self.window.output([height, width]).unwrap_or([1, 1]);
        Report {
            weight: Some(self.weight.id),
            parameters: weights + biases.num_elements(),
            macs: weights as u64,
            ..Report::windowed(KIND, self.window, [batch, biases[0], height, width])
        }
    }
}
