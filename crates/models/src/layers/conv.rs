//! Convolution over images, with three ways to continue them at the edge, or none.

use crate::{
    trace::{self, Report},
    window::Window,
};
use burn::{
    module::{Module, Param},
    nn::Initializer,
    tensor::{Device, Tensor, ops::ConvOptions, ops::PadMode},
};
use kiln_kernels::conv2d;
use serde::{Deserialize, Serialize};

/// Weights and biases uniform in ±1/sqrt(fan in): PyTorch's default, and
/// Burn's.
pub(crate) const DEFAULT: Initializer = Initializer::KaimingUniform {
    gain: 0.577_350_269_189_625_8, // 1 / sqrt(3)
    fan_out_only: false,
};

/// How an image goes on beyond its edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edges {
    /// With zeros.
    #[default]
    Zeros,
    /// Mirrored at the outermost pixel, which is not repeated.
    Reflect,
    /// With the outermost pixel.
    Replicate,
    /// Not at all: there is no padding, and the map becomes smaller.
    Valid,
}

/// A convolution to be built.
#[derive(Clone, Debug)]
pub struct Conv {
    channels: [usize; 2],
    window: Window,
    groups: usize,
    has_bias: bool,
    edges: Edges,
    weights: Initializer,
    biases: Initializer,
}

impl Conv {
    /// A square kernel with stride 1, no padding and a bias.
    pub fn new(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Self {
            channels: [inputs, outputs],
            window: Window::square(kernel),
            groups: 1,
            has_bias: true,
            edges: Edges::Zeros,
            weights: DEFAULT,
            biases: DEFAULT,
        }
    }

    /// Another window.
    pub fn window(self, window: Window) -> Self {
        Self { window, ..self }
    }

    /// Steps between the kernel's positions.
    pub fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride; 2];
        self
    }

    /// Pixels added on each side.
    pub fn padding(mut self, padding: usize) -> Self {
        self.window.padding = [padding; 2];
        self
    }

    /// As many pixels added as keep the size at stride 1; the kernel is odd.
    pub fn same(mut self) -> Self {
        self.window.padding = [0, 1].map(|axis| (self.window.span(axis) - 1) / 2);
        self
    }

    /// Distance between the kernel's elements.
    pub fn dilation(mut self, dilation: usize) -> Self {
        self.window.dilation = [dilation; 2];
        self
    }

    /// Independent groups of channels; as many as channels make it depthwise.
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Leaves the bias away, as before a batch norm.
    pub fn no_bias(self) -> Self {
        Self {
            has_bias: false,
            ..self
        }
    }

    /// How the image goes on beyond its edge.
    pub fn edges(self, edges: Edges) -> Self {
        Self { edges, ..self }
    }

    /// What the weights are drawn from; the biases are zero then.
    pub fn weights(self, weights: Initializer) -> Self {
        Self {
            weights,
            biases: Initializer::Zeros,
            ..self
        }
    }

    /// What the biases are drawn from.
    pub fn biases(self, biases: Initializer) -> Self {
        Self { biases, ..self }
    }

    /// The convolution on `device`; its values are drawn when first looked at.
    pub fn init(&self, device: &Device) -> Conv2d {
        let [inputs, outputs] = self.channels;
        let mut window = self.window;
        if self.edges == Edges::Valid {
            window.padding = [0, 0];
        }
        let [rows, columns] = window.kernel;
        let shape = [outputs, inputs / self.groups, rows, columns];
        // PyTorch's counts, which leave the groups out of the fan out.
        let fan_in = Some(shape[1] * rows * columns);
        let fan_out = Some(outputs * rows * columns);
        let biases = || self.biases.init_with([outputs], fan_in, fan_out, device);
        Conv2d {
            weight: self.weights.init_with(shape, fan_in, fan_out, device),
            bias: self.has_bias.then(biases),
            window,
            groups: self.groups,
            edges: self.edges,
        }
    }
}

/// A convolution over images (cross-correlation: the kernel is not flipped).
#[derive(Module, Debug)]
pub struct Conv2d {
    /// `[channels out, channels in / groups, kernel height, kernel width]`.
    pub weight: Param<Tensor<4>>,
    /// `[channels out]`.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    window: Window,
    groups: usize,
    #[module(skip)]
    edges: Edges,
}

impl Conv2d {
    /// # Shapes
    /// `[batch, channels in, height, width]` to
    /// `[batch, channels out, height out, width out]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let report = |shape| self.report(shape);
        trace::layer(images, report, |images| self.convolve(images))
    }

    fn convolve(&self, images: Tensor<4>) -> Tensor<4> {
        let [vertical, horizontal] = self.window.padding;
        let around = [(vertical, vertical), (horizontal, horizontal)];
        let (images, padding) = match self.edges {
            Edges::Zeros | Edges::Valid => (images, self.window.padding),
            Edges::Reflect => (images.pad(around, PadMode::Reflect), [0, 0]),
            Edges::Replicate => (images.pad(around, PadMode::Edge), [0, 0]),
        };
        let options = ConvOptions::new(
            self.window.stride,
            padding,
            self.window.dilation,
            self.groups,
        );
        let bias = self.bias.as_ref().map(Param::val);
        conv2d(images, self.weight.val(), bias, options)
    }

    fn report(&self, [batch, _, height, width]: [usize; 4]) -> Report<4> {
        let weight = self.weight.lazy_shape();
        let [height, width] = self.window.output([height, width]).unwrap_or([1, 1]);
        let values = weight.num_elements();
        Report {
            weight: Some(self.weight.id),
            parameters: values + self.bias.iter().len() * weight[0],
            macs: (values * height * width) as u64,
            groups: self.groups,
            ..Report::windowed("conv", self.window, [batch, weight[0], height, width])
        }
    }
}
