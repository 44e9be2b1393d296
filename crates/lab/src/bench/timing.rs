//! Steps under a clock.

use crate::LabError;
use burn::tensor::{Device, Tensor};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Side of the square matrices whose product shows the machine's peak, and
/// how many products are tried.
const PEAK_SIDE: usize = 1024;
const PEAK_TRIES: usize = 12;

/// How long is measured, and where.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Steps before the timed ones.
    pub warmup: usize,
    /// Timed steps.
    pub iterations: usize,
    /// Backend, with a device index where it has several.
    pub backend: String,
}

impl Timing {
    /// Opens the device and gives it with the backend's full name.
    pub(super) fn open(&self) -> Result<(Device, String), LabError> {
        at_least_one("--iters", self.iterations)?;
        let choice = self.backend.parse()?;
        Ok((kiln_backend::open(&choice)?, choice.to_string()))
    }

    /// Seconds of `step`: it runs a few times, then a few times more with a
    /// clock; each ends when the device has done it.
    pub(super) fn time(
        &self,
        device: &Device,
        mut step: impl FnMut(),
    ) -> Result<Vec<f64>, LabError> {
        let mut seconds = Vec::with_capacity(self.iterations);
        for number in 0..self.warmup + self.iterations {
            let start = Instant::now();
            step();
            device.sync().map_err(LabError::run)?;
            if number >= self.warmup {
                // A clock that stood still must not divide by zero.
                let shown = start.elapsed().max(Duration::from_nanos(1));
                seconds.push(shown.as_secs_f64());
            }
        }
        Ok(seconds)
    }
}

/// Refuses 0 for `flag`.
pub(super) fn at_least_one(flag: &str, value: usize) -> Result<(), LabError> {
    match value {
        0 => Err(LabError::usage(format!(
            "{flag} is 0, but it must be at least 1"
        ))),
        _ => Ok(()),
    }
}

/// The middle of some numbers and that of each half.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quartiles {
    /// A quarter of the numbers is smaller.
    pub first: f64,
    /// Half of the numbers is smaller.
    pub median: f64,
    /// A quarter of the numbers is larger.
    pub third: f64,
}

impl Quartiles {
    /// Quartiles of `values`, in between two of them where they fall there;
    /// none of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |share: f64| {
            let place = share * last as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            sorted[below] + (sorted[above] - sorted[below]) * place.fract()
        };
        Some(Self {
            first: at(0.25),
            median: at(0.5),
            third: at(0.75),
        })
    }
}

/// Floating-point operations per second of the product of two large matrices
/// in float32, the best of a few.
pub(super) fn matmul_peak(device: &Device) -> Result<f64, LabError> {
    let shape = [PEAK_SIDE, PEAK_SIDE];
    let [a, b] = [0.5, 0.25].map(|value| Tensor::<2>::full(shape, value, device));
    let mut best = f64::INFINITY;
    for _ in 0..PEAK_TRIES {
        let start = Instant::now();
        let product = a.clone().matmul(b.clone());
        device.sync().map_err(LabError::run)?;
        best = best.min(start.elapsed().as_secs_f64());
        drop(product);
    }
    Ok(2.0 * (PEAK_SIDE as f64).powi(3) / best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_numbers_where_they_fall_there() {
        let quartiles = |values: &[f64]| {
            let Quartiles {
                first,
                median,
                third,
            } = Quartiles::of(values).expect("numbers");
            [first, median, third]
        };
        assert_eq!(quartiles(&[5.0, 1.0, 3.0, 2.0, 4.0]), [2.0, 3.0, 4.0]);
        assert_eq!(quartiles(&[4.0, 1.0, 2.0, 3.0]), [1.75, 2.5, 3.25]);
        assert_eq!(quartiles(&[7.0]), [7.0; 3]);
        assert_eq!(Quartiles::of(&[]), None);
    }

    #[test]
    fn steps_before_the_timed_ones_run_without_a_clock() {
        let timing = Timing {
            warmup: 2,
            iterations: 3,
            backend: "flex".to_owned(),
        };
        let mut steps = 0;
        let device = kiln_backend::host();
        let seconds = timing.time(&device, || steps += 1).expect("times");
        assert_eq!((steps, seconds.len()), (5, 3));
        assert!(seconds.iter().all(|seconds| *seconds > 0.0));
    }
}
