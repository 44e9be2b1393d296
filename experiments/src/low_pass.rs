//! A low-pass filter found by learning: one 1-D convolution is trained to give
//! the signal without its noise.

use burn::{
    module::Module,
    optim::{AdamConfig, GradientsParams},
    tensor::{Device, Tensor, TensorData},
};
use kiln_lab::LabError;
use kiln_models::{
    Window,
    layers::{Conv, Conv2d},
};
use kiln_vision::draw::{Draw, NORMALS, Purpose};
use std::f64::consts::TAU;

/// Weights of each filter.
pub const TAPS: usize = 31;
/// The highest frequency of the clean signals, in periods per sample.
pub const CUTOFF: f64 = 0.08;
/// Samples of a signal.
const LENGTH: usize = 256;
/// Sines in a signal.
const SINES: usize = 8;
/// Signals in a step of the optimizer.
const BATCH: usize = 32;
/// Signals that filters are measured with.
const MEASURED: u64 = 1000;
const RATE: f64 = 0.01;

/// A filter by its weights, the middle one for the present.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What it is.
    pub name: String,
    /// The weights.
    pub taps: Vec<f64>,
}

impl Filter {
    /// The mean of `taps` neighbours.
    pub fn moving_average(taps: usize) -> Self {
        let outside = (TAPS - taps) / 2;
        let weight = |at: usize| match at.abs_diff(TAPS / 2) <= TAPS / 2 - outside {
            true => 1.0 / taps as f64,
            false => 0.0,
        };
        Self {
            name: format!("moving average of {taps}"),
            taps: (0..TAPS).map(weight).collect(),
        }
    }

    /// The ideal low-pass filter, cut off after its middle weights.
    pub fn ideal() -> Self {
        let weight = |at: usize| 2.0 * CUTOFF * covariance(at.abs_diff(TAPS / 2));
        Self {
            name: "ideal low-pass, cut off".to_owned(),
            taps: (0..TAPS).map(weight).collect(),
        }
    }

    /// The filter with the least expected squared error: N. Wiener's normal
    /// equations, (R + I) h = r, for the covariance R of the clean signal and
    /// noise of variance 1.
    pub fn best() -> Self {
        let row = |at: usize| {
            let mut row: Vec<_> = (0..TAPS)
                .map(|other| covariance(at.abs_diff(other)))
                .collect();
            row[at] += 1.0;
            row.push(covariance(at.abs_diff(TAPS / 2)));
            row
        };
        Self {
            name: "best by calculation".to_owned(),
            taps: solved((0..TAPS).map(row).collect()),
        }
    }

    /// Trains a convolution for `steps` steps from the weights of `seed`.
    ///
    /// # Errors
    /// When the device does not give the weights back.
    pub fn learned(seed: u64, steps: u64) -> Result<Self, LabError> {
        let host = kiln_backend::host();
        let window = Window::new([1, TAPS]);
        let mut conv = {
            let _only_here = kiln_backend::seed(&host, seed);
            let conv = Conv::new(1, 1, 1).window(window).no_bias().init(&host);
            let _drawn = conv.weight.val();
            conv.train()
        };
        let mut adam = AdamConfig::new().init();
        for step in 0..steps {
            let signals: Vec<_> = (0..BATCH as u64)
                .map(|at| signal(seed, step * BATCH as u64 + at))
                .collect();
            let (noisy, clean) = batch(&signals, &host.clone().autodiff());
            let loss = (conv.forward(noisy) - clean).square().mean();
            let gradients = GradientsParams::from_grads(loss.backward(), &conv);
            // Smaller and smaller steps, that the weights come to rest.
            let rate = RATE * (1.0 - step as f64 / steps as f64);
            conv = adam.step(rate, conv, gradients);
        }
        Ok(Self {
            name: "learned".to_owned(),
            taps: taps(&conv)?,
        })
    }

    /// Mean squared error on signals that none was trained on, where the whole
    /// filter lies on the signal.
    pub fn error(&self) -> f64 {
        let of = |index| {
            let (noisy, clean) = signal(0, index);
            let filtered = noisy.windows(TAPS).map(|window| {
                let products = window.iter().zip(&self.taps);
                products
                    .map(|(value, tap)| f64::from(*value) * tap)
                    .sum::<f64>()
            });
            let wrong = filtered.zip(&clean[TAPS / 2..]);
            let squares = wrong.map(|(found, clean)| (found - f64::from(*clean)).powi(2));
            squares.sum::<f64>() / (LENGTH - TAPS + 1) as f64
        };
        (0..MEASURED).map(of).sum::<f64>() / MEASURED as f64
    }

