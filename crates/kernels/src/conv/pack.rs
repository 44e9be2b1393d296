//! Kernels as the inner loops read them: blocks of output lanes, each a matrix
//! whose row `k` holds the weights of patch value `k` for these lanes.

use crate::tile::WIDEST;
use rayon::prelude::*;

/// How output lanes are cut into blocks of a few vectors.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// Vectors of each block.
    pub widths: Vec<usize>,
    /// Lanes of a vector.
    pub lanes: usize,
    /// Outputs in all.
    pub outputs: usize,
}

impl Blocks {
    /// Blocks of nearly equal width for `outputs` lanes.
    pub fn new(outputs: usize, lanes: usize) -> Self {
        let vectors = outputs.div_ceil(lanes).max(1);
        let blocks = vectors.div_ceil(WIDEST);
        let widths = (0..blocks)
            .map(|block| vectors / blocks + usize::from(block < vectors % blocks))
            .collect();
        Self {
            widths,
            lanes,
            outputs,
        }
    }

    /// Number, first lane, vectors and lanes of the last vector of each block.
    pub fn each(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        self.widths.iter().scan(0, move |first, &width| {
            let here = *first;
            *first += width * self.lanes;
            let last = (self.outputs - here).min(width * self.lanes) - (width - 1) * self.lanes;
            Some((here, width, last))
        })
    }

    /// All lanes, those of no output included.
    pub fn padded(&self) -> usize {
        self.widths.iter().sum::<usize>() * self.lanes
    }
}

/// Which axis of the weights `[out, in, height, width]` becomes the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Lanes are output channels, a patch runs over input channels.
    Forward,
    /// Lanes are input channels, a patch runs over output channels.
    Backward,
}

/// Strides of the weights: of a lane and of a channel of the patch.
fn strides(side: Side, channels: [usize; 2], area: usize) -> (usize, usize) {
    match side {
        Side::Forward => (channels[1] * area, area),
        Side::Backward => (area, channels[1] * area),
    }
}

/// Packs `weights` `[channels[0], channels[1], height, width]` for the taps at
/// `positions` (`row * width + column`), patch order tap, channel.
pub fn pack(
    weights: &[f32],
    channels: [usize; 2],
    area: usize,
    side: Side,
    positions: &[usize],
    blocks: &Blocks,
) -> Vec<f32> {
    let (lane_stride, channel_stride) = strides(side, channels, area);
    let inner = channels[usize::from(side == Side::Forward)];
    let depth = positions.len() * inner;
    let mut packed = vec![0.0; depth * blocks.padded()];
    let mut parts = Vec::new();
    let mut rest = packed.as_mut_slice();
    for (first, width, last) in blocks.each() {
        let (part, tail) = rest.split_at_mut(depth * width * blocks.lanes);
        rest = tail;
        parts.push((first, width, (width - 1) * blocks.lanes + last, part));
    }
    parts
        .into_par_iter()
        .for_each(|(first, width, count, part)| {
            let row = width * blocks.lanes;
            for channel in 0..inner {
                for lane in 0..count {
                    let from = (first + lane) * lane_stride + channel * channel_stride;
                    let patch = &weights[from..from + area];
                    for (tap, &position) in positions.iter().enumerate() {
                        part[(tap * inner + channel) * row + lane] = patch[position];
                    }
                }
            }
        });
    packed
}

/// The reverse of [`pack`] for all taps in order and [`Side::Forward`]: the
/// weight gradient from its packed form.
pub fn unpack(packed: &[f32], channels: [usize; 2], area: usize, blocks: &Blocks) -> Vec<f32> {
    let inner = channels[1];
    let depth = area * inner;
    let mut weights = vec![0.0; channels[0] * depth];
    let mut parts = Vec::new();
    let (mut rest, mut from) = (weights.as_mut_slice(), packed);
    for (_, width, last) in blocks.each() {
        let count = (width - 1) * blocks.lanes + last;
        let (to, tail) = rest.split_at_mut(count * depth);
        let (part, after) = from.split_at(depth * width * blocks.lanes);
        (rest, from) = (tail, after);
        parts.push((width * blocks.lanes, to, part));
    }
    parts.into_par_iter().for_each(|(row, to, part)| {
        for (lane, to) in to.chunks_exact_mut(depth).enumerate() {
            for (channel, patch) in to.chunks_exact_mut(area).enumerate() {
                for (tap, weight) in patch.iter_mut().enumerate() {
                    *weight = part[(tap * inner + channel) * row + lane];
                }
            }
        }
    });
    weights
}
