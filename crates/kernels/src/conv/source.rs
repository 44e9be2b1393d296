//! The source of a correlation: images of any layout, copied with zeros around
//! them into a buffer whose channels are contiguous, or read where they are.

use super::geometry::Correlation;
use std::{cell::RefCell, ops::Range};

/// Images of any layout: element `[n, c, y, x]` is at
/// `offset + n * strides[0] + c * strides[1] + y * strides[2] + x * strides[3]`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The values.
    pub values: &'a [f32],
    /// Where the first one is.
    pub offset: usize,
    /// Strides of batch, channels, height, width.
    pub strides: [usize; 4],
}

impl View<'_> {
    /// Whether the pixels of an image follow each other with all channels of
    /// one pixel side by side.
    pub fn is_channels_last(&self, channels: usize, size: [usize; 2]) -> bool {
        let [_, channel, row, column] = self.strides;
        (channel == 1 || channels == 1)
            && (column == channels || size[1] == 1)
            && (row == size[1] * channels || size[0] == 1)
    }
}

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Gives `work` rows `rows` of the padded images `images`, and the distance
/// from image to image: where they are when that will do, else a copy.
pub fn with_source<R>(
    view: &View<'_>,
    correlation: &Correlation,
    images: Range<usize>,
    rows: Range<usize>,
    work: impl FnOnce(&[f32], usize) -> R,
) -> R {
    let line = correlation.padded[1] * correlation.channels;
    let unpadded = correlation.padded == correlation.source && correlation.before == [0, 0];
    if unpadded && view.is_channels_last(correlation.channels, correlation.source) {
        let stride = view.strides[0];
        let first = view.offset + images.start * stride + rows.start * line;
        return work(&view.values[first..], stride);
    }
    let stride = rows.len() * line;
    with_scratch(images.len() * stride, |buffer| {
        fill(buffer, view, correlation, images, rows);
        work(buffer, stride)
    })
}

/// Gives `work` a buffer of `length` values of this thread, of any content.
fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = SCRATCH.with(RefCell::take);
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    let result = work(&mut buffer[..length]);
    SCRATCH.with(|scratch| scratch.replace(buffer));
    result
}

/// Copies rows `rows` of the padded images `images` into `buffer`
/// `[images, rows, padded width, channels]`.
fn fill(
    buffer: &mut [f32],
    view: &View<'_>,
    correlation: &Correlation,
    images: Range<usize>,
    rows: Range<usize>,
) {
    let channels = correlation.channels;
    let line = correlation.padded[1] * channels;
    let left = correlation.before[1] * channels;
    let width = correlation.source[1].min(correlation.padded[1] - correlation.before[1]);
    let mut lines = buffer.chunks_exact_mut(line);
    for image in images {
        for row in rows.clone() {
            let Some(to) = lines.next() else { return };
            let source = row.checked_sub(correlation.before[0]);
            match source.filter(|&row| row < correlation.source[0]) {
                None => to.fill(0.0),
                Some(row) => {
                    to[..left].fill(0.0);
                    to[left + width * channels..].fill(0.0);
                    let [batch, _, height, _] = view.strides;
                    let from = view.offset + image * batch + row * height;
                    copy(&mut to[left..], view, from, channels, width);
                }
            }
        }
    }
}

/// Copies a row of `width` pixels.
fn copy(to: &mut [f32], view: &View<'_>, from: usize, channels: usize, width: usize) {
    let [_, channel, _, column] = view.strides;
    let values = &view.values[from..];
    if (channel == 1 || channels == 1) && column == channels {
        return to[..width * channels].copy_from_slice(&values[..width * channels]);
    }
    // Short stretches of both sides stay in the first cache.
    for c in 0..channels {
        let plane = &values[c * channel..];
        for x in 0..width {
            to[x * channels + c] = plane[x * column];
        }
    }
}
