//! The passes of batch normalisation over memory: a row is a pixel, a column a
//! channel; rows are taken together where channels are few.

use crate::{
    pointwise::passed,
    reduce::{PART, fold, together},
    simd::{Kernel, Vector, widest},
};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Sums over a part of the pixels, each of which is a row of channels.
pub struct Moments<'a> {
    pub values: &'a [f32],
    pub channels: usize,
}

impl Kernel for Moments<'_> {
    /// Pixels, mean and sum of squared distances from it.
    type Output = (usize, Vec<f64>, Vec<f64>);

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
        let mut rest = vec![0.0f32; width];
        for row in self.values.chunks(width) {
            let sums = wide.iter_mut().zip(&mut rest);
            for (((sum, rest), value), mean) in sums.zip(row).zip(&means) {
                let apart = value - mean;
                *sum += apart * apart;
                *rest += apart;
            }
        }
        // What the mean lost in its rounding is made good.
        let lost = fold(&rest, self.channels).into_iter();
        let lost: Vec<_> = lost.map(|rest| f64::from(rest) / pixels as f64).collect();
        let mean = mean
            .iter()
            .zip(&lost)
            .map(|(&mean, lost)| f64::from(mean) + lost);
        let squares = fold(&wide, self.channels).into_iter().zip(&lost);
        let squares = squares.map(|(sum, lost)| f64::from(sum) - lost * lost * pixels as f64);
        (
            pixels,
            mean.collect(),
            squares.map(|sum| sum.max(0.0)).collect(),
        )
    }
}

/// Values of a part: whole pixels.
pub fn part(channels: usize) -> usize {
    (PART / channels).max(1) * channels
}

/// Mean and biased variance of each channel, the parts joined as in T. Chan,
/// G. Golub, R. LeVeque, 1979.
pub fn statistics(values: &[f32], channels: usize) -> Vec<f32> {
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
            let apart = part_mean[channel] - mean[channel];
            mean[channel] += apart * pixels / total;
            squares[channel] += part_squares[channel] + apart * apart * count * pixels / total;
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
pub struct Channels {
    pub mean: Vec<f32>,
    pub deviation: Vec<f32>,
    pub factor: Vec<f32>,
    pub shift: Vec<f32>,
}

impl Channels {
    pub fn new(statistics: &[f32], scale: &[f32], shift: &[f32], epsilon: f64) -> Self {
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

pub struct Forward<'a> {
    pub to: &'a mut [MaybeUninit<f32>],
    pub from: &'a [f32],
    pub channels: &'a Channels,
    pub rectify: bool,
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
pub struct Sums<'a> {
    pub gradient: &'a [f32],
    pub x: &'a [f32],
    pub output: Option<&'a [f32]>,
    pub channels: &'a Channels,
    pub count: usize,
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
pub struct Gradient<'a> {
    pub gradient: &'a mut [f32],
    pub x: &'a [f32],
    pub output: Option<&'a [f32]>,
    pub channels: &'a Channels,
    pub less: &'a [f32],
    pub slope: &'a [f32],
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
