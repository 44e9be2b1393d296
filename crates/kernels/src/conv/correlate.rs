//! Correlation on all cores: the destination is cut into pieces of images or
//! rows, each computed by one thread in an order that depends on nothing but
//! the sizes.
#![allow(unsafe_code)]

use super::{
    depthwise::Channels,
    geometry::{Correlation, Phase},
    pack::Blocks,
    source::{View, with_source},
};
use crate::{
    simd::{Kernel, Vector, widest},
    tile::{MATRIX, Run, patches, rows, sized},
};
use rayon::prelude::*;
use std::{mem::MaybeUninit, ops::Range};

/// Values of the padded source that a piece may hold: 256 KiB, part of a
/// second-level cache.
const SCRATCH: usize = 64 * 1024;

/// Pixels that make it worth while to load a part of the packed kernel.
const PIXELS: usize = 256;

/// A part of the destination: whole images, or rows of one image.
struct Piece<'a> {
    images: Range<usize>,
    rows: Range<usize>,
    output: &'a mut [MaybeUninit<f32>],
}

/// How many images and rows a piece has. Depends on sizes alone, so that
/// results do not depend on the number of threads.
pub fn portion(correlation: &Correlation, batch: usize) -> (usize, usize) {
    let [height, width] = correlation.destination;
    let image = correlation.padded[0] * correlation.padded[1] * correlation.channels;
    if image > SCRATCH || batch < 4 {
        let step = correlation.phases[0].place_step[0];
        let line = image / height.max(1);
        let fitting = (SCRATCH / line.max(1)).clamp(1, height);
        let pieces = height.div_ceil(fitting).max(8usize.div_ceil(batch));
        let rows = height
            .div_ceil(pieces)
            .max(PIXELS.div_ceil(width))
            .min(height);
        return (1, rows.next_multiple_of(step).min(height));
    }
    let wanted = PIXELS.div_ceil(height * width);
    (
        wanted.min((SCRATCH / image).max(1)).min(batch.div_ceil(4)),
        height,
    )
}

/// Computes the destination `[batch, height, width, outputs]` of `correlation`
/// from `source`. `kernels` holds for each phase its packed kernels, one group
/// behind the other, or those of all channels side by side if it is depthwise;
/// `start` is what sums begin with, for each padded lane of each kernel.
/// Writes every value.
pub fn correlate(
    correlation: &Correlation,
    batch: usize,
    source: &View<'_>,
    kernels: &[Vec<f32>],
    blocks: &Blocks,
    start: &[f32],
    output: &mut [MaybeUninit<f32>],
) {
    let (images, rows) = portion(correlation, batch);
    let [height, width] = correlation.destination;
    let line = width * correlation.outputs;
    let mut pieces = Vec::new();
    let mut rest = output;
    for first in (0..batch).step_by(images) {
        let images = first..(first + images).min(batch);
        for top in (0..height).step_by(rows) {
            let rows = top..(top + rows).min(height);
            let (output, tail) = rest.split_at_mut(images.len() * rows.len() * line);
            rest = tail;
            pieces.push(Piece {
                images: images.clone(),
                rows,
                output,
            });
        }
    }
    pieces
        .into_par_iter()
        .for_each(|piece| compute(correlation, source, kernels, blocks, start, piece));
}

/// Computes one piece.
fn compute(
    correlation: &Correlation,
    view: &View<'_>,
    kernels: &[Vec<f32>],
    blocks: &Blocks,
    start: &[f32],
    piece: Piece<'_>,
) {
    let (images, rows) = (piece.images, piece.rows);
    let band = band(correlation, &rows);
    with_source(
        view,
        correlation,
        images.clone(),
        band.clone(),
        |source, stride| {
            for (phase, kernel) in correlation.phases.iter().zip(kernels) {
                let step = (stride, band.start);
                let (bases, places) = pixels(correlation, phase, images.len(), &rows, step);
                let runs = phase.runs(correlation);
                if correlation.is_depthwise() {
                    widest(Channels {
                        source,
                        bases: &bases,
                        places: &places,
                        runs: &runs,
                        kernel,
                        blocks,
                        start,
                        output: piece.output,
                    });
                    continue;
                }
                if bases.is_empty() {
                    continue;
                }
                let starts = start.chunks_exact(blocks.padded());
                for (group, start) in starts.enumerate() {
                    let size = kernel.len() / correlation.groups;
                    let first = group * correlation.channels / correlation.groups;
                    widest(Tiles {
                        source: &source[first.min(source.len())..],
                        bases: &bases,
                        places: &places,
                        runs: &runs,
                        kernel: &kernel[group * size..(group + 1) * size],
                        blocks,
                        start,
                        output: &mut piece.output[group * blocks.outputs..],
                    });
                }
            }
        },
    );
}

