//! Batch normalisation in two passes over memory, forward and backward.
#![allow(unsafe_code)]

use crate::{
    flex::{Array, channels_first, channels_last, sizes, tensor, values},
    memory::written,
    place::on_flex,
    pointwise::passed,
    reduce::{PART, fold, together},
    simd::{Kernel, Vector, widest},
    track::track,
};
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{DType, Tensor, activation, module},
};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Batch normalisation on flex.
#[backend_extension(Flex, Autodiff)]
pub trait Normalisation: Backend {
    /// Mean and biased variance of each channel: `[2, channels]`.
    fn statistics(maps: FloatTensor<Self>) -> FloatTensor<Self>;
    /// `maps` with these statistics brought to 0 and 1, then scaled and
    /// shifted, then rectified where asked for. The statistics are those of
    /// `maps` where `own` is true, else they are constants.
    fn normalise(
        maps: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        epsilon: f64,
        own: bool,
        rectify: bool,
    ) -> FloatTensor<Self>;
}

/// Maps that were normalised by their own statistics.
pub struct Normalised {
    /// `[batch, channels, height, width]`.
    pub output: Tensor<4>,
    /// Mean of each channel, `[channels]`.
    pub mean: Tensor<1>,
    /// Biased variance of each channel, `[channels]`.
    pub variance: Tensor<1>,
}

/// Normalises maps `[batch, channels, height, width]` by the statistics of
/// this batch, then scales and shifts each channel by `scale` and `shift`
/// `[channels]`: S. Ioffe, C. Szegedy, 2015, algorithm 1. With `rectify`, the
/// result is max(0, x) of that.
pub fn batch_norm_train(
    maps: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
    rectify: bool,
) -> Normalised {
    if maps.dtype() != DType::F32 || !on_flex(&maps.device()) {
        let result = module::batch_norm_train(maps, scale, shift, epsilon);
        let output = match rectify {
            true => activation::relu(result.output),
            false => result.output,
        };
        return Normalised {
            output,
            mean: result.mean,
            variance: result.variance,
        };
    }
    let channels = maps.dims()[1];
    let seen = maps.clone().into_dispatch();
    let statistics = Tensor::<2>::from_dispatch(Dispatch::statistics(seen)).detach();
    let row = |row: usize| {
        statistics
            .clone()
            .slice([row..row + 1, 0..channels])
            .flatten(0, 1)
    };
    Normalised {
        mean: row(0),
        variance: row(1),
        output: Tensor::from_dispatch(Dispatch::normalise(
            maps.into_dispatch(),
            scale.into_dispatch(),
            shift.into_dispatch(),
            statistics.into_dispatch(),
            epsilon,
            true,
            rectify,
        )),
    }
}

/// The same with statistics `[channels]` that are known already.
pub fn batch_norm(
    maps: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    [mean, variance]: [Tensor<1>; 2],
    epsilon: f64,
    rectify: bool,
) -> Tensor<4> {
    if maps.dtype() != DType::F32 || !on_flex(&maps.device()) {
        let output = module::batch_norm(maps, scale, shift, mean, variance, epsilon);
        return match rectify {
            true => activation::relu(output),
            false => output,
        };
    }
    let statistics = Tensor::<1>::stack::<2>(vec![mean, variance], 0);
    Tensor::from_dispatch(Dispatch::normalise(
        maps.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        statistics.into_dispatch(),
        epsilon,
        false,
        rectify,
    ))
}

/// Sums over a part of the pixels, each of which is a row of channels.
struct Moments<'a> {
    values: &'a [f32],
    channels: usize,
}

