//! The weight gradient: each value of a patch times the output gradient of its
//! pixel, summed over all pixels of all images.
#![allow(unsafe_code)]

use super::{
    correlate::{band, pixels},
    depthwise::{self, Taps},
    geometry::{Correlation, Geometry},
    pack::{Blocks, unpack},
    source::{View, with_source},
};
use crate::{
    simd::{self, Kernel, Vector, widest},
    tile::{MATRIX, Run, products, rows, sized},
};
use rayon::prelude::*;
use std::ops::Range;

/// Values of the padded input that are held at a time: 256 KiB.
const SCRATCH: usize = 64 * 1024;

/// Pixels that make it worth while to load a part of the weight gradient.
const PIXELS: usize = 256;

/// Values of a weight gradient of which several partial sums are affordable.
const SMALL: usize = 64 * 1024;

/// Partial sums over groups of images; fixed, so that results do not depend
/// on the number of threads.
const GROUPS: usize = 8;

/// The gradient `[channels_out, channels_in / groups, height, width]` of the
/// weights, given the input and the gradient of the output, whose channels lie
/// side by side if the convolution is depthwise.
pub fn weight_gradient(geometry: &Geometry, input: &View<'_>, gradient: &View<'_>) -> Vec<f32> {
    let correlation = geometry.forward();
    let (channels, area) = (geometry.of_a_group(), geometry.area());
    let depthwise = correlation.is_depthwise();
    let (groups_of_channels, outputs) = match depthwise {
        true => (1, geometry.channels_out),
        false => (geometry.groups, channels[0]),
    };
    let blocks = Blocks::new(outputs, simd::lanes());
    let runs = correlation.phases[0].runs(&correlation);
    let parts = |most| match depthwise {
        true => Vec::new(),
        false => parts(&blocks, &runs, most, geometry),
    };
    let size = groups_of_channels * area * channels[1] * blocks.padded();
    let mut packed = vec![0.0; size];
    let sums = Sums {
        correlation: &correlation,
        input,
        gradient,
        blocks: &blocks,
    };
    let batch = geometry.batch;
    if size <= SMALL || depthwise {
        let groups = GROUPS.min(batch);
        let mut partial = vec![0.0; size * groups];
        partial
            .par_chunks_exact_mut(size)
            .enumerate()
            .for_each(|(group, partial)| {
                let images = group * batch / groups..(group + 1) * batch / groups;
                sums.add(images, &parts(usize::MAX), partial);
            });
        for partial in partial.chunks_exact(size) {
            for (sum, value) in packed.iter_mut().zip(partial) {
                *sum += value;
            }
        }
    } else {
        let mut rest = packed.as_mut_slice();
        let mut works = Vec::new();
        for part in parts(SMALL) {
            let (sum, tail) = rest.split_at_mut(part.size(blocks.lanes));
            rest = tail;
            works.push((part, sum));
        }
        works
            .into_par_iter()
            .for_each(|(part, sum)| sums.add(0..batch, &[part], sum));
    }
    if depthwise {
        return depthwise::unpack(&packed, area, &blocks);
    }
    match groups_of_channels {
        1 => unpack(&packed, channels, area, &blocks),
        groups => (packed.chunks_exact(size / groups))
            .flat_map(|packed| unpack(packed, channels, area, &blocks))
            .collect(),
    }
}

/// Consecutive rows of the packed gradient of one block of lanes.
#[derive(Clone)]
struct Part {
    first: usize,
    width: usize,
    last: usize,
    runs: Vec<Run>,
}

impl Part {
    fn size(&self, lanes: usize) -> usize {
        self.runs.iter().map(|run| run.1).sum::<usize>() * self.width * lanes
    }
}

/// The packed gradient of all groups, cut so that no part has more than about
/// `most` values.
fn parts(blocks: &Blocks, runs: &[Run], most: usize, geometry: &Geometry) -> Vec<Part> {
    let mut parts = Vec::new();
    let [outputs, inputs] = geometry.of_a_group();
    let each =
        (0..geometry.groups).flat_map(|group| blocks.each().map(move |block| (group, block)));
    for (group, (first, width, last)) in each {
        let limit = most / (width * blocks.lanes);
        let mut part = Part {
            first: group * outputs + first,
            width,
            last,
            runs: Vec::new(),
        };
        let mut depth = 0;
        for &(offset, length) in runs {
            if depth > 0 && depth + length > limit {
                parts.push(part.clone());
                (part.runs, depth) = (Vec::new(), 0);
            }
            part.runs.push((offset + group * inputs, length));
            depth += length;
        }
        parts.push(part);
    }
    parts
}

