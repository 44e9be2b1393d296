//! The numbers of a schedule, and which of them no schedule can use.

use super::find_schedule;
use serde::{Deserialize, Serialize};

/// A schedule by name, and its numbers. One that has no use for a number
/// ignores it; [`ScheduleRow::keys`](super::ScheduleRow) says what it uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Name in [`SCHEDULES`](super::SCHEDULES).
    pub name: String,
    /// Epochs, or parts of one, in which the rate rises linearly to its full
    /// value. What follows counts from its end, milestones excepted.
    pub warmup_epochs: f64,
    /// Lowest rate of cosine, linear, polynomial and reduce-on-plateau, from 0
    /// to the full rate.
    pub min_lr: f64,
    /// Epochs after which annealing has half of the full rate, above 0.
    #[serde(default = "annealing_epochs")]
    pub annealing_epochs: f64,
    /// Epochs between two steps; 0 is a third of the epochs after the warm-up.
    #[serde(default)]
    pub step_epochs: usize,
    /// Factor of the rate at a step, a milestone, a plateau, or (exponential)
    /// for an epoch, above 0 and up to 1.
    #[serde(default = "gamma")]
    pub gamma: f64,
    /// Epochs of the run at which multi-step goes down, rising; none is half
    /// and three quarters of the run.
    #[serde(default)]
    pub milestones: Vec<usize>,
    /// Exponent of polynomial, above 0.
    #[serde(default = "power")]
    pub power: f64,
    /// Epochs of the cosine's first period; 0 is without restarts.
    #[serde(default)]
    pub restart_epochs: usize,
    /// How many times as long as the one before a period is, at least 1.
    #[serde(default = "restart_factor")]
    pub restart_factor: f64,
    /// Share of the steps in which one-cycle rises, between 0 and 1.
    #[serde(default = "peak")]
    pub peak: f64,
    /// The full rate over one-cycle's first, at least 1.
    #[serde(default = "rise")]
    pub rise: f64,
    /// One-cycle's first rate over its last, at least 1.
    #[serde(default = "fall")]
    pub fall: f64,
    /// Knots of piecewise-linear, as `EPOCH:FACTOR,EPOCH:FACTOR`: epochs of the
    /// run, rising, and factors of the rate, at least 0.
    #[serde(default = "knots")]
    pub knots: String,
    /// Epochs without a lower validation loss that reduce-on-plateau bears.
    #[serde(default = "patience")]
    pub patience: usize,
}

fn annealing_epochs() -> f64 {
    1.0
}

fn gamma() -> f64 {
    0.1
}

fn power() -> f64 {
    0.9
}

fn restart_factor() -> f64 {
    1.0
}

fn peak() -> f64 {
    0.3
}

fn rise() -> f64 {
    25.0
}

fn fall() -> f64 {
    1e4
}

fn knots() -> String {
    "0:0,5:1,24:0".to_owned()
}

fn patience() -> usize {
    10
}

