//! The table of learning-rate schedules: pure functions of the step, but for
//! the one that watches the validation loss.

mod plateau;
mod settings;
mod shapes;
#[cfg(test)]
mod tests;

use crate::UnknownName;
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use plateau::Plateau;
pub use settings::ScheduleSettings;
use shapes::{Course, Time};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A schedule by name.
pub struct ScheduleRow {
    /// Name on the command line.
    pub name: &'static str,
    /// One line for lists, with the source.
    pub summary: &'static str,
    /// The keys of [`ScheduleSettings`] that it uses.
    pub keys: &'static [&'static str],
    /// Factor of the rate when none is given.
    pub gamma: f64,
    /// Whether it needs the validation loss of every epoch
    /// ([`Schedule::observe`]).
    pub watches: bool,
    /// The rate at a time.
    rate: fn(&Course, &Time) -> f64,
}

/// What rows have that say nothing else.
const ROW: ScheduleRow = ScheduleRow {
    name: "",
    summary: "",
    keys: &["warmup_epochs"],
    gamma: 0.1,
    watches: false,
    rate: |course, _| course.lr,
};

/// Every schedule.
pub const SCHEDULES: &[ScheduleRow] = &[
    ScheduleRow {
        name: "constant",
        summary: "the same rate throughout",
        ..ROW
    },
    ScheduleRow {
        name: "annealing",
        summary: "lr eps / (eps + t): t in epochs, half of the rate after eps = annealing_epochs (Robbins & Monro 1951)",
        keys: &["warmup_epochs", "annealing_epochs"],
        rate: shapes::annealing,
        ..ROW
    },
    ScheduleRow {
        name: "step",
        summary: "times gamma every step_epochs, every third of the run if 0",
        keys: &["warmup_epochs", "step_epochs", "gamma"],
        rate: shapes::step,
        ..ROW
    },
    ScheduleRow {
        name: "multi-step",
        summary: "times gamma at each of the milestones, half and three quarters of the run if none (He et al. 2016)",
        keys: &["warmup_epochs", "milestones", "gamma"],
        rate: shapes::multi_step,
        ..ROW
    },
    ScheduleRow {
        name: "exponential",
        summary: "times gamma with every epoch, evenly over its steps",
        keys: &["warmup_epochs", "gamma"],
        gamma: 0.9,
        rate: shapes::exponential,
        ..ROW
    },
    ScheduleRow {
        name: "cosine",
        summary: "down to min_lr along half a cosine, with restarts if restart_epochs is above 0 (Loshchilov & Hutter 2017)",
        keys: &[
            "warmup_epochs",
            "min_lr",
            "restart_epochs",
            "restart_factor",
        ],
        rate: shapes::cosine,
        ..ROW
    },
    ScheduleRow {
        name: "linear",
        summary: "down to min_lr along a line",
        keys: &["warmup_epochs", "min_lr"],
        rate: shapes::linear,
        ..ROW
    },
    ScheduleRow {
        name: "polynomial",
        summary: "down to min_lr as (1 - t/T)^power (Chen et al. 2018)",
        keys: &["warmup_epochs", "min_lr", "power"],
        rate: shapes::polynomial,
        ..ROW
    },
    ScheduleRow {
        name: "one-cycle",
        summary: "up from lr / rise along half a cosine, then down to almost nothing (Smith & Topin 2018)",
        keys: &["peak", "rise", "fall"],
        rate: shapes::one_cycle,
        ..ROW
    },
    ScheduleRow {
        name: "piecewise-linear",
        summary: "lines between the knots EPOCH:FACTOR of the rate, as 0:0,5:1,24:0",
        keys: &["knots"],
        rate: shapes::piecewise_linear,
        ..ROW
    },
    ScheduleRow {
        name: "reduce-on-plateau",
        summary: "times gamma after more than patience epochs without a lower validation loss",
        keys: &["warmup_epochs", "min_lr", "gamma", "patience"],
        watches: true,
        ..ROW
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

impl ScheduleRow {
    /// The numbers that hold when nothing is said.
    pub fn defaults(&self) -> ScheduleSettings {
        ScheduleSettings {
            gamma: self.gamma,
            ..ScheduleSettings::named(self.name)
        }
    }
}

/// The learning rate of every step of a run. Clones share what they saw of the
/// validation loss, and nothing else.
#[derive(Clone)]
pub struct Schedule {
    row: &'static ScheduleRow,
    course: Course,
    plateau: Arc<Mutex<Plateau>>,
    next: usize,
}

impl Schedule {
    /// The schedule of a run of `epochs` epochs of `steps_per_epoch` steps. The
    /// numbers must pass [`ScheduleSettings::check`].
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
            row: find_schedule(&settings.name)?,
            course: Course::new(settings, lr, epochs, steps_per_epoch),
            plateau: Arc::default(),
            next: 0,
        })
    }

    /// The same course at `factor` times the rate.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        let mut scaled = self.clone();
        scaled.course.lr *= factor;
        scaled.course.min_lr *= factor;
        scaled
    }

    /// The rate of step `step`, counted from 0. A schedule that watches the
    /// validation loss takes what it has seen so far.
    pub fn lr(&self, step: usize) -> f64 {
        let course = &self.course;
        if step < course.warmup_steps {
            return course.lr * (step + 1) as f64 / course.warmup_steps as f64;
        }
        if !self.row.watches {
            return (self.row.rate)(course, &course.time(step));
        }
        let reductions = self.plateau().reductions;
        let reduced = course.lr * course.settings.gamma.powi(reductions);
        reduced.max(course.min_lr)
    }

    /// Takes note of the validation loss of an epoch, for itself and all its
    /// clones. To be called once after each; only the schedule
    /// reduce-on-plateau minds it.
    pub fn observe(&self, val_loss: f64) {
        self.plateau()
            .observe(val_loss, self.course.settings.patience);
    }

    fn plateau(&self) -> MutexGuard<'_, Plateau> {
        self.plateau.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LrScheduler for Schedule {
    fn step(&mut self) -> f64 {
        let lr = self.lr(self.next);
        self.next += 1;
        lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let record = LrSchedulerRecord::new().with_scalar("step", self.next as u64);
        self.plateau().to_record(record)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.next = record.scalar::<u64>("step").map_or(0, |step| step as usize);
        *self.plateau() = Plateau::of_record(&record);
    }
}
