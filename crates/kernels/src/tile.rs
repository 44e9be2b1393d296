//! The two inner loops of every convolution and matrix product: a tile of
//! outputs that stays in registers while the products of a patch are added to it.
//!
//! Both take values from `source` one at a time and multiply each by a row of
//! `WIDTH` vectors of a packed matrix, so that neither needs the patches to be
//! copied out (no im2col).
#![allow(unsafe_code)]

use crate::simd::Vector;

/// A stretch of a patch that lies contiguously in the source: where it starts
/// behind the first value of the patch, and its length.
pub type Run = (usize, usize);

/// Values of a packed matrix that the inner loops go over again and again:
/// 24 KiB, most of a first-level cache.
pub const MATRIX: usize = 6 * 1024;

/// The rows of a packed matrix are at most this many vectors wide.
pub const WIDEST: usize = 4;

/// Rows of a tile that fit the registers beside one row of the matrix.
pub const fn rows<V: Vector>(width: usize) -> usize {
    match (V::MANY_REGISTERS, width) {
        (true, 1 | 2) => 12,
        (true, 3) => 8,
        (true, _) => 6,
        (false, 1) => 8,
        (false, 2) => 6,
        (false, 3) => 4,
        (false, _) => 3,
    }
}

#[inline(always)]
unsafe fn read<V: Vector, const WIDTH: usize>(from: *const f32, last: usize) -> [V; WIDTH] {
    unsafe {
        let mut row = [V::splat(0.0); WIDTH];
        for (v, value) in row.iter_mut().enumerate() {
            *value = match v + 1 == WIDTH && last < V::LANES {
                true => V::load_partial(from.add(v * V::LANES), last),
                false => V::load(from.add(v * V::LANES)),
            };
        }
        row
    }
}

#[inline(always)]
unsafe fn write<V: Vector, const WIDTH: usize>(row: [V; WIDTH], to: *mut f32, last: usize) {
    unsafe {
        for (v, value) in row.into_iter().enumerate() {
            match v + 1 == WIDTH && last < V::LANES {
                true => value.store_partial(to.add(v * V::LANES), last),
                false => value.store(to.add(v * V::LANES)),
            }
        }
    }
}

/// Adds to `ROWS` rows of `output` the products of their patches with `matrix`:
/// `output[places[j]][..] += sum over k of source[bases[j] + k] * matrix[k][..]`.
/// With `start`, rows begin as `start` instead of what `output` holds.
///
/// # Safety
/// The instruction set of `V`; `source` is valid at every base plus every
/// offset of `runs`; `matrix` holds as many rows of `WIDTH` vectors as `runs`
/// have values; `output` is valid at every place for the lanes of a row, and
/// so is `start`.
#[inline(always)]
pub unsafe fn patches<V: Vector, const ROWS: usize, const WIDTH: usize>(
    source: *const f32,
    bases: &[usize],
    runs: &[Run],
    matrix: *const f32,
    (output, places, start): (*mut f32, &[usize], Option<*const f32>),
    last: usize,
) {
    unsafe {
        let mut sums = [[V::splat(0.0); WIDTH]; ROWS];
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum = match start {
                Some(start) => read::<V, WIDTH>(start, last),
                None => read::<V, WIDTH>(output.add(*places.get_unchecked(j)), last),
            };
        }
        let mut matrix = matrix;
        for &(offset, length) in runs {
            let mut patch = [source; ROWS];
            for (j, patch) in patch.iter_mut().enumerate() {
                *patch = source.add(*bases.get_unchecked(j) + offset);
            }
            for k in 0..length {
                let mut row = [V::splat(0.0); WIDTH];
                for (v, value) in row.iter_mut().enumerate() {
                    *value = V::load(matrix.add(v * V::LANES));
                }
                matrix = matrix.add(WIDTH * V::LANES);
                for j in 0..ROWS {
                    let value = V::splat(*patch[j].add(k));
                    for v in 0..WIDTH {
                        sums[j][v] = value.mul_add(row[v], sums[j][v]);
                    }
                }
            }
        }
        for (j, sum) in sums.into_iter().enumerate() {
            write(sum, output.add(*places.get_unchecked(j)), last);
        }
    }
}

/// Adds to `ROWS` rows of `gradient`, `stride` values apart, the products of
/// one value of each patch with the row of the matrix that belongs to the patch:
/// `gradient[i][..] += sum over p of source[bases[p] + i] * matrix[p][..]`.
/// With `fresh`, rows begin as zero instead of what `gradient` holds.
///
/// # Safety
/// The instruction set of `V`; `source` is valid at every base plus `ROWS - 1`;
/// `matrix` holds a row of `WIDTH` vectors for each base; `gradient` is valid
/// for the lanes of `ROWS` rows.
#[inline(always)]
pub unsafe fn products<V: Vector, const ROWS: usize, const WIDTH: usize>(
    source: *const f32,
    bases: &[usize],
    matrix: *const f32,
    (gradient, stride, fresh): (*mut f32, usize, bool),
    last: usize,
) {
    unsafe {
        let mut sums = [[V::splat(0.0); WIDTH]; ROWS];
        if !fresh {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = read::<V, WIDTH>(gradient.add(i * stride), last);
            }
        }
        let mut matrix = matrix;
        for &base in bases {
            let mut row = [V::splat(0.0); WIDTH];
            for (v, value) in row.iter_mut().enumerate() {
                *value = V::load(matrix.add(v * V::LANES));
            }
            matrix = matrix.add(WIDTH * V::LANES);
            let patch = source.add(base);
            for (i, sums) in sums.iter_mut().enumerate() {
                let value = V::splat(*patch.add(i));
                for v in 0..WIDTH {
                    sums[v] = value.mul_add(row[v], sums[v]);
                }
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            write(sum, gradient.add(i * stride), last);
        }
    }
}

/// Calls a function over `ROWS` and `WIDTH` for values known at run time.
macro_rules! sized {
    ($rows:expr, $width:expr, $name:ident::<$v:ident> $arguments:tt) => {
        match $width {
            1 => sized!(@ $rows, 1, $name $v $arguments 1 2 3 4 5 6 7 8 9 10 11 12),
            2 => sized!(@ $rows, 2, $name $v $arguments 1 2 3 4 5 6 7 8 9 10 11 12),
            3 => sized!(@ $rows, 3, $name $v $arguments 1 2 3 4 5 6 7 8),
            _ => sized!(@ $rows, 4, $name $v $arguments 1 2 3 4 5 6),
        }
    };
    (@ $rows:expr, $width:literal, $name:ident $v:ident $arguments:tt $($n:literal)*) => {
        match $rows {
            $($n => $name::<$v, $n, $width> $arguments,)*
            _ => unreachable!("a tile has no more rows than fit the registers"),
        }
    };
}
pub(crate) use sized;
