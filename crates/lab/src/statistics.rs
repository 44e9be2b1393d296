//! What several runs say about a difference: intervals over seeds, and a
//! paired test on the same images.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// A mean with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// How many numbers there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with one less than their number below the
    /// line; none of a single one.
    pub std: Option<f64>,
    /// Half the width of the 95 % interval of the mean, by Student's t; none of
    /// a single one.
    pub half_width: Option<f64>,
}

impl Interval {
    /// The interval of the mean of `values`; none of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let spread = crate::Spread::of(values)?;
        let count = spread.count as f64;
        let quantile = StudentsT::new(0.0, 1.0, count - 1.0)
            .ok()
            .map(|student| student.inverse_cdf(0.975));
        let half_width = |(std, quantile)| std * quantile / count.sqrt();
        Some(Self {
            count: spread.count,
            mean: spread.mean,
            std: spread.std,
            half_width: spread.std.zip(quantile).map(half_width),
        })
    }

    /// Whether zero lies outside; never of a single number.
    pub fn excludes_zero(&self) -> bool {
        self.half_width.is_some_and(|half| self.mean.abs() > half)
    }
}

/// McNemar's test of two classifiers on the same images (Q. McNemar 1947), in
/// its exact form.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Images that the first alone recognises.
    pub first_only: usize,
    /// Images that the second alone recognises.
    pub second_only: usize,
    /// Probability of a difference at least as large if both are equally good,
    /// two-sided.
    pub p: f64,
}

impl McNemar {
    /// Compares by the rising indices of the images that each gets wrong.
    pub fn of(first_wrong: &[u32], second_wrong: &[u32]) -> Self {
        let without = |from: &[u32], other: &[u32]| {
            let alone = from.iter().filter(|at| other.binary_search(at).is_err());
            alone.count()
        };
        let first_only = without(second_wrong, first_wrong);
        let second_only = without(first_wrong, second_wrong);
        let discordant = (first_only + second_only) as u64;
        let fewer = first_only.min(second_only) as u64;
        let tail = Binomial::new(0.5, discordant).map_or(1.0, |coin| coin.cdf(fewer));
        Self {
            first_only,
            second_only,
            p: (2.0 * tail).min(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_as_wide_as_the_table_of_students_t_says() {
        // 3 numbers with standard deviation 1: t is 4.303 with 2 degrees of freedom.
        let interval = Interval::of(&[1.0, 2.0, 3.0]).expect("numbers");
        let half = interval.half_width.expect("a width");
        assert!((half - 4.302_653 / 3.0_f64.sqrt()).abs() < 1e-5, "{half}");
        assert!(!interval.excludes_zero());
        assert!(
            Interval::of(&[1.0, 1.1, 1.2])
                .expect("numbers")
                .excludes_zero()
        );
        let one = Interval::of(&[5.0]).expect("a number");
        assert_eq!((one.std, one.half_width), (None, None));
        assert!(!one.excludes_zero());
        assert_eq!(Interval::of(&[]), None);
    }

    #[test]
    fn mcnemar_counts_the_images_on_which_only_one_is_right() {
        // Wrong by the first: 1 2 3; by the second: 3 4 5 6 7 8 9 10 11.
        let test = McNemar::of(&[1, 2, 3], &[3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!((test.first_only, test.second_only), (8, 2));
        // 2 * (1 + 10 + 45) / 1024
        assert!((test.p - 0.109_375).abs() < 1e-12, "{}", test.p);
        assert_eq!(McNemar::of(&[4], &[4]).p, 1.0);
        assert_eq!(McNemar::of(&[], &[]).p, 1.0);
    }
}
