//! Depthwise convolution: every channel has a kernel of its own, so vectors
//! run over the channels of the source as over those of the destination.
#![allow(unsafe_code)]

use super::pack::Blocks;
use crate::{
    simd::{Kernel, Vector},
    tile::Run,
};
use std::mem::MaybeUninit;

/// Packs `weights` `[channels, 1, height, width]` for the taps at `positions`:
/// a row of all channels, filled up to whole vectors, for each tap.
pub fn pack(weights: &[f32], area: usize, positions: &[usize], blocks: &Blocks) -> Vec<f32> {
    let mut packed = vec![0.0; positions.len() * blocks.padded()];
    let rows = packed.chunks_exact_mut(blocks.padded());
    for (row, &position) in rows.zip(positions) {
        for (to, patch) in row.iter_mut().zip(weights.chunks_exact(area)) {
            *to = patch[position];
        }
    }
    packed
}

/// The reverse of [`pack`] for all taps in order.
pub fn unpack(packed: &[f32], area: usize, blocks: &Blocks) -> Vec<f32> {
    let mut weights = vec![0.0; blocks.outputs * area];
    for (tap, row) in packed.chunks_exact(blocks.padded()).enumerate() {
        for (patch, value) in weights.chunks_exact_mut(area).zip(row) {
            patch[tap] = *value;
        }
    }
    weights
}

/// Lanes of vector `v` of `WIDTH`, of which the last has `last`.
#[inline(always)]
fn lanes<V: Vector, const WIDTH: usize>(v: usize, last: usize) -> usize {
    if v + 1 == WIDTH { last } else { V::LANES }
}

/// Loads a vector of which `count` lanes are there.
///
/// # Safety
/// Those of [`Vector`].
#[inline(always)]
unsafe fn load<V: Vector>(from: *const f32, count: usize) -> V {
    match count < V::LANES {
        true => unsafe { V::load_partial(from, count) },
        false => unsafe { V::load(from) },
    }
}

/// The sums of `ROWS` pixels over all taps, for `WIDTH` vectors of channels.
/// Rows of `matrix` are `row` values apart.
///
/// # Safety
/// The instruction set of `V`; `source` is valid at every base plus every
/// offset of `runs` for the channels; `matrix` and `start` hold whole vectors
/// of them, `matrix` for each run; `output` is valid at every place for the
/// channels. There are `ROWS` bases and places.
#[inline(always)]
unsafe fn channels<V: Vector, const ROWS: usize, const WIDTH: usize>(
    (source, bases): (*const f32, &[usize]),
    runs: &[Run],
    (matrix, row): (*const f32, usize),
    start: *const f32,
    (output, places): (*mut f32, &[usize]),
    last: usize,
) {
    unsafe {
        let mut sums = [[V::splat(0.0); WIDTH]; ROWS];
        for sum in &mut sums {
            for (v, sum) in sum.iter_mut().enumerate() {
                *sum = V::load(start.add(v * V::LANES));
            }
        }
        for (tap, &(offset, _)) in runs.iter().enumerate() {
            for v in 0..WIDTH {
                let (column, count) = (v * V::LANES, lanes::<V, WIDTH>(v, last));
                let weight = V::load(matrix.add(tap * row + column));
                for (j, sum) in sums.iter_mut().enumerate() {
                    let from = source.add(*bases.get_unchecked(j) + offset + column);
                    sum[v] = load::<V>(from, count).mul_add(weight, sum[v]);
                }
            }
        }
        for (j, sum) in sums.into_iter().enumerate() {
            let to = output.add(*places.get_unchecked(j));
            for (v, sum) in sum.into_iter().enumerate() {
                match lanes::<V, WIDTH>(v, last) < V::LANES {
                    true => sum.store_partial(to.add(v * V::LANES), last),
                    false => sum.store(to.add(v * V::LANES)),
                }
            }
        }
    }
}

