//! Products of row-major matrices, with the inner loops of the convolutions.
//! Columns are cut into blocks that the threads share out; each block packs
//! the part of the matrix that its inner loops go over, and every sum runs in
//! one order, so that results do not depend on the number of threads.
#![allow(unsafe_code)]

use crate::{
    conv::pack::Blocks,
    memory::written,
    simd::{self, Kernel, Vector, widest},
    tile::{MATRIX, patches, products, rows, sized},
};
use rayon::prelude::*;

/// Multiplications below which more threads do not pay: about 20 microseconds.
const FEW: usize = 1 << 20;

/// Where the threads write, each its own columns.
#[derive(Clone, Copy)]
struct Target(*mut f32);

// SAFETY: blocks of columns do not overlap, and each is one thread's.
unsafe impl Send for Target {}
unsafe impl Sync for Target {}

/// The matrix on the right: element `[k, n]` is at `k * rows + n * columns`.
#[derive(Clone, Copy)]
pub struct Right<'a> {
    /// The values.
    pub values: &'a [f32],
    /// From row to row.
    pub rows: usize,
    /// From column to column.
    pub columns: usize,
}

/// `left` `[m, depth]` times `right` `[depth, columns]`, plus `start`
/// `[columns]` on every row: `[m, columns]`.
pub fn multiply(
    left: &[f32],
    depth: usize,
    right: Right<'_>,
    columns: usize,
    start: Option<&[f32]>,
) -> Vec<f32> {
    let count = left.len() / depth;
    let blocks = Blocks::new(columns, simd::lanes());
    let mut begin = vec![0.0; blocks.padded()];
    if let Some(start) = start {
        begin[..columns].copy_from_slice(start);
    }
    let bases: Vec<_> = (0..count).map(|row| row * depth).collect();
    let places: Vec<_> = (0..count).map(|row| row * columns).collect();
    let last = |k: usize, n: usize| (k - 1) * right.rows + (n - 1) * right.columns;
    assert!(right.values.len() > last(depth, columns) && left.len() == count * depth);
    let write = |to: &mut [std::mem::MaybeUninit<f32>]| {
        let target = Target(to.as_mut_ptr().cast());
        let compute = |(first, width, last): (usize, usize, usize)| {
            widest(Block {
                left,
                bases: &bases,
                places: &places,
                depth,
                right,
                start: &begin[first..],
                target,
                columns: (first, width, last),
            });
        };
        share(&blocks, count * depth * columns, compute);
    };
    // SAFETY: all blocks together write every column of every row.
    unsafe { written(count * columns, write) }
}

/// Computes each block, on all threads where there is enough to do.
fn share(
    blocks: &Blocks,
    multiplications: usize,
    compute: impl Fn((usize, usize, usize)) + Send + Sync,
) {
    match multiplications < FEW {
        true => blocks.each().for_each(compute),
        false => blocks
            .each()
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each(compute),
    }
}

/// One block of columns: the first, its vectors, and lanes of the last vector.
struct Block<'a> {
    left: &'a [f32],
    bases: &'a [usize],
    places: &'a [usize],
    depth: usize,
    right: Right<'a>,
    start: &'a [f32],
    target: Target,
    columns: (usize, usize, usize),
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let (first, width, last) = self.columns;
        let row = width * V::LANES;
        let lanes = row - V::LANES + last;
        let count = rows::<V>(width);
        let parts = self.depth.div_ceil(MATRIX / row);
        let most = self.depth.div_ceil(parts);
        let mut matrix = [0.0f32; MATRIX];
        let mut start = Some(self.start.as_ptr());
        for from in (0..self.depth).step_by(most) {
            let depth = most.min(self.depth - from);
            fill(&mut matrix, row, (from, depth), (first, lanes), self.right);
            let runs = [(from, depth)];
            for (bases, places) in self.bases.chunks(count).zip(self.places.chunks(count)) {
                // SAFETY: `bases` and `places` begin rows of `depth` and of all
                // columns, of which this block writes `lanes` from `first` on.
                unsafe {
                    let output = self.target.0.add(first);
                    sized!(
                        bases.len(),
                        width,
                        patches::<V>(
                            self.left.as_ptr(),
                            bases,
                            &runs,
                            matrix.as_ptr(),
                            (output, places, start),
                            last
                        )
                    );
                }
            }
            start = None;
        }
    }
}

/// Copies rows `from..from + depth` of columns `first..first + lanes`.
#[inline(always)]
fn fill(
    matrix: &mut [f32],
    row: usize,
    (from, depth): (usize, usize),
    (first, lanes): (usize, usize),
    right: Right<'_>,
) {
    let begin = from * right.rows + first * right.columns;
    if right.columns == 1 {
        for (k, to) in matrix.chunks_exact_mut(row).take(depth).enumerate() {
            let from = begin + k * right.rows;
            to[..lanes].copy_from_slice(&right.values[from..from + lanes]);
        }
        return;
    }
    for lane in 0..lanes {
        let values = &right.values[begin + lane * right.columns..];
        for k in 0..depth {
            matrix[k * row + lane] = values[k * right.rows];
        }
    }
}

/// The transpose of `left` `[m, rows]` times `right` `[m, columns]`:
/// `[rows, columns]`.
pub fn multiply_transposed(left: &[f32], right: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    let count = left.len() / rows;
    assert!(left.len() == count * rows && right.len() == count * columns);
    let blocks = Blocks::new(columns, simd::lanes());
    let bases: Vec<_> = (0..count).map(|row| row * rows).collect();
    let write = |to: &mut [std::mem::MaybeUninit<f32>]| {
        let target = Target(to.as_mut_ptr().cast());
        let compute = |block: (usize, usize, usize)| {
            widest(Outer {
                left,
                bases: &bases,
                right,
                target,
                size: [rows, columns],
                block,
            });
        };
        share(&blocks, count * rows * columns, compute);
    };
    // SAFETY: all blocks together write every column of every row.
    unsafe { written(rows * columns, write) }
}

struct Outer<'a> {
    left: &'a [f32],
    bases: &'a [usize],
    right: &'a [f32],
    target: Target,
    size: [usize; 2],
    block: (usize, usize, usize),
}

impl Kernel for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let ((first, width, last), [length, columns]) = (self.block, self.size);
        let row = width * V::LANES;
        let lanes = row - V::LANES + last;
        let count = rows::<V>(width);
        let most = MATRIX / row;
        let mut matrix = [0.0f32; MATRIX];
        for (part, bases) in self.bases.chunks(most).enumerate() {
            let right = Right {
                values: self.right,
                rows: columns,
                columns: 1,
            };
            fill(
                &mut matrix,
                row,
                (part * most, bases.len()),
                (first, lanes),
                right,
            );
            for from in (0..length).step_by(count) {
                let rows = count.min(length - from);
                // SAFETY: `bases` begin rows of `length` values; this block
                // writes `lanes` columns from `first` on of `rows` rows.
                unsafe {
                    let to = self.target.0.add(from * columns + first);
                    sized!(
                        rows,
                        width,
                        products::<V>(
                            self.left.as_ptr().add(from),
                            bases,
                            matrix.as_ptr(),
                            (to, columns, part == 0),
                            last
                        )
                    );
                }
            }
        }
    }
}
