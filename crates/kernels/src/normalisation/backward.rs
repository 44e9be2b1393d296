//! The backward pass of batch normalisation: the gradients of the maps, the
//! scale and the shift.

use super::passes::{Channels, Gradient, Sums, part};
use crate::{
    flex::{Array, channels_first, channels_last, tensor, values},
    reduce::together,
    simd::widest,
};
use rayon::prelude::*;

/// What the backward pass needs; `output` only where it was rectified.
#[derive(Clone, Debug)]
pub struct State {
    pub pixels: Array,
    pub scale: Array,
    pub statistics: Array,
    pub epsilon: f64,
    pub own: bool,
    pub output: Option<Array>,
}

impl State {
    /// Gradients of the maps, the scale and the shift.
    pub fn gradients(self, gradient: Array) -> [Array; 3] {
        let mut gradient = channels_last(gradient);
        let scale = values(&self.scale);
        let count = scale.len();
        let nothing = vec![0.0; count];
        let channels = Channels::new(values(&self.statistics), scale, &nothing, self.epsilon);
        let output = self.output.map(channels_last);
        let saved = Saved {
            x: values(&self.pixels),
            output: output.as_ref().map(values),
            channels: &channels,
            count,
        };
        let totals = saved.totals(values(&gradient));
        let pixels = match self.own {
            true => (saved.x.len() / count) as f64,
            false => f64::INFINITY, // statistics that do not depend on the maps
        };
        let wide = |of: &dyn Fn(usize) -> f64| {
            let values: Vec<f32> = (0..count).map(|channel| of(channel) as f32).collect();
            values.repeat(together(count))
        };
        let deviation = |channel: usize| f64::from(channels.deviation[channel]);
        let less = wide(&|channel| totals[channel][0] / pixels);
        let slope = wide(&|channel| totals[channel][1] / pixels * deviation(channel).powi(2));
        // In place where nobody else has it.
        saved.apply(gradient.storage_mut(), &less, &slope);
        let for_scale = (0..count).map(|channel| (totals[channel][1] * deviation(channel)) as f32);
        let for_shift = totals.iter().map(|total| total[0] as f32);
        [
            channels_first(gradient),
            tensor(for_scale.collect(), [count]),
            tensor(for_shift.collect(), [count]),
        ]
    }
}

/// What both passes read beside the gradient.
struct Saved<'a> {
    x: &'a [f32],
    output: Option<&'a [f32]>,
    channels: &'a Channels,
    count: usize,
}

impl Saved<'_> {
    fn part(&self, number: usize) -> (&[f32], Option<&[f32]>) {
        let length = part(self.count);
        let range = number * length..((number + 1) * length).min(self.x.len());
        (
            &self.x[range.clone()],
            self.output.map(|output| &output[range]),
        )
    }

    /// For each channel the sum of the gradient, and of the gradient times the
    /// distance from the mean.
    fn totals(&self, gradient: &[f32]) -> Vec<[f64; 2]> {
        let sums: Vec<_> = gradient
            .par_chunks(part(self.count))
            .enumerate()
            .map(|(number, gradient)| {
                let (x, output) = self.part(number);
                widest(Sums {
                    gradient,
                    x,
                    output,
                    channels: self.channels,
                    count: self.count,
                })
            })
            .collect();
        let mut totals = vec![[0.0; 2]; self.count];
        for (sum, product) in sums {
            for (total, (sum, product)) in totals.iter_mut().zip(sum.into_iter().zip(product)) {
                *total = [total[0] + f64::from(sum), total[1] + f64::from(product)];
            }
        }
        totals
    }

    /// Makes the gradient of the output that of the maps.
    fn apply(&self, gradient: &mut [f32], less: &[f32], slope: &[f32]) {
        let parts = gradient.par_chunks_mut(part(self.count)).enumerate();
        parts.for_each(|(number, gradient)| {
            let (x, output) = self.part(number);
            widest(Gradient {
                gradient,
                x,
                output,
                channels: self.channels,
                less,
                slope,
            });
        });
    }
}