impl Kernel for Moments<'_> {
    /// Pixels, mean and sum of squared distances from it.
    type Output = (usize, Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn run<V: Vector>(self) -> Self::Output {
        let pixels = self.values.len() / self.channels;
        let width = self.channels * together(self.channels);
        let mut wide = vec![0.0f32; width];
        for row in self.values.chunks(width) {
            for (sum, value) in wide.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let mean: Vec<_> = fold(&wide, self.channels)
            .into_iter()
            .map(|sum| sum / pixels as f32)
            .collect();
        let means = mean.repeat(width / self.channels);
        wide.fill(0.0);
        for row in self.values.chunks(width) {
            for ((sum, value), mean) in wide.iter_mut().zip(row).zip(&means) {
                *sum += (value - mean) * (value - mean);
            }
        }
        (pixels, mean, fold(&wide, self.channels))
    }
}

/// Values of a part: whole pixels.
fn part(channels: usize) -> usize {
    (PART / channels).max(1) * channels
}

/// Mean and biased variance of each channel, the parts joined as in T. Chan,
/// G. Golub, R. LeVeque, 1979.
fn statistics(values: &[f32], channels: usize) -> Vec<f32> {
    let parts: Vec<_> = values
        .par_chunks(part(channels))
        .map(|values| widest(Moments { values, channels }))
        .collect();
    let mut count = 0.0;
    let mut mean = vec![0.0f64; channels];
    let mut squares = vec![0.0f64; channels];
    for (pixels, part_mean, part_squares) in parts {
        let pixels = pixels as f64;
        let total = count + pixels;
        for channel in 0..channels {
            let apart = f64::from(part_mean[channel]) - mean[channel];
            mean[channel] += apart * pixels / total;
            squares[channel] +=
                f64::from(part_squares[channel]) + apart * apart * count * pixels / total;
        }
        count = total;
    }
    let variance = squares.into_iter().map(|squares| squares / count);
    mean.iter()
        .copied()
        .chain(variance)
        .map(|value| value as f32)
        .collect()
}

/// What is done to a value of each channel: `(x - mean) * factor + shift`.
struct Channels {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    factor: Vec<f32>,
    shift: Vec<f32>,
}

impl Channels {
    fn new(statistics: &[f32], scale: &[f32], shift: &[f32], epsilon: f64) -> Self {
        let (mean, variance) = statistics.split_at(scale.len());
        let inverse = |&variance: &f32| (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32;
        let deviation: Vec<f32> = variance.iter().map(inverse).collect();
        let wide = |values: &[f32]| values.repeat(together(scale.len()));
        let factor: Vec<f32> = deviation.iter().zip(scale).map(|(a, b)| a * b).collect();
        Self {
            mean: wide(mean),
            deviation: wide(&deviation),
            factor: wide(&factor),
            shift: wide(shift),
        }
    }
}

struct Forward<'a> {
    to: &'a mut [MaybeUninit<f32>],
    from: &'a [f32],
    channels: &'a Channels,
    rectify: bool,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Channels {
            mean,
            factor,
            shift,
            ..
        } = self.channels;
        let least = if self.rectify { 0.0 } else { f32::NEG_INFINITY };
        let width = mean.len();
        let rows = self.to.chunks_mut(width).zip(self.from.chunks(width));
        for (to, from) in rows {
            let channels = mean.iter().zip(factor).zip(shift);
            for ((to, from), ((mean, factor), shift)) in to.iter_mut().zip(from).zip(channels) {
                let value = (from - mean) * factor + shift;
                // Not `max`, which would lose what is no number.
                to.write(if value < least { least } else { value });
            }
        }
    }
}

/// Sums of the gradient and of the gradient times the normalised value.
struct Sums<'a> {
    gradient: &'a [f32],
    x: &'a [f32],
    output: Option<&'a [f32]>,
    channels: &'a Channels,
    count: usize,
}

impl Kernel for Sums<'_> {
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn run<V: Vector>(self) -> Self::Output {
        let mean = &self.channels.mean;
        let width = mean.len();
        let mut sums = vec![0.0f32; width];
        let mut products = vec![0.0f32; width];
        let rows = self.gradient.chunks(width).zip(self.x.chunks(width));
        match self.output {
            Some(output) => {
                for ((gradient, x), output) in rows.zip(output.chunks(width)) {
                    let accumulated = sums.iter_mut().zip(&mut products).zip(mean);
                    let given = gradient.iter().zip(x).zip(output);
                    for (((sum, product), mean), ((&gradient, x), &output)) in
                        accumulated.zip(given)
                    {
                        let gradient = passed(gradient, output);
                        *sum += gradient;
                        *product += gradient * (x - mean);
                    }
                }
            }
            None => {
                for (gradient, x) in rows {
                    let accumulated = sums.iter_mut().zip(&mut products).zip(mean);
                    for (((sum, product), mean), (gradient, x)) in
                        accumulated.zip(gradient.iter().zip(x))
                    {
                        *sum += gradient;
                        *product += gradient * (x - mean);
                    }
                }
            }
        }
        (fold(&sums, self.count), fold(&products, self.count))
    }
}

/// `(gradient - less - (x - mean) * slope) * factor`.
struct Gradient<'a> {
    gradient: &'a mut [f32],
    x: &'a [f32],
    output: Option<&'a [f32]>,
    channels: &'a Channels,
    less: &'a [f32],
    slope: &'a [f32],
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Channels { mean, factor, .. } = self.channels;
        let width = mean.len();
        if let Some(output) = self.output {
            for (gradient, &output) in self.gradient.iter_mut().zip(output) {
                *gradient = passed(*gradient, output);
            }
        }
        let rows = self.gradient.chunks_mut(width).zip(self.x.chunks(width));
        for (gradient, x) in rows {
            let channels = mean
                .iter()
                .zip(factor)
                .zip(self.less.iter().zip(self.slope));
            let values = gradient.iter_mut().zip(x);
            for ((gradient, x), ((mean, factor), (less, slope))) in values.zip(channels) {
                *gradient = (*gradient - less - (x - mean) * slope) * factor;
            }
        }
    }
}

impl Normalisation for Flex {
    fn statistics(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        let channels = sizes(&maps)[1];
        let pixels = channels_last(maps);
        tensor(statistics(values(&pixels), channels), [2, channels])
    }

