//! From values to places on an axis, and the values that are written at it.

use crate::Axis;

/// The range of an axis that is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    log: bool,
    whole: bool,
    /// The ends, as logarithms where `log` holds.
    low: f64,
    high: f64,
}

/// A value that is written at an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Its share of the axis, from 0 to 1.
    pub at: f64,
    /// How it is written.
    pub label: String,
}

impl Scale {
    /// The range of `axis`, or of `values`.
    pub fn new(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let place = |value: f64| if axis.log { value.log10() } else { value };
        let [low, high] = match axis.range {
            Some(range) => range.map(place),
            None => values
                .map(place)
                .filter(|value| value.is_finite())
                .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
                    [low.min(value), high.max(value)]
                }),
        };
        let (log, whole) = (axis.log, axis.whole);
        match low.is_finite() && high.is_finite() {
            false => Self {
                log,
                whole,
                low: 0.0,
                high: 1.0,
            },
            // A single value lies in the middle.
            true if high - low <= low.abs().max(high.abs()) * 1e-9 => {
                let half = if log {
                    0.5
                } else {
                    (low.abs() * 0.5).max(0.5e-9)
                };
                Self {
                    log,
                    whole,
                    low: low - half,
                    high: high + half,
                }
            }
            true => Self {
                log,
                whole,
                low,
                high,
            },
        }
    }

    /// With a little room at both ends, so that no curve runs along the frame;
    /// a range of numbers from 0 up keeps 0 as its end.
    pub fn widened(self, axis: &Axis) -> Self {
        if axis.range.is_some() {
            return self;
        }
        let room = (self.high - self.low) * 0.04;
        let near_zero = !self.log && self.low >= 0.0 && self.low < (self.high - self.low) * 0.5;
        Self {
            low: if near_zero { 0.0 } else { self.low - room },
            high: self.high + room,
            ..self
        }
    }

    /// Where `value` is, from 0 to 1; none if it is not on the axis.
    pub fn share(&self, value: f64) -> Option<f64> {
        let place = if self.log { value.log10() } else { value };
        let share = (place - self.low) / (self.high - self.low);
        (-1e-9..=1.0 + 1e-9)
            .contains(&share)
            .then(|| share.clamp(0.0, 1.0))
    }

    /// About `wanted` round values, rising.
    pub fn ticks(&self, wanted: usize) -> Vec<Tick> {
        let values = match self.log {
            true => self.log_values(wanted),
            false => self.linear_values(wanted),
        };
        values
            .into_iter()
            .filter_map(|(value, label)| {
                let at = self.share(value)?;
                Some(Tick { at, label })
            })
            .collect()
    }

    fn linear_values(&self, wanted: usize) -> Vec<(f64, String)> {
        let least = if self.whole { 1.0 } else { 0.0 };
        let rough = ((self.high - self.low) / wanted.max(1) as f64).max(least);
        let power = 10f64.powf(rough.log10().floor());
        let factors = [1.0, 2.0, 5.0, 10.0];
        let factor = factors
            .into_iter()
            .find(|factor| factor * power >= rough * 0.999);
        let step = factor.unwrap_or(10.0) * power;
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let largest = self.low.abs().max(self.high.abs());
        let written = |value: f64| match (1e-3..1e6).contains(&largest) {
            true => format!("{value:.digits$}"),
            false => scientific(value, step),
        };
        (first..=last)
            .map(|at| at as f64 * step)
            .map(|value| (value, written(value)))
            .collect()
    }

    fn log_values(&self, wanted: usize) -> Vec<(f64, String)> {
        let decades = self.high - self.low;
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let factors: &[f64] = match decades {
            decades if decades >= 2.0 => &[1.0],
            decades if decades >= 0.7 => &[1.0, 2.0, 5.0],
            _ => return self.narrow_values(wanted),
        };
        let every = (decades / wanted.max(1) as f64).ceil().max(1.0) as i32;
        let powers = (first..=last).filter(|power| power.rem_euclid(every) == 0);
        powers
            .flat_map(|power| factors.iter().map(move |factor| (*factor, power)))
            .map(|(factor, power)| (factor * 10f64.powi(power), decimal(factor, power)))
            .collect()
    }

    /// Round values of a logarithmic axis of less than a decade.
    fn narrow_values(&self, wanted: usize) -> Vec<(f64, String)> {
        let linear = Self {
            log: false,
            whole: self.whole,
            low: 10f64.powf(self.low),
            high: 10f64.powf(self.high),
        };
        linear.linear_values(wanted)
    }
}

/// `factor` times ten to `power`.
fn decimal(factor: f64, power: i32) -> String {
    match power {
        -3..=-1 => format!(
            "{:.*}",
            power.unsigned_abs() as usize,
            factor * 10f64.powi(power)
        ),
        0..=4 => format!("{}", factor * 10f64.powi(power)),
        _ => format!("{factor}e{power}"),
    }
}

/// A multiple of `step`, in as few digits as tell it from its neighbours.
fn scientific(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (value.abs().log10().floor() - step.log10().floor()).max(0.0) as usize;
    format!("{value:.digits$e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64], wanted: usize) -> Vec<String> {
        let scale = Scale::new(axis, values.iter().copied());
        scale
            .ticks(wanted)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    #[test]
    fn ticks_are_round_values_within_the_range() {
        let linear = Axis::linear("");
        assert_eq!(
            labels(&linear, &[0.0, 10.0], 5),
            ["0", "2", "4", "6", "8", "10"]
        );
        assert_eq!(labels(&linear, &[0.0, 0.1], 4), ["0.00", "0.05", "0.10"]);
        assert_eq!(labels(&linear, &[-0.3, 0.3], 4), ["-0.2", "0.0", "0.2"]);
        assert_eq!(
            labels(&linear, &[0.0, 3e-5], 3),
            ["0", "1e-5", "2e-5", "3e-5"]
        );
        assert_eq!(labels(&Axis::whole(""), &[1.0, 3.0], 8), ["1", "2", "3"]);
        let log = Axis::log("");
        assert_eq!(
            labels(&log, &[1e-4, 1.0], 9),
            ["1e-4", "0.001", "0.01", "0.1", "1"]
        );
        assert_eq!(labels(&log, &[0.9, 12.0], 5), ["1", "2", "5", "10"]);
        assert_eq!(labels(&log, &[2.0, 5.0], 3), ["2", "3", "4", "5"]);
    }

    #[test]
    fn shares_run_from_0_to_1_and_what_is_outside_has_none() {
        let scale = Scale::new(&Axis::log(""), [1.0, 100.0].into_iter());
        assert_eq!(scale.share(1.0), Some(0.0));
        assert_eq!(scale.share(10.0), Some(0.5));
        assert_eq!(scale.share(100.0), Some(1.0));
        for outside in [0.0, -1.0, f64::NAN, 0.5, 200.0, f64::INFINITY] {
            assert_eq!(scale.share(outside), None, "{outside}");
        }
    }

    #[test]
    fn one_value_or_none_still_has_a_range() {
        for axis in [Axis::linear(""), Axis::log("")] {
            for values in [vec![], vec![3.0], vec![3.0; 4], vec![f64::NAN]] {
                let scale = Scale::new(&axis, values.iter().copied());
                assert!(scale.high > scale.low, "{values:?}");
                assert!(!scale.ticks(4).is_empty(), "{values:?}");
            }
        }
        let zero = Scale::new(&Axis::linear(""), [0.0].into_iter());
        assert_eq!(zero.share(0.0), Some(0.5));
    }
}
