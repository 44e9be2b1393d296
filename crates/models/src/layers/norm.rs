//! Batch normalisation that keeps the statistics PyTorch keeps, and the local
//! response normalisation of the first AlexNet.

use super::{activation::relu, spelled::is_spelled_out};
use crate::trace::{self, Report};
use burn::{
    module::{Flag, Module, Param, RunningState},
    nn::{Initializer, LocalResponseNorm as Burn, LocalResponseNormConfig},
    tensor::{Device, Tensor, TensorData, module::conv2d, ops::ConvOptions},
};
use kiln_kernels::{batch_norm, batch_norm_train};

/// Share of a batch in the running statistics.
const MOMENTUM: f64 = 0.1;
/// Added to the variance.
const EPSILON: f64 = 1e-5;

/// Batch normalisation over the channels of maps: S. Ioffe, C. Szegedy, 2015.
///
/// Burn's own layer runs the biased variance of each batch into its
/// statistics; PyTorch runs the unbiased one, times n / (n - 1), and so does
/// this one.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// The scale of each channel.
    pub weight: Param<Tensor<1>>,
    /// The shift of each channel.
    pub bias: Param<Tensor<1>>,
    /// Mean of each channel over the batches seen.
    pub running_mean: RunningState<Tensor<1>>,
    /// Variance of each channel over the batches seen.
    pub running_var: RunningState<Tensor<1>>,
    training: Param<Flag>,
}

impl BatchNorm {
    /// Scale one, shift zero.
    pub fn new(channels: usize, device: &Device) -> Self {
        Self::scaled(channels, Initializer::Ones, device)
    }

    /// Scale zero: at the end of a residual branch the block starts as the
    /// identity (P. Goyal et al. 2017, section 5.1).
    pub fn zero(channels: usize, device: &Device) -> Self {
        Self::scaled(channels, Initializer::Zeros, device)
    }

    fn scaled(channels: usize, scale: Initializer, device: &Device) -> Self {
        Self {
            weight: scale.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            training: Param::from_bool(true),
        }
    }

    /// # Shapes
    /// `[batch, channels, height, width]` to the same.
    pub fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        let report = |shape: [usize; 4]| Report {
            weight: Some(self.weight.id),
            parameters: 2 * shape[1],
            ..Report::pointwise("batch norm", shape)
        };
        trace::layer(maps, report, |maps| self.apply(maps, false))
    }

    /// The layer and a ReLU behind it, in one pass.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to the same.
    pub fn rectified(&self, maps: Tensor<4>) -> Tensor<4> {
        match trace::is_by_layer() {
            true => relu(self.forward(maps)), // layer by layer
            false => self.apply(maps, true),
        }
    }

    fn apply(&self, maps: Tensor<4>, rectify: bool) -> Tensor<4> {
        match maps.device().is_autodiff() && self.training.is_enabled() {
            true => self.with_the_batch(maps, rectify),
            false => self.with_what_was_seen(maps, rectify),
        }
    }

    fn with_what_was_seen(&self, maps: Tensor<4>, rectify: bool) -> Tensor<4> {
        let device = maps.device();
        let mean = self.running_mean.value().to_device(&device);
        let variance = self.running_var.value().to_device(&device);
        batch_norm(
            maps,
            self.weight.val(),
            self.bias.val(),
            [mean, variance],
            EPSILON,
            rectify,
        )
    }

    fn with_the_batch(&self, maps: Tensor<4>, rectify: bool) -> Tensor<4> {
        let device = maps.device();
        let [batch, _, height, width] = maps.dims();
        let count = (batch * height * width) as f64;
        // A single value has no unbiased variance; its biased one is zero.
        let unbiased = count / (count - 1.0).max(1.0);
        let result = batch_norm_train(maps, self.weight.val(), self.bias.val(), EPSILON, rectify);
        let run = |state: &RunningState<Tensor<1>>, batch: Tensor<1>, factor: f64| {
            let old = state.value_sync().to_device(&device) * (1.0 - MOMENTUM);
            state.update((old + batch.detach() * (MOMENTUM * factor)).detach());
        };
        run(&self.running_mean, result.mean, 1.0);
        run(&self.running_var, result.variance, unbiased);
        result.output
    }
}

/// Channels that a value of the response normalisation looks at.
const CHANNELS: usize = 5;
const ALPHA: f64 = 1e-4;
const BETA: f64 = 0.75;
const K: f64 = 2.0;

/// Normalisation by the neighbouring channels: A. Krizhevsky, I. Sutskever,
/// G. Hinton, 2012, section 3.3, with its constants k = 2, n = 5,
/// alpha = 1e-4, beta = 0.75.
#[derive(Module, Debug)]
pub struct ResponseNorm {
    norm: Burn,
}

impl ResponseNorm {
    /// The paper's.
    pub fn new() -> Self {
        // Burn and PyTorch take the mean over the n channels, the paper the sum.
        Self {
            norm: LocalResponseNormConfig::new(CHANNELS)
                .with_alpha(ALPHA * CHANNELS as f64)
                .with_beta(BETA)
                .with_k(K)
                .init(),
        }
    }

    /// # Shapes
    /// `[batch, channels, height, width]` to the same.
    pub fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        let report = |shape| Report::pointwise("response norm", shape);
        trace::layer(maps, report, |maps| match is_spelled_out() {
            true => Self::spell(maps),
            false => self.norm.forward(maps),
        })
    }

    /// The same by a 1x1 convolution that sums over the neighbours.
    fn spell(maps: Tensor<4>) -> Tensor<4> {
        let channels = maps.dims()[1];
        let near = |at: usize| (at / channels).abs_diff(at % channels) <= CHANNELS / 2;
        let kernel = (0..channels * channels).map(|at| f32::from(u8::from(near(at))));
        let kernel = TensorData::new(kernel.collect::<Vec<_>>(), [channels, channels, 1, 1]);
        let kernel = Tensor::<4>::from_data(kernel, &maps.device());
        let squares = maps.clone() * maps.clone();
        let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        let sums = conv2d(squares, kernel, None, options);
        maps / ((sums * ALPHA + K).log() * BETA).exp()
    }
}

impl Default for ResponseNorm {
    fn default() -> Self {
        Self::new()
    }
}
