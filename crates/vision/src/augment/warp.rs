//! Resampling through a map, with bilinear interpolation; outside the image
//! there are zeros.

use super::{affine::Affine, canvas::Scratch};
use crate::ImageSpec;

/// Bits after the point of an interpolation weight: two weights and a byte
/// fit into 32 bits.
const BITS: u32 = 11;
const ONE: u32 = 1 << BITS;

/// Where one pixel comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tap {
    /// Upper left of four pixels in the bordered plane.
    at: u32,
    /// Weights of the right and of the lower ones, of [`ONE`].
    right: u16,
    down: u16,
}

/// Replaces the image by what `map` makes of it, each pixel displaced by the
/// scratch's field where it is `distorted`.
pub(super) fn warp(
    pixels: &mut [u8],
    spec: ImageSpec,
    map: &Affine,
    distorted: bool,
    scratch: &mut Scratch,
) {
    let (width, height) = (spec.width, spec.height);
    // One zero before and two after: a coordinate may be -1 or the width.
    let (wide, high) = (width + 3, height + 3);
    let source = &mut scratch.source;
    source.clear();
    source.resize(spec.channels * wide * high, 0);
    for (row, from) in pixels.chunks_exact(width).enumerate() {
        let (channel, row) = (row / height, row % height);
        let to = (channel * high + row + 1) * wide + 1;
        source[to..to + width].copy_from_slice(from);
    }
    scratch.taps.resize(width, Tap::default());
    for row in 0..height {
        let field = match distorted {
            true => &scratch.field[row * width * 2..][..width * 2],
            false => &[],
        };
        taps(&mut scratch.taps, spec, row, map, field);
        for channel in 0..spec.channels {
            let plane = &source[channel * wide * high..][..wide * high];
            let to = &mut pixels[(channel * height + row) * width..][..width];
            sample(to, plane, wide, &scratch.taps);
        }
    }
}

/// Where the pixels of `row` come from.
fn taps(taps: &mut [Tap], spec: ImageSpec, row: usize, map: &Affine, field: &[f32]) {
    let middle = |side: usize| (side as f64 - 1.0) / 2.0;
    let (width, height) = (spec.width as f32, spec.height as f32);
    let (across, down) = (middle(spec.width), middle(spec.height));
    let matrix = map.matrix.map(|row| row.map(|number| number as f32));
    let y = (row as f64 - down) as f32;
    let x0 = -across as f32;
    // The border is one pixel wide, so coordinates in the plane are 1 more.
    let offset = [
        (map.offset[0] + across + 1.0) as f32,
        (map.offset[1] + down + 1.0) as f32,
    ];
    let wide = spec.width as u32 + 3;
    let tap = |x: f32, y: f32| {
        let column = matrix[0][0] * x + (matrix[0][1] * y + offset[0]);
        let row = matrix[1][0] * x + (matrix[1][1] * y + offset[1]);
        let fixed =
            |value: f32, side: f32| (value.clamp(0.0, side + 1.0) * ONE as f32 + 0.5) as i32 as u32;
        let (column, row) = (fixed(column, width), fixed(row, height));
        Tap {
            at: (row >> BITS) * wide + (column >> BITS),
            right: (column & (ONE - 1)) as u16,
            down: (row & (ONE - 1)) as u16,
        }
    };
    if field.is_empty() {
        for (column, place) in taps.iter_mut().enumerate() {
            *place = tap(column as f32 + x0, y);
        }
    } else {
        for (column, (place, moved)) in taps.iter_mut().zip(field.chunks_exact(2)).enumerate() {
            *place = tap(column as f32 + x0 + moved[0], y + moved[1]);
        }
    }
}

fn sample(to: &mut [u8], plane: &[u8], wide: usize, taps: &[Tap]) {
    for (to, tap) in to.iter_mut().zip(taps) {
        let (right, down) = (u32::from(tap.right), u32::from(tap.down));
        let four = &plane[tap.at as usize..][..wide + 2];
        let blend =
            |from: usize| u32::from(four[from]) * (ONE - right) + u32::from(four[from + 1]) * right;
        let sum = blend(0) * (ONE - down) + blend(wide) * down;
        *to = ((sum + (1 << (2 * BITS - 1))) >> (2 * BITS)) as u8;
    }
}
