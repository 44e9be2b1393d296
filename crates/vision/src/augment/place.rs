//! Operations that move or blank whole pixels.

use super::canvas::Canvas;
use crate::draw::{Draw, Purpose};

/// What lies outside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Padding {
    /// Zeros.
    Zero,
    /// The image mirrored at its outermost pixels, which are not repeated.
    Reflect,
}

/// Pads all sides by `pad` pixels and cuts the size of the image out at a
/// random place.
pub(super) fn crop(canvas: &mut Canvas, pad: usize, padding: Padding) {
    canvas.settle();
    let mut offset = || canvas.draw.below(2 * pad + 1) as isize - pad as isize;
    let (right, down) = (offset(), offset());
    move_by(canvas, right, down, padding);
}

/// Shows at (row, column) what was at (row + down, column + right).
pub(super) fn move_by(canvas: &mut Canvas, right: isize, down: isize, padding: Padding) {
    canvas.copy();
    let (width, height) = (canvas.spec.width, canvas.spec.height);
    let source = &canvas.scratch.source;
    for (row, to) in canvas.pixels.chunks_exact_mut(width).enumerate() {
        let (channel, row) = (row / height, row % height);
        let Some(from) = inside(row as isize + down, height, padding) else {
            to.fill(0);
            continue;
        };
        let from = &source[(channel * height + from) * width..][..width];
        let kept = width.saturating_sub(right.unsigned_abs());
        let (at, start) = match right >= 0 {
            true => (0, width - kept),
            false => (width - kept, 0),
        };
        to[at..at + kept].copy_from_slice(&from[start..start + kept]);
        let outside = (0..at).chain(at + kept..width);
        for column in outside {
            let found = inside(column as isize + right, width, padding);
            to[column] = found.map_or(0, |column| from[column]);
        }
    }
}

/// The pixel of a line of `side` that stands at `at`, which may be outside.
fn inside(at: isize, side: usize, padding: Padding) -> Option<usize> {
    match usize::try_from(at) {
        Ok(at) if at < side => Some(at),
        _ if padding == Padding::Zero => None,
        _ => {
            let period = 2 * (side - 1).max(1);
            let at = at.rem_euclid(period as isize) as usize;
            Some(at.min(period - at).min(side - 1))
        }
    }
}

/// Mirrors left and right.
pub(super) fn mirror(canvas: &mut Canvas) {
    canvas.settle();
    let rows = canvas.pixels.chunks_exact_mut(canvas.spec.width);
    rows.for_each(<[u8]>::reverse);
}

/// Mirrors every second image, by chance.
pub(super) fn flip(canvas: &mut Canvas) {
    if canvas.draw.below(2) == 1 {
        mirror(canvas);
    }
}

/// Mirrors an image in every second epoch; chance decides whether in the odd
/// or the even ones (Jordan 2024, arXiv 2404.00498, section 3.6).
pub(super) fn alternating_flip(canvas: &mut Canvas) {
    let key = canvas.key;
    let coin = Draw::keyed(key.epoch.seed, Purpose::Mirror, key.index.into(), 0).below(2);
    if (coin as u64 + key.epoch.epoch) % 2 == 1 {
        mirror(canvas);
    }
}

/// Blanks a square of `side` pixels whose middle is anywhere in the image; what
/// lies outside is cut off (DeVries and Taylor 2017).
pub(super) fn cutout(canvas: &mut Canvas, side: usize) {
    canvas.settle();
    let (width, height) = (canvas.spec.width, canvas.spec.height);
    let mut span = |length: usize| {
        let middle = canvas.draw.below(length) as isize;
        let from = middle - (side / 2) as isize;
        let within = |at: isize| at.clamp(0, length as isize) as usize;
        within(from)..within(from + side as isize)
    };
    let (rows, columns) = (span(height), span(width));
    let blank = canvas.look.blank();
    for (row, pixels) in canvas.pixels.chunks_exact_mut(width).enumerate() {
        if rows.contains(&(row % height)) {
            pixels[columns.clone()].fill(blank);
        }
    }
}
