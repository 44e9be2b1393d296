//! What a comparison came to: arm by arm, and arm against arm.

use super::{Equal, OpenArm, Outcome};
use crate::{EvalSplit, Interval, McNemar};

/// All outcomes of a comparison.
#[derive(Clone, Debug)]
pub struct ComparisonResult {
    /// Name, as in `mnist`.
    pub name: String,
    /// Heading.
    pub title: String,
    /// What was equal for all arms.
    pub equal: Equal,
    /// Arm by arm, in the order of the comparison.
    pub arms: Vec<ArmResult>,
}

/// The outcomes of an arm.
#[derive(Clone, Debug)]
pub struct ArmResult {
    /// The arm.
    pub arm: OpenArm,
    /// Seed by seed, from 1.
    pub outcomes: Vec<Outcome>,
}

/// How two arms differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The first arm.
    pub first: String,
    /// The second arm.
    pub second: String,
    /// Test accuracy of the first minus that of the second, seed by seed.
    pub accuracy: Interval,
    /// The paired test of each seed's two networks on the test images.
    pub mcnemar: Vec<McNemar>,
}

impl ArmResult {
    pub(super) fn new(arm: &OpenArm) -> Self {
        Self {
            arm: arm.clone(),
            outcomes: Vec::new(),
        }
    }

    /// The interval of a number over the seeds; none where one lacks it.
    pub fn over(&self, number: impl Fn(&Outcome) -> Option<f64>) -> Option<Interval> {
        let numbers: Option<Vec<_>> = self.outcomes.iter().map(number).collect();
        Interval::of(&numbers?)
    }

    /// Accuracy on the images of `split`, from 0 to 1.
    pub fn accuracy(&self, split: EvalSplit) -> Option<Interval> {
        self.over(|outcome| outcome.accuracy(split))
    }

    /// The interval of a number of this arm minus that of `other`, paired by
    /// seed; none where one lacks it.
    pub fn minus(
        &self,
        other: &Self,
        number: impl Fn(&Outcome) -> Option<f64>,
    ) -> Option<Interval> {
        let pairs = self.outcomes.iter().zip(&other.outcomes);
        let differences: Option<Vec<_>> =
            pairs.map(|(a, b)| Some(number(a)? - number(b)?)).collect();
        Interval::of(&differences?)
    }
}

impl ComparisonResult {
    /// The arm called `name`.
    pub fn arm(&self, name: &str) -> Option<&ArmResult> {
        self.arms.iter().find(|arm| arm.arm.name == name)
    }

    /// How `first` differs from `second`; none where one is missing or failed.
    pub fn difference(&self, first: &str, second: &str) -> Option<Difference> {
        let (first, second) = (self.arm(first)?, self.arm(second)?);
        let pairs = first.outcomes.iter().zip(&second.outcomes);
        Some(Difference {
            first: first.arm.name.clone(),
            second: second.arm.name.clone(),
            accuracy: first.minus(second, |one| one.accuracy(EvalSplit::Test))?,
            mcnemar: pairs
                .map(|(a, b)| McNemar::of(&a.wrong, &b.wrong))
                .collect(),
        })
    }

    /// Every arm against the first.
    pub fn differences(&self) -> Vec<Difference> {
        let Some((first, others)) = self.arms.split_first() else {
            return Vec::new();
        };
        let others = others.iter();
        others
            .filter_map(|other| self.difference(&other.arm.name, &first.arm.name))
            .collect()
    }
}