impl ScheduleSettings {
    /// The schedule `name` with what most of them have.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            warmup_epochs: 0.0,
            min_lr: 0.0,
            annealing_epochs: annealing_epochs(),
            step_epochs: 0,
            gamma: gamma(),
            milestones: Vec::new(),
            power: power(),
            restart_epochs: 0,
            restart_factor: restart_factor(),
            peak: peak(),
            rise: rise(),
            fall: fall(),
            knots: knots(),
            patience: patience(),
        }
    }

    /// The same course in a run of `to` epochs that was one of `from`: what the
    /// schedule counts in epochs, in proportion, but for the patience of
    /// reduce-on-plateau, which counts results.
    pub fn stretched(&self, from: usize, to: usize) -> Self {
        let factor = to as f64 / from as f64;
        let keys = find_schedule(&self.name).map_or(&[][..], |row| row.keys);
        let whole = |epochs: usize| match epochs {
            0 => 0,
            epochs => ((epochs as f64 * factor).round() as usize).max(1),
        };
        let mut milestones: Vec<_> = self.milestones.iter().copied().map(whole).collect();
        milestones.dedup();
        let knots = self.parsed_knots().unwrap_or_default().into_iter();
        let knots = knots.map(|(epoch, rate)| format!("{}:{rate}", epoch * factor));
        Self {
            warmup_epochs: self.warmup_epochs * factor,
            annealing_epochs: match keys.contains(&"annealing_epochs") {
                true => self.annealing_epochs * factor,
                false => self.annealing_epochs,
            },
            step_epochs: whole(self.step_epochs),
            restart_epochs: whole(self.restart_epochs),
            milestones,
            knots: match keys.contains(&"knots") {
                true => knots.collect::<Vec<_>>().join(","),
                false => self.knots.clone(),
            },
            gamma: match self.name.as_str() {
                "exponential" => self.gamma.powf(factor.recip()),
                _ => self.gamma,
            },
            ..self.clone()
        }
    }

    /// The first number that no schedule can use, as a sentence.
    ///
    /// # Errors
    /// That sentence.
    pub fn check(&self, lr: f64, epochs: usize) -> Result<(), String> {
        let wrong = |key: &str, value: &dyn std::fmt::Display, allowed: &str| {
            Err(format!(
                "schedule.{key} is {value}, but it must be {allowed}"
            ))
        };
        if !(0.0..=epochs as f64).contains(&self.warmup_epochs) {
            let allowed = format!("from 0 to the {epochs} epochs of the run");
            return wrong("warmup_epochs", &self.warmup_epochs, &allowed);
        }
        if !(0.0..=lr).contains(&self.min_lr) {
            let allowed = format!("from 0 to the learning rate {lr}");
            return wrong("min_lr", &self.min_lr, &allowed);
        }
        let finite = |value: f64, holds: bool| value.is_finite() && holds;
        type Rule<'a> = (&'a str, f64, bool, &'a str);
        let rules: [Rule; 7] = [
            (
                "annealing_epochs",
                self.annealing_epochs,
                self.annealing_epochs > 0.0,
                "above 0",
            ),
            (
                "gamma",
                self.gamma,
                self.gamma > 0.0 && self.gamma <= 1.0,
                "above 0 and up to 1",
            ),
            ("power", self.power, self.power > 0.0, "above 0"),
            (
                "restart_factor",
                self.restart_factor,
                self.restart_factor >= 1.0,
                "at least 1",
            ),
            (
                "peak",
                self.peak,
                self.peak > 0.0 && self.peak < 1.0,
                "between 0 and 1",
            ),
            ("rise", self.rise, self.rise >= 1.0, "at least 1"),
            ("fall", self.fall, self.fall >= 1.0, "at least 1"),
        ];
        if let Some((key, value, _, allowed)) = rules
            .iter()
            .find(|(_, value, holds, _)| !finite(*value, *holds))
        {
            return wrong(key, value, allowed);
        }
        if !self.milestones.is_sorted_by(|a, b| a < b) {
            let list = format!("{:?}", self.milestones);
            return wrong(
                "milestones",
                &list,
                "a rising list of epochs, such as [80,120]",
            );
        }
        self.parsed_knots()?;
        let keys = find_schedule(&self.name).map_or(&[][..], |row| row.keys);
        match self.warmup_epochs > 0.0 && !keys.is_empty() && !keys.contains(&"warmup_epochs") {
            true => Err(format!(
                "schedule.warmup_epochs is {}, but the schedule {} says itself how the rate rises; set it to 0",
                self.warmup_epochs, self.name
            )),
            false => Ok(()),
        }
    }

    /// The knots as epochs and factors.
    pub(super) fn parsed_knots(&self) -> Result<Vec<(f64, f64)>, String> {
        let knot = |text: &str| {
            let (epoch, factor) = text.split_once(':')?;
            let number = |text: &str| text.trim().parse::<f64>().ok();
            let knot = (number(epoch)?, number(factor)?);
            let allowed = |value: f64| value.is_finite() && value >= 0.0;
            (allowed(knot.0) && allowed(knot.1)).then_some(knot)
        };
        let knots: Option<Vec<_>> = self.knots.split(',').map(knot).collect();
        knots
            .filter(|knots| knots.is_sorted_by(|a, b| a.0 < b.0))
            .ok_or_else(|| {
                format!(
                    "schedule.knots is '{}', but it must be EPOCH:FACTOR pairs with rising epochs, such as 0:0,5:1,24:0",
                    self.knots
                )
            })
    }
}