    fn normalise(
        maps: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        epsilon: f64,
        _own: bool,
        rectify: bool,
    ) -> FloatTensor<Self> {
        let [batch, count, height, width] = sizes(&maps);
        let pixels = channels_last(maps);
        let from = values(&pixels);
        let (scale, shift, statistics) = (values(&scale), values(&shift), values(&statistics));
        let channels = &Channels::new(statistics, scale, shift, epsilon);
        let part = part(count);
        let write = |to: &mut [MaybeUninit<f32>]| {
            let parts = to.par_chunks_mut(part).zip(from.par_chunks(part));
            parts.for_each(|(to, from)| {
                widest(Forward {
                    to,
                    from,
                    channels,
                    rectify,
                });
            });
        };
        // SAFETY: every part writes all its values.
        let output = unsafe { written(from.len(), write) };
        channels_first(tensor(output, [batch, height, width, count]))
    }
}

/// What the backward pass needs; `output` only where it was rectified.
#[derive(Clone, Debug)]
struct State {
    pixels: Array,
    scale: Array,
    statistics: Array,
    epsilon: f64,
    own: bool,
    output: Option<Array>,
}

impl State {
    /// Gradients of the maps, the scale and the shift.
    fn gradients(self, gradient: Array) -> [Array; 3] {
        let gradient = channels_last(gradient);
        let count = values(&self.scale).len();
        let zeros = vec![0.0; count];
        let scale = values(&self.scale);
        let channels = Channels::new(values(&self.statistics), scale, &zeros, self.epsilon);
        let output = self.output.map(channels_last);
        let output = output.as_ref().map(values);
        let part = part(count);
        let x = values(&self.pixels);
        let at = |number: usize| number * part..((number + 1) * part).min(x.len());
        let given = values(&gradient);
        let sums: Vec<_> = (0..x.len().div_ceil(part))
            .into_par_iter()
            .map(|number| {
                widest(Sums {
                    gradient: &given[at(number)],
                    x: &x[at(number)],
                    output: output.map(|output| &output[at(number)]),
                    channels: &channels,
                    count,
                })
            })
            .collect();
        let mut total = vec![[0.0f64; 2]; count];
        for (sum, product) in sums {
            for (total, (sum, product)) in total.iter_mut().zip(sum.into_iter().zip(product)) {
                *total = [total[0] + f64::from(sum), total[1] + f64::from(product)];
            }
        }
        let pixels = (x.len() / count) as f64;
        let constant = if self.own { 1.0 } else { 0.0 };
        let deviation = &channels.deviation;
        let wide = |values: Vec<f32>| values.repeat(together(count));
        let less = wide(
            total
                .iter()
                .map(|t| (constant * t[0] / pixels) as f32)
                .collect(),
        );
        let slope = |(total, &deviation): (&[f64; 2], &f32)| {
            (constant * total[1] / pixels * f64::from(deviation).powi(2)) as f32
        };
        let slope = wide(total.iter().zip(deviation).map(slope).collect());
        let change = |gradient: &mut [f32]| {
            let parts = gradient.par_chunks_mut(part).enumerate();
            parts.for_each(|(number, gradient)| {
                widest(Gradient {
                    gradient,
                    x: &x[at(number)],
                    output: output.map(|output| &output[at(number)]),
                    channels: &channels,
                    less: &less,
                    slope: &slope,
                });
            });
        };
        let mut gradient = gradient;
        // In place where nobody else has it.
        change(gradient.storage_mut::<f32>());
        let for_scale = total
            .iter()
            .zip(deviation)
            .map(|(t, &d)| (t[1] * f64::from(d)) as f32);
        let for_shift = total.iter().map(|t| t[0] as f32);
        [
            channels_first(gradient),
            tensor(for_scale.collect(), [count]),
            tensor(for_shift.collect(), [count]),
        ]
    }
}

#[derive(Debug)]
struct Normalising;

impl Backward<Flex, 3> for Normalising {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let gradients = ops.state.gradients(gradient);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

impl<C: CheckpointStrategy> Normalisation for Autodiff<Flex, C> {
    fn statistics(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(Flex::statistics(maps.into_primitive()))
    }

    fn normalise(
        maps: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        epsilon: f64,
        own: bool,
        rectify: bool,
    ) -> FloatTensor<Self> {
        let (maps, node) = maps.into_parts();
        let ((scale, scaled), (shift, shifted)) = (scale.into_parts(), shift.into_parts());
        let statistics = statistics.into_primitive();
        let maps = channels_first(channels_last(maps));
        let mut state = State {
            pixels: channels_last(maps.clone()),
            scale: scale.clone(),
            statistics: statistics.clone(),
            epsilon,
            own,
            output: None,
        };
        let output = Flex::normalise(maps, scale, shift, statistics, epsilon, own, rectify);
        state.output = rectify.then(|| output.clone());
        track!(Normalising, C, [node, scaled, shifted], state, output)
    }
}
