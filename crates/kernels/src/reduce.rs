//! Sums over the pixels of maps, in parts whose bounds depend on sizes alone.

use crate::{
    flex::{Array, channels_last, sizes, tensor, values},
    simd::{Kernel, Vector, widest},
};
use rayon::prelude::*;

/// Values that one thread goes over at a time: 64 KiB.
pub const PART: usize = 16 * 1024;

/// Columns below which rows are taken together, so that vectors are full.
const NARROW: usize = 64;

/// Rows of `columns` values that are summed side by side.
pub fn together(columns: usize) -> usize {
    NARROW.div_ceil(columns.max(1)).max(1)
}

/// The sum of each channel of maps: `[batch, channels, height, width]` to `[channels]`.
pub fn over_pixels(maps: &Array) -> Array {
    let channels = sizes(maps)[1];
    let pixels = channels_last(maps.clone());
    tensor(sums(values(&pixels), channels), [channels])
}

/// The sum of each of `columns` columns.
pub fn sums(values: &[f32], columns: usize) -> Vec<f32> {
    let rows = (PART / columns).max(1);
    let parts: Vec<Vec<f32>> = values
        .par_chunks(rows * columns)
        .map(|values| widest(Sum { values, columns }))
        .collect();
    let mut total = vec![0.0f64; columns];
    for part in parts {
        for (total, value) in total.iter_mut().zip(part) {
            *total += f64::from(value);
        }
    }
    total.into_iter().map(|total| total as f32).collect()
}

struct Sum<'a> {
    values: &'a [f32],
    columns: usize,
}

impl Kernel for Sum<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Vec<f32> {
        let width = self.columns * together(self.columns);
        let mut wide = vec![0.0f32; width];
        let rows = self.values.chunks_exact(width);
        let rest = rows.remainder();
        for row in rows {
            for (sum, value) in wide.iter_mut().zip(row) {
                *sum += value;
            }
        }
        for (sum, value) in wide.iter_mut().zip(rest) {
            *sum += value;
        }
        fold(&wide, self.columns)
    }
}

/// Adds up rows that were summed side by side.
pub fn fold(wide: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in wide.chunks_exact(columns) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums
}
