//! The table of learning-rate schedules: pure functions of the step.

use crate::UnknownName;
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// A schedule by name, and its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Name in [`SCHEDULES`].
    pub name: String,
    /// Epochs, or parts of one, in which the rate rises linearly to its full value.
    pub warmup_epochs: f64,
    /// Rate at the end of the cosine, from 0 to the full rate.
    pub min_lr: f64,
}

/// A schedule by name.
pub struct ScheduleRow {
    /// Name on the command line.
    pub name: &'static str,
    /// One line for lists, with the source.
    pub summary: &'static str,
    /// Share of the way from the full rate (0) to the lowest (1), by the share
    /// of the steps after the warm-up that is done.
    shape: fn(f64) -> f64,
}

/// Every schedule.
pub const SCHEDULES: &[ScheduleRow] = &[
    ScheduleRow {
        name: "constant",
        summary: "the same rate throughout",
        shape: |_| 0.0,
    },
    ScheduleRow {
        name: "cosine",
        summary: "down to min_lr along half a cosine (Loshchilov & Hutter 2017, no restarts)",
        shape: |done| (1.0 - (PI * done).cos()) / 2.0,
    },
];

/// The row of the schedule called `name`.
///
/// # Errors
/// When there is none: the message lists all names and the nearest.
pub fn find_schedule(name: &str) -> Result<&'static ScheduleRow, UnknownName> {
    let names: Vec<_> = SCHEDULES.iter().map(|row| row.name).collect();
    SCHEDULES
        .iter()
        .find(|row| row.name == name.to_lowercase())
        .ok_or_else(|| UnknownName::new("schedule", name, &names))
}

impl ScheduleSettings {
    /// The first number that no schedule can use, as a sentence.
    ///
    /// # Errors
    /// That sentence.
    pub fn check(&self, lr: f64, epochs: usize) -> Result<(), String> {
        if !(0.0..=epochs as f64).contains(&self.warmup_epochs) {
            return Err(format!(
                "schedule.warmup_epochs is {}, but it must be from 0 to the {epochs} epochs of the run",
                self.warmup_epochs
            ));
        }
        if !(0.0..=lr).contains(&self.min_lr) {
            return Err(format!(
                "schedule.min_lr is {}, but it must be from 0 to the learning rate {lr}",
                self.min_lr
            ));
        }
        Ok(())
    }
}

/// The learning rate of every step of a run.
#[derive(Clone)]
pub struct Schedule {
    shape: fn(f64) -> f64,
    lr: f64,
    min_lr: f64,
    warmup_steps: usize,
    total_steps: usize,
    next: usize,
}

impl Schedule {
    /// The schedule of a run of `epochs` epochs of `steps_per_epoch` steps.
    ///
    /// # Errors
    /// When there is no schedule of that name.
    pub fn new(
        settings: &ScheduleSettings,
        lr: f64,
        epochs: usize,
        steps_per_epoch: usize,
    ) -> Result<Self, UnknownName> {
        Ok(Self {
            shape: find_schedule(&settings.name)?.shape,
            lr,
            min_lr: settings.min_lr,
            warmup_steps: (settings.warmup_epochs * steps_per_epoch as f64).round() as usize,
            total_steps: epochs * steps_per_epoch,
            next: 0,
        })
    }

    /// The same course at `factor` times the rate.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        Self {
            lr: self.lr * factor,
            min_lr: self.min_lr * factor,
            ..self.clone()
        }
    }

    /// The rate of step `step`, counted from 0.
    pub fn lr(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.lr * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let rest = (self.total_steps - self.warmup_steps).max(1);
        let done = ((step - self.warmup_steps) as f64 / rest as f64).min(1.0);
        self.lr + (self.min_lr - self.lr) * (self.shape)(done)
    }
}

impl LrScheduler for Schedule {
    fn step(&mut self) -> f64 {
        let lr = self.lr(self.next);
        self.next += 1;
        lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("step", self.next as u64)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.next = record.scalar::<u64>("step").map_or(0, |step| step as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(name: &str, warmup_epochs: f64) -> Schedule {
        let settings = ScheduleSettings {
            name: name.to_owned(),
            warmup_epochs,
            min_lr: 0.1,
        };
        Schedule::new(&settings, 1.0, 10, 10).expect("a schedule")
    }

    #[test]
    fn a_constant_rate_stays() {
        assert!((0..100).all(|step| schedule("constant", 0.0).lr(step) == 1.0));
    }

    #[test]
    fn a_cosine_falls_from_the_full_rate_to_the_lowest() {
        let cosine = schedule("cosine", 0.0);
        assert_eq!(cosine.lr(0), 1.0);
        assert!((cosine.lr(50) - 0.55).abs() < 1e-12);
        assert!((cosine.lr(100) - 0.1).abs() < 1e-12);
        assert!((1..100).all(|step| cosine.lr(step) < cosine.lr(step - 1)));
        assert_eq!(cosine.lr(1000), cosine.lr(100), "it never climbs again");
    }

    #[test]
    fn the_warm_up_rises_to_the_full_rate() {
        let cosine = schedule("cosine", 2.0);
        assert!((cosine.lr(0) - 0.05).abs() < 1e-12);
        assert_eq!(cosine.lr(19), 1.0);
        assert_eq!(cosine.lr(20), 1.0);
        assert!(cosine.lr(21) < 1.0);
    }

    #[test]
    fn a_schedule_goes_on_where_its_record_stopped() {
        let mut whole = schedule("cosine", 1.0);
        let rates: Vec<_> = (0..50).map(|_| whole.step()).collect();
        let mut first = schedule("cosine", 1.0);
        for _ in 0..20 {
            first.step();
        }
        let mut second = schedule("cosine", 1.0);
        second.load_record(first.to_record());
        assert!(rates[20..].iter().all(|&rate| second.step() == rate));
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let check = |warmup_epochs, min_lr| {
            let name = "cosine".to_owned();
            ScheduleSettings {
                name,
                warmup_epochs,
                min_lr,
            }
            .check(0.1, 5)
        };
        assert!(check(5.0, 0.1).is_ok());
        for (warmup, min) in [
            (-1.0, 0.0),
            (5.1, 0.0),
            (f64::NAN, 0.0),
            (0.0, -0.1),
            (0.0, 0.2),
        ] {
            assert!(check(warmup, min).is_err(), "{warmup} {min}");
        }
    }
}
