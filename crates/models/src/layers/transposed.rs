//! Transposed convolution: the convolution that makes maps larger.

use super::conv::DEFAULT;
use crate::{
    trace::{self, Reach, Report},
    window::Window,
};
use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, module::conv_transpose2d, ops::ConvTransposeOptions},
};

/// A transposed convolution: every value of the input puts its multiple of the
/// kernel onto the output, `stride` apart, and what falls on one place adds up
/// (M. Zeiler et al. 2010; PyTorch's `ConvTranspose2d`).
///
/// The first weights and biases are uniform in ±1/sqrt(channels out * kernel
/// height * kernel width), PyTorch's default.
#[derive(Module, Debug)]
pub struct ConvTranspose2d {
    /// `[channels in, channels out, kernel height, kernel width]`.
    pub weight: Param<Tensor<4>>,
    /// `[channels out]`.
    pub bias: Param<Tensor<1>>,
    /// Of the convolution that it is the transpose of.
    #[module(skip)]
    window: Window,
}

impl ConvTranspose2d {
    /// A square kernel with stride 1 and no padding.
    pub fn new([inputs, outputs]: [usize; 2], kernel: usize, device: &Device) -> Self {
        let fan_in = Some(outputs * kernel * kernel);
        let fan_out = Some(inputs * kernel * kernel);
        let shape = [inputs, outputs, kernel, kernel];
        Self {
            weight: DEFAULT.init_with(shape, fan_in, fan_out, device),
            bias: DEFAULT.init_with([outputs], fan_in, fan_out, device),
            window: Window::square(kernel),
        }
    }

    /// Places of the output from one value of the input to the next.
    pub fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride; 2];
        self
    }

    /// Pixels cut off on each side, fewer than half the kernel.
    pub fn padding(mut self, padding: usize) -> Self {
        self.window.padding = [padding; 2];
        self
    }

    /// # Shapes
    /// `[batch, channels in, height, width]` to `[batch, channels out,
    /// (height - 1) * stride + kernel - 2 * padding, likewise of the width]`.
    pub fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        let report = |shape| self.report(shape);
        trace::layer(maps, report, |maps| {
            let Window {
                stride, padding, ..
            } = self.window;
            let options = ConvTransposeOptions::new(stride, padding, [0, 0], [1, 1], 1);
            let bias = Some(self.bias.val());
            conv_transpose2d(maps, self.weight.val(), bias, options)
        })
    }

    fn report(&self, [batch, _, height, width]: [usize; 4]) -> Report<4> {
        let [inputs, outputs, rows, columns] = self.weight.lazy_shape().dims();
        let values = inputs * outputs * rows * columns;
        let input = [height, width];
        let [tall, wide] = [0, 1].map(|axis| self.side(input[axis], axis));
        Report {
            weight: Some(self.weight.id),
            parameters: values + outputs,
            macs: (values * height * width) as u64,
            window: Some(self.window),
            transposed: true,
            reach: self.reach(),
            ..Report::pointwise("transposed conv", [batch, outputs, tall, wide])
        }
    }

    fn side(&self, input: usize, axis: usize) -> usize {
        let full = (input - 1) * self.window.stride[axis] + self.window.kernel[axis];
        full.saturating_sub(2 * self.window.padding[axis]).max(1)
    }

    /// Kernels that lie `stride` apart overlap in at most kernel / stride
    /// places, rounded up.
    fn reach(&self) -> Reach {
        let Window { kernel, stride, .. } = self.window;
        Reach {
            span: [0, 1].map(|axis| kernel[axis].div_ceil(stride[axis]) as f64),
            stride: stride.map(|stride| 1.0 / stride as f64),
        }
    }
}