/// Rows of the padded source that the destination rows `rows` see.
pub fn band(correlation: &Correlation, rows: &Range<usize>) -> Range<usize> {
    let seen = correlation.phases.iter().filter_map(|phase| {
        let range = steps(phase, rows);
        let span = phase.spacing[0] * phase.taps[0].len().saturating_sub(1);
        let first = |t: usize| phase.first[0] + phase.step[0] * t;
        (!range.is_empty()).then(|| first(range.start)..first(range.end - 1) + span + 1)
    });
    let range = seen.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
    let range = range.unwrap_or(0..0);
    range.start..range.end.min(correlation.padded[0])
}

/// The pixels `t` of a phase whose destination rows lie in `rows`.
fn steps(phase: &Phase, rows: &Range<usize>) -> Range<usize> {
    let at = |row: usize| {
        row.saturating_sub(phase.place[0])
            .div_ceil(phase.place_step[0])
            .min(phase.count[0])
    };
    at(rows.start)..at(rows.end)
}

/// For each pixel of a phase in the given rows of all images: where its patch
/// begins in the source and where its outputs are in the destination.
pub fn pixels(
    correlation: &Correlation,
    phase: &Phase,
    images: usize,
    rows: &Range<usize>,
    (stride, top): (usize, usize),
) -> (Vec<usize>, Vec<usize>) {
    let line = correlation.padded[1] * correlation.channels;
    let width = correlation.destination[1];
    let mut bases = Vec::new();
    let mut places = Vec::new();
    for image in 0..images {
        for t in steps(phase, rows) {
            let from = phase.first[0] + phase.step[0] * t - top;
            let to = phase.place[0] + phase.place_step[0] * t - rows.start;
            let base = image * stride + from * line;
            let place = (image * rows.len() + to) * width;
            for u in 0..phase.count[1] {
                bases.push(base + (phase.first[1] + phase.step[1] * u) * correlation.channels);
                let column = phase.place[1] + phase.place_step[1] * u;
                places.push((place + column) * correlation.outputs);
            }
        }
    }
    (bases, places)
}

/// Runs cut into parts of a packed kernel that stay in the first cache.
fn parts(runs: &[Run], most: usize) -> Vec<(Vec<Run>, usize)> {
    let mut parts = Vec::new();
    let (mut part, mut depth) = (Vec::new(), 0);
    for &(mut offset, mut length) in runs {
        while length > 0 {
            let take = length.min(most - depth);
            part.push((offset, take));
            (offset, length, depth) = (offset + take, length - take, depth + take);
            if depth == most {
                parts.push((std::mem::take(&mut part), std::mem::take(&mut depth)));
            }
        }
    }
    if depth > 0 || parts.is_empty() {
        parts.push((part, depth));
    }
    parts
}

/// All tiles of one phase of a piece.
struct Tiles<'a> {
    source: &'a [f32],
    bases: &'a [usize],
    places: &'a [usize],
    runs: &'a [Run],
    kernel: &'a [f32],
    blocks: &'a Blocks,
    start: &'a [f32],
    output: &'a mut [MaybeUninit<f32>],
}

impl Tiles<'_> {
    /// The conditions under which no tile reads or writes out of bounds.
    fn check(&self, lanes: usize) {
        let depth: usize = self.runs.iter().map(|run| run.1).sum();
        let reach = self.runs.iter().map(|run| run.0 + run.1).max().unwrap_or(0);
        let base = self.bases.iter().max().map_or(0, |base| base + reach);
        let place = self
            .places
            .iter()
            .max()
            .map_or(0, |place| place + self.blocks.outputs);
        assert!(base <= self.source.len());
        assert!(place <= self.output.len());
        assert!(self.bases.len() == self.places.len());
        assert!(self.kernel.len() >= depth * self.blocks.padded());
        assert!(self.start.len() >= self.blocks.padded());
        assert!(self.blocks.lanes == lanes);
    }
}

impl Kernel for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.check(V::LANES);
        let depth: usize = self.runs.iter().map(|run| run.1).sum();
        let mut matrix = self.kernel;
        for (first, width, last) in self.blocks.each() {
            let row = width * V::LANES;
            let count = rows::<V>(width);
            // An even share for each part, none of them a tiny rest.
            let most = depth.div_ceil(depth.div_ceil(MATRIX / row).max(1)).max(1);
            let mut start = Some(&self.start[first..]);
            for (runs, depth) in parts(self.runs, most) {
                let pixels = self.bases.chunks(count).zip(self.places.chunks(count));
                for (bases, places) in pixels {
                    // SAFETY: `check`, moved by `first` outputs, of which the
                    // last vector has `last`.
                    unsafe {
                        let output = self.output.as_mut_ptr().cast::<f32>().add(first);
                        let target = (output, places, start.map(<[f32]>::as_ptr));
                        sized!(
                            bases.len(),
                            width,
                            patches::<V>(
                                self.source.as_ptr(),
                                bases,
                                &runs,
                                matrix.as_ptr(),
                                target,
                                last
                            )
                        );
                    }
                }
                matrix = &matrix[depth * row..];
                start = None;
            }
        }
    }
}
