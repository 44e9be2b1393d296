//! Elastic distortion (Simard, Steinkraus, Platt 2003, section 2): random
//! displacements, smoothed by a Gaussian.

use crate::draw::Draw;

/// The widest Gaussian, in pixels.
pub(super) const WIDEST: f32 = 100.0;

/// Standard deviations after which the Gaussian is cut off.
const REACH: f32 = 3.0;

/// Room for smoothing.
#[derive(Debug, Default)]
pub(super) struct Smoothing {
    kernel: Vec<f32>,
    noise: Vec<f32>,
    row: Vec<f32>,
}

/// Fills `field` with displacements in pixels, one to the right and one down
/// for each pixel, side by side: uniform from -1 to 1 in each pixel, 0 outside,
/// smoothed by a Gaussian of standard deviation `sigma` pixels and of sum 1,
/// times `alpha`.
pub(super) fn field(
    field: &mut Vec<f32>,
    (width, height): (usize, usize),
    (alpha, sigma): (f32, f32),
    draw: &mut Draw,
    room: &mut Smoothing,
) {
    let Smoothing { kernel, noise, row } = room;
    let reach = (REACH * sigma).ceil() as usize;
    gaussian(kernel, reach, sigma);
    let wide = 2 * width;
    noise.clear();
    noise.extend((0..width * height).flat_map(|_| draw.two_around(alpha)));
    field.clear();
    field.resize(wide * height, 0.0);
    row.clear();
    row.resize(wide + 4 * reach, 0.0);
    for y in 0..height {
        // Down the columns first, into the middle of a row with zeros around.
        let smooth = &mut row[2 * reach..][..wide];
        smooth.fill(0.0);
        let from = y.saturating_sub(reach);
        for near in from..height.min(y + reach + 1) {
            add(smooth, kernel[near + reach - y], &noise[near * wide..]);
        }
        let to = &mut field[y * wide..][..wide];
        for (shift, weight) in kernel.iter().enumerate() {
            add(to, *weight, &row[2 * shift..]);
        }
    }
}

/// Adds `weight` times the first of `values` to `sums`.
fn add(sums: &mut [f32], weight: f32, values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}

fn gaussian(kernel: &mut Vec<f32>, reach: usize, sigma: f32) {
    kernel.clear();
    kernel.extend((0..2 * reach + 1).map(|at| {
        let away = (at as f32 - reach as f32) / sigma;
        libm::expf(-away * away / 2.0)
    }));
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|weight| *weight /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;

    #[test]
    fn displacements_are_smooth_and_as_large_as_the_theory_says() {
        let (width, height, alpha, sigma) = (60, 50, 34.0, 4.0);
        let (mut squares, mut steps, mut count) = (0.0, 0.0, 0.0);
        for seed in 0..20 {
            let mut displaced = Vec::new();
            let mut draw = Draw::keyed(seed, Purpose::Augmentation, 0, 0);
            let size = (width, height);
            let room = &mut Smoothing::default();
            field(&mut displaced, size, (alpha, sigma), &mut draw, room);
            for y in 12..height - 12 {
                for x in 12..width - 12 {
                    let value = displaced[2 * (y * width + x)];
                    squares += f64::from(value * value);
                    steps += f64::from((displaced[2 * (y * width + x + 1)] - value).powi(2));
                    count += 1.0;
                }
            }
        }
        // A uniform number has variance 1/3, and the squares of a Gaussian of
        // two dimensions add up to 1/(4 pi sigma^2).
        let expected = f64::from(alpha) / (12.0 * std::f64::consts::PI).sqrt() / f64::from(sigma);
        let deviation = (squares / count).sqrt();
        assert!((deviation / expected - 1.0).abs() < 0.1, "{deviation}");
        assert!((steps / count).sqrt() < deviation / 4.0);
    }
}
