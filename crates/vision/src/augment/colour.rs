//! Operations on the values of pixels. A factor of 1 leaves them as they are,
//! 0 goes all the way to what the operation takes away from.

use super::canvas::Canvas;

/// Rec. 601: how bright red, green and blue look.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// `from + (value - from) * factor`, rounded into a byte.
fn blend(value: u8, from: f32, factor: f32) -> u8 {
    (from + (f32::from(value) - from) * factor + 0.5) as u8
}

/// Away from black.
pub(super) fn brightness(canvas: &mut Canvas, factor: f32) {
    canvas.settle();
    for value in canvas.pixels.iter_mut() {
        *value = blend(*value, 0.0, factor);
    }
}

/// Away from the image's mean luma.
pub(super) fn contrast(canvas: &mut Canvas, factor: f32) {
    canvas.settle();
    let plane = canvas.spec.width * canvas.spec.height;
    let sum = |pixels: &[u8]| pixels.iter().map(|&value| u64::from(value)).sum::<u64>() as f32;
    let mean = match canvas.spec.channels {
        3 => {
            let sums = canvas.pixels.chunks_exact(plane).map(sum);
            sums.zip(LUMA).map(|(sum, share)| sum * share).sum::<f32>()
        }
        _ => sum(canvas.pixels) / canvas.spec.channels as f32,
    };
    let mean = (mean / plane as f32).round();
    for value in canvas.pixels.iter_mut() {
        *value = blend(*value, mean, factor);
    }
}

/// Away from each pixel's luma; grey images have nothing to change.
pub(super) fn saturation(canvas: &mut Canvas, factor: f32) {
    canvas.settle();
    if canvas.spec.channels != 3 {
        return;
    }
    let plane = canvas.spec.width * canvas.spec.height;
    let (red, others) = canvas.pixels.split_at_mut(plane);
    let (green, blue) = others.split_at_mut(plane);
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let colours = [*red, *green, *blue].map(f32::from);
        let luma = colours.iter().zip(LUMA).map(|(value, share)| value * share);
        let luma = luma.sum::<f32>().round();
        for value in [red, green, blue] {
            *value = blend(*value, luma, factor);
        }
    }
}

/// Away from the image smoothed over 3x3 pixels, of which the one in the
/// middle counts 5 of 13; the outermost pixels stay.
pub(super) fn sharpness(canvas: &mut Canvas, factor: f32) {
    canvas.settle();
    canvas.copy();
    let (width, height) = (canvas.spec.width, canvas.spec.height);
    let source = &canvas.scratch.source;
    for (row, to) in canvas.pixels.chunks_exact_mut(width).enumerate() {
        if [0, height - 1].contains(&(row % height)) || width < 3 {
            continue;
        }
        let rows = [row - 1, row, row + 1].map(|row| &source[row * width..][..width]);
        for column in 1..width - 1 {
            let around = rows.iter().flat_map(|row| &row[column - 1..=column + 1]);
            let around: u32 = around.map(|&value| u32::from(value)).sum();
            let smooth = (around + 4 * u32::from(rows[1][column])) as f32 / 13.0;
            to[column] = blend(to[column], smooth.round(), factor);
        }
    }
}

/// Replaces each value by what `table` makes of its channel.
fn look_up(canvas: &mut Canvas, table: impl Fn(&[u8]) -> [u8; 256]) {
    canvas.settle();
    let plane = canvas.spec.width * canvas.spec.height;
    for channel in canvas.pixels.chunks_exact_mut(plane) {
        let table = table(channel);
        for value in channel {
            *value = table[usize::from(*value)];
        }
    }
}

/// A table of what `value` makes of each byte.
fn table(value: impl Fn(usize) -> u8) -> [u8; 256] {
    std::array::from_fn(value)
}

/// Keeps the upper `bits` bits, from 0 to 8.
pub(super) fn posterize(canvas: &mut Canvas, bits: u32) {
    let kept = !(0xff_u32 >> bits) as u8;
    look_up(canvas, |_| table(|byte| byte as u8 & kept));
}

/// Inverts the values from `threshold` on.
pub(super) fn solarize(canvas: &mut Canvas, threshold: f32) {
    look_up(canvas, |_| {
        table(|byte| match byte as f32 >= threshold {
            true => 255 - byte as u8,
            false => byte as u8,
        })
    });
}

/// Stretches each channel from black to white.
pub(super) fn autocontrast(canvas: &mut Canvas) {
    look_up(canvas, |channel| {
        let least = channel.iter().copied().min().unwrap_or(0);
        let most = channel.iter().copied().max().unwrap_or(0);
        let range = f32::from(most) - f32::from(least);
        table(|byte| match range > 0.0 {
            true => ((byte as f32 - f32::from(least)) * 255.0 / range + 0.5) as u8,
            false => byte as u8,
        })
    });
}

/// Gives each channel a flat histogram.
pub(super) fn equalize(canvas: &mut Canvas) {
    look_up(canvas, |channel| {
        let mut counts = [0_usize; 256];
        channel
            .iter()
            .for_each(|&value| counts[usize::from(value)] += 1);
        let last = counts.iter().rev().copied().find(|&count| count > 0);
        let step = (channel.len() - last.unwrap_or(0)) / 255;
        if step == 0 {
            return table(|byte| byte as u8);
        }
        let mut below = step / 2;
        counts.map(|count| {
            let value = (below / step).min(255) as u8;
            below += count;
            value
        })
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ImageSpec,
        augment::tests::{COLOUR, after, image},
    };

    #[test]
    fn factors_of_1_change_nothing_and_of_0_take_everything() {
        let factors = [brightness, contrast, saturation, sharpness];
        for operation in factors {
            assert_eq!(
                after(COLOUR, |canvas| operation(canvas, 1.0)),
                image(COLOUR)
            );
        }
        assert!(
            after(COLOUR, |canvas| brightness(canvas, 0.0))
                .iter()
                .all(|v| *v == 0)
        );
        let flat = after(COLOUR, |canvas| contrast(canvas, 0.0));
        assert!(flat.iter().all(|value| *value == flat[0]));
        let grey = after(COLOUR, |canvas| saturation(canvas, 0.0));
        let plane = COLOUR.width * COLOUR.height;
        assert_eq!(grey[..plane], grey[plane..2 * plane]);
        assert_eq!(grey[..plane], grey[2 * plane..]);
    }

    #[test]
    fn tables_do_what_they_are_called() {
        let before = image(COLOUR);
        let inverted: Vec<_> = before.iter().map(|value| 255 - value).collect();
        assert_eq!(after(COLOUR, |canvas| solarize(canvas, 0.0)), inverted);
        assert_eq!(after(COLOUR, |canvas| solarize(canvas, 256.0)), before);
        let upper: Vec<_> = before.iter().map(|value| value & 0xf0).collect();
        assert_eq!(after(COLOUR, |canvas| posterize(canvas, 4)), upper);
        assert_eq!(after(COLOUR, |canvas| posterize(canvas, 8)), before);
        let wide = after(COLOUR, |canvas| {
            brightness(canvas, 0.5);
            autocontrast(canvas);
        });
        assert_eq!(wide.iter().min(), Some(&0));
        assert_eq!(wide.iter().max(), Some(&255));
        let spec = ImageSpec::new(1, 64, 64);
        let flat = after(spec, |canvas| {
            brightness(canvas, 0.3);
            equalize(canvas);
        });
        let dark = flat.iter().filter(|value| **value < 128).count();
        assert!((1900..2200).contains(&dark), "{dark}");
    }
}