/// Adds to `ROWS` taps of the weight gradient, `row` values apart, the products
/// of their source values with the gradient of each pixel, for `WIDTH` vectors
/// of channels.
///
/// # Safety
/// The instruction set of `V`; `source` is valid at every base plus every
/// offset of `runs` for the channels, `gradient` at every place; `sum` holds
/// whole vectors of them for each run. There are `ROWS` runs.
#[inline(always)]
unsafe fn taps<V: Vector, const ROWS: usize, const WIDTH: usize>(
    (source, bases): (*const f32, &[usize]),
    runs: &[Run],
    (gradient, places): (*const f32, &[usize]),
    (sum, row): (*mut f32, usize),
    last: usize,
) {
    unsafe {
        let mut sums = [[V::splat(0.0); WIDTH]; ROWS];
        for (i, sums) in sums.iter_mut().enumerate() {
            for (v, value) in sums.iter_mut().enumerate() {
                *value = V::load(sum.add(i * row + v * V::LANES));
            }
        }
        for (&base, &place) in bases.iter().zip(places) {
            for v in 0..WIDTH {
                let (column, count) = (v * V::LANES, lanes::<V, WIDTH>(v, last));
                let value = load::<V>(gradient.add(place + column), count);
                for (i, sums) in sums.iter_mut().enumerate() {
                    let from = source.add(base + runs.get_unchecked(i).0 + column);
                    sums[v] = load::<V>(from, count).mul_add(value, sums[v]);
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (v, value) in sums.into_iter().enumerate() {
                value.store(sum.add(i * row + v * V::LANES));
            }
        }
    }
}

/// Channels in steps of one or two vectors: the first, how many vectors, and
/// lanes of the last vector.
fn steps(channels: usize, lanes: usize, most: usize) -> impl Iterator<Item = [usize; 3]> {
    let vectors = channels.div_ceil(lanes);
    (0..vectors).step_by(most).map(move |vector| {
        let width = most.min(vectors - vector);
        let last = channels - (vector + width - 1) * lanes;
        [vector * lanes, width, last.min(lanes)]
    })
}

/// Pixels that are computed side by side.
const PIXELS: usize = 4;

/// The furthest value that a pixel sees, for `channels` channels.
fn reach(bases: &[usize], runs: &[Run], channels: usize) -> usize {
    let offset = runs.iter().map(|run| run.0 + channels).max().unwrap_or(0);
    bases.iter().max().map_or(0, |base| base + offset)
}

/// All pixels of one phase of a piece.
pub struct Channels<'a> {
    pub source: &'a [f32],
    pub bases: &'a [usize],
    pub places: &'a [usize],
    pub runs: &'a [Run],
    pub kernel: &'a [f32],
    pub blocks: &'a Blocks,
    pub start: &'a [f32],
    pub output: &'a mut [MaybeUninit<f32>],
}

impl Channels<'_> {
    /// The conditions under which nothing is read or written out of bounds.
    fn check(&self, lanes: usize) {
        let (blocks, count) = (self.blocks, self.blocks.outputs);
        assert!(reach(self.bases, self.runs, count) <= self.source.len());
        assert!(reach(self.places, &[(0, 0)], count) <= self.output.len());
        assert!(self.bases.len() == self.places.len());
        assert!(self.kernel.len() == self.runs.len() * blocks.padded());
        assert!(self.start.len() == blocks.padded() && blocks.lanes == lanes);
    }
}

impl Kernel for Channels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.check(V::LANES);
        let (row, runs) = (self.blocks.padded(), self.runs);
        for [first, width, last] in steps(self.blocks.outputs, V::LANES, 2) {
            // Without taps there may be no source.
            let source = self.source.as_ptr().wrapping_add(first);
            let matrix = (self.kernel.as_ptr().wrapping_add(first), row);
            let start = self.start[first..].as_ptr();
            let output = self.output[first..].as_mut_ptr().cast::<f32>();
            let mut pixels = (self.bases, self.places);
            while !pixels.0.is_empty() {
                let count = if pixels.0.len() < PIXELS { 1 } else { PIXELS };
                let (bases, places) = (pixels.0.split_at(count), pixels.1.split_at(count));
                pixels = (bases.1, places.1);
                let (source, output) = ((source, bases.0), (output, places.0));
                // SAFETY: `check`, moved by `first` channels, of which the
                // last vector has `last`.
                unsafe {
                    match (count, width) {
                        (1, 1) => channels::<V, 1, 1>(source, runs, matrix, start, output, last),
                        (1, _) => channels::<V, 1, 2>(source, runs, matrix, start, output, last),
                        (_, 1) => {
                            channels::<V, PIXELS, 1>(source, runs, matrix, start, output, last)
                        }
                        _ => channels::<V, PIXELS, 2>(source, runs, matrix, start, output, last),
                    }
                }
            }
        }
    }
}

/// The weight gradient's sums over the pixels of one band.
pub struct Taps<'a> {
    pub source: &'a [f32],
    pub bases: &'a [usize],
    pub gradient: &'a [f32],
    pub places: &'a [usize],
    pub runs: &'a [Run],
    pub blocks: &'a Blocks,
    pub sum: &'a mut [f32],
}

impl Kernel for Taps<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let (blocks, count) = (self.blocks, self.blocks.outputs);
        assert!(reach(self.bases, self.runs, count) <= self.source.len());
        assert!(reach(self.places, &[(0, 0)], count) <= self.gradient.len());
        assert!(self.bases.len() == self.places.len());
        assert!(blocks.lanes == V::LANES);
        let row = blocks.padded();
        assert!(self.sum.len() == self.runs.len() * row);
        let most = if V::MANY_REGISTERS { 2 } else { 1 };
        for [first, width, last] in steps(count, V::LANES, most) {
            let source = (self.source[first..].as_ptr(), self.bases);
            let gradient = (self.gradient[first..].as_ptr(), self.places);
            let (mut rest, mut sum) = (self.runs, &mut *self.sum);
            while !rest.is_empty() {
                let count = match rest.len() {
                    9.. => 9,
                    3.. => 3,
                    _ => 1,
                };
                let (runs, tail) = rest.split_at(count);
                let (to, behind) = sum.split_at_mut(count * row);
                (rest, sum) = (tail, behind);
                let to = (to[first..].as_mut_ptr(), row);
                // SAFETY: the assertions above, moved by `first` channels, of
                // which the last vector has `last`.
                unsafe {
                    match (count, width) {
                        (9, 1) => taps::<V, 9, 1>(source, runs, gradient, to, last),
                        (9, _) => taps::<V, 9, 2>(source, runs, gradient, to, last),
                        (3, 1) => taps::<V, 3, 1>(source, runs, gradient, to, last),
                        (3, _) => taps::<V, 3, 2>(source, runs, gradient, to, last),
                        (_, 1) => taps::<V, 1, 1>(source, runs, gradient, to, last),
                        _ => taps::<V, 1, 2>(source, runs, gradient, to, last),
                    }
                }
            }
        }
    }
}