    /// By how much a sine of `frequency` periods per sample comes out larger.
    pub fn gain(&self, frequency: f64) -> f64 {
        let sum = |wave: fn(f64) -> f64| {
            let taps = self.taps.iter().enumerate();
            taps.map(|(at, tap)| tap * wave(TAU * frequency * at as f64))
                .sum::<f64>()
        };
        sum(f64::cos).hypot(sum(f64::sin))
    }
}

/// Covariance of the clean signal with itself `lag` samples later: its power is
/// 1, spread evenly up to the cut-off.
fn covariance(lag: usize) -> f64 {
    match lag as f64 * TAU * CUTOFF {
        0.0 => 1.0,
        angle => angle.sin() / angle,
    }
}

/// A signal with noise of variance 1, and without: sines of equal power with
/// frequencies below the cut-off.
fn signal(seed: u64, index: u64) -> (Vec<f32>, Vec<f32>) {
    let mut draw = Draw::keyed(seed, Purpose::Drawing, 1 << 32, index);
    let mut clean = vec![0.0; LENGTH];
    for _ in 0..SINES {
        let (frequency, phase) = (CUTOFF * draw.fraction(), draw.fraction());
        for (at, value) in clean.iter_mut().enumerate() {
            *value += (TAU * (frequency * at as f64 + phase)).sin() * (2.0 / SINES as f64).sqrt();
        }
    }
    let clean: Vec<_> = clean.into_iter().map(|value| value as f32).collect();
    let mut noise = Vec::with_capacity(LENGTH);
    while noise.len() < LENGTH {
        noise.extend::<[f32; NORMALS]>(draw.normals());
    }
    let noisy = clean.iter().zip(noise).map(|(clean, noise)| clean + noise);
    (noisy.collect(), clean)
}

/// Noisy signals, and the middles of the clean ones.
fn batch(signals: &[(Vec<f32>, Vec<f32>)], device: &Device) -> (Tensor<4>, Tensor<4>) {
    let middle = LENGTH - TAPS + 1;
    let tensor = |values: Vec<f32>, length| {
        Tensor::from_data(
            TensorData::new(values, [signals.len(), 1, 1, length]),
            device,
        )
    };
    let noisy = signals.iter().flat_map(|(noisy, _)| noisy.clone());
    let clean = signals
        .iter()
        .flat_map(|(_, clean)| clean[TAPS / 2..][..middle].to_vec());
    (
        tensor(noisy.collect(), LENGTH),
        tensor(clean.collect(), middle),
    )
}

fn taps(conv: &Conv2d) -> Result<Vec<f64>, LabError> {
    let weights = conv.weight.val().try_into_data().map_err(LabError::run)?;
    Ok(weights.iter::<f64>().collect())
}

/// The solution of linear equations, each with its right side at the end, whose
/// matrix is positive definite: elimination without pivots.
fn solved(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let count = rows.len();
    for pivot in 0..count {
        let head = rows[pivot].clone();
        for (at, row) in rows.iter_mut().enumerate() {
            if at != pivot {
                let factor = row[pivot] / head[pivot];
                for (value, head) in row.iter_mut().zip(&head) {
                    *value -= factor * head;
                }
            }
        }
    }
    (0..count)
        .map(|at| rows[at][count] / rows[at][at])
        .collect()
}

/// The frequencies that gains are drawn at, up to half a period per sample.
pub fn frequencies() -> impl Iterator<Item = f64> {
    (0..=200).map(|step| f64::from(step) / 400.0)
}

/// The gain that an unlimited filter would best have at `frequency`: signal
/// power over the power of signal and noise (Wiener 1949).
pub fn best_gain(frequency: f64) -> f64 {
    let power = 1.0 / (2.0 * CUTOFF);
    match frequency <= CUTOFF {
        true => power / (power + 1.0),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn the_calculated_filter_is_the_best_and_learning_comes_near_it() {
        let best = Filter::best();
        let error = best.error();
        for other in [
            Filter::ideal(),
            Filter::moving_average(5),
            Filter::moving_average(31),
        ] {
            assert!(other.error() > error, "{}", other.name);
        }
        let learned = Filter::learned(1, 300).expect("learns");
        assert!(
            learned.error() < 1.05 * error,
            "{} {error}",
            learned.error()
        );
        assert!(learned.gain(0.02) > 0.7 && learned.gain(0.3) < 0.2);
    }

    #[test]
    fn filters_do_to_sines_what_their_formulas_say() {
        let mean = Filter::moving_average(5);
        assert!((mean.taps.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(mean.taps.iter().filter(|tap| **tap > 0.0).count(), 5);
        let frequency: f64 = 0.1;
        let gain = (5.0 * PI * frequency).sin() / (5.0 * (PI * frequency).sin());
        assert!((mean.gain(frequency) - gain.abs()).abs() < 1e-12);
        assert!((Filter::ideal().gain(0.0) - 1.0).abs() < 0.1);
    }
}