struct Sums<'a> {
    correlation: &'a Correlation,
    input: &'a View<'a>,
    gradient: &'a View<'a>,
    blocks: &'a Blocks,
}

impl Sums<'_> {
    /// Adds the sums over `images` to `sum`, which holds the parts one behind
    /// the other.
    fn add(&self, images: Range<usize>, parts: &[Part], sum: &mut [f32]) {
        let correlation = self.correlation;
        let [height, width] = correlation.destination;
        let line = correlation.padded[1] * correlation.channels;
        let image = correlation.padded[0] * line;
        let step = PIXELS
            .div_ceil(height * width)
            .min((SCRATCH / image).max(1));
        let lines = match image > SCRATCH {
            true => PIXELS
                .div_ceil(width)
                .max(SCRATCH / line / 2)
                .clamp(1, height),
            false => height,
        };
        for first in images.clone().step_by(step) {
            let images = first..(first + step).min(images.end);
            for top in (0..height).step_by(lines) {
                self.add_rows(images.clone(), top..(top + lines).min(height), parts, sum);
            }
        }
    }

    fn add_rows(&self, images: Range<usize>, rows: Range<usize>, parts: &[Part], sum: &mut [f32]) {
        let correlation = self.correlation;
        let band = band(correlation, &rows);
        let phase = &correlation.phases[0];
        with_source(
            self.input,
            correlation,
            images.clone(),
            band.clone(),
            |source, stride| {
                let step = (stride, band.start);
                let (bases, _) = pixels(correlation, phase, images.len(), &rows, step);
                let [batch, channel, line, column] = self.gradient.strides;
                let mut places = Vec::with_capacity(bases.len());
                for image in images.clone() {
                    for row in rows.clone() {
                        let from = self.gradient.offset + image * batch + row * line;
                        places.extend((0..phase.count[1]).map(|x| from + x * column));
                    }
                }
                if correlation.is_depthwise() {
                    return widest(Taps {
                        source,
                        bases: &bases,
                        gradient: self.gradient.values,
                        places: &places,
                        runs: &phase.runs(correlation),
                        blocks: self.blocks,
                        sum,
                    });
                }
                let mut rest = &mut *sum;
                for part in parts {
                    let (sum, tail) = rest.split_at_mut(part.size(simd::lanes()));
                    rest = tail;
                    widest(Products {
                        source,
                        bases: &bases,
                        gradient: self.gradient.values,
                        places: &places,
                        channel,
                        part,
                        sum,
                    });
                }
            },
        );
    }
}

/// The products of one part for the pixels of one band.
struct Products<'a> {
    source: &'a [f32],
    bases: &'a [usize],
    gradient: &'a [f32],
    places: &'a [usize],
    channel: usize,
    part: &'a Part,
    sum: &'a mut [f32],
}

impl Kernel for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Part {
            first,
            width,
            last,
            ref runs,
        } = *self.part;
        let reach = runs.iter().map(|run| run.0 + run.1).max().unwrap_or(0);
        let base = self.bases.iter().max().map_or(0, |base| base + reach);
        assert!(base <= self.source.len());
        let row = width * V::LANES;
        let outputs = (width - 1) * V::LANES + last;
        let mut matrix = [0.0f32; MATRIX];
        let count = rows::<V>(width);
        let pixels = MATRIX / row;
        for (bases, places) in self.bases.chunks(pixels).zip(self.places.chunks(pixels)) {
            for (to, &place) in matrix.chunks_exact_mut(row).zip(places) {
                let from = &self.gradient[place + first * self.channel..];
                match self.channel {
                    1 => to[..outputs].copy_from_slice(&from[..outputs]),
                    channel => {
                        for (lane, to) in to[..outputs].iter_mut().enumerate() {
                            *to = from[lane * channel];
                        }
                    }
                }
            }
            let mut rest = &mut *self.sum;
            for &(offset, length) in runs {
                for from in (0..length).step_by(count) {
                    let rows = count.min(length - from);
                    let (sum, tail) = rest.split_at_mut(rows * row);
                    rest = tail;
                    // SAFETY: every base plus `reach` is in `source`; `matrix`
                    // has a row for each of at most `pixels` bases; `sum` has
                    // `rows` rows.
                    unsafe {
                        sized!(
                            rows,
                            width,
                            products::<V>(
                                self.source.as_ptr().add(offset + from),
                                bases,
                                matrix.as_ptr(),
                                (sum.as_mut_ptr(), row, false),
                                V::LANES
                            )
                        );
                    }
                }
            }
        }
    }
}
