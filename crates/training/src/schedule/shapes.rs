//! The rate over time, schedule by schedule.

use super::ScheduleSettings;
use std::f64::consts::PI;

/// A run, as far as schedules know it.
#[derive(Clone)]
pub struct Course {
    /// The full rate.
    pub lr: f64,
    /// The lowest rate.
    pub min_lr: f64,
    /// Steps of the warm-up.
    pub warmup_steps: usize,
    /// The other numbers.
    pub settings: ScheduleSettings,
    total_steps: usize,
    steps_per_epoch: f64,
    knots: Vec<(f64, f64)>,
}

/// When a step is.
pub struct Time {
    /// The step of the run, from 0.
    step: f64,
    /// Epochs since the run began.
    epoch: f64,
    /// Epochs since the warm-up.
    since: f64,
    /// Share of the steps after the warm-up that is done.
    done: f64,
}

impl Course {
    /// A run of `epochs` epochs of `steps_per_epoch` steps.
    pub fn new(
        settings: &ScheduleSettings,
        lr: f64,
        epochs: usize,
        steps_per_epoch: usize,
    ) -> Self {
        Self {
            lr,
            min_lr: settings.min_lr,
            warmup_steps: (settings.warmup_epochs * steps_per_epoch as f64).round() as usize,
            total_steps: epochs * steps_per_epoch,
            steps_per_epoch: steps_per_epoch.max(1) as f64,
            knots: settings.parsed_knots().unwrap_or_default(),
            settings: settings.clone(),
        }
    }

    /// When `step` is, which is after the warm-up.
    pub fn time(&self, step: usize) -> Time {
        let since = (step - self.warmup_steps) as f64;
        let rest = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        Time {
            step: step as f64,
            epoch: step as f64 / self.steps_per_epoch,
            since: since / self.steps_per_epoch,
            done: (since / rest as f64).min(1.0),
        }
    }

    /// Epochs after the warm-up.
    fn epochs(&self) -> f64 {
        self.total_steps.saturating_sub(self.warmup_steps) as f64 / self.steps_per_epoch
    }

    /// From `min_lr` (0) to the full rate (1).
    fn between(&self, share: f64) -> f64 {
        self.min_lr + (self.lr - self.min_lr) * share
    }
}

/// Half a cosine from `from` to `to`.
fn half_cosine(from: f64, to: f64, done: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * done).cos()) / 2.0
}

/// `lr eps / (eps + t)` with t in epochs.
pub fn annealing(course: &Course, time: &Time) -> f64 {
    let epsilon = course.settings.annealing_epochs;
    course.lr * epsilon / (epsilon + time.since)
}

/// `lr gamma^floor(t / step_epochs)`.
pub fn step(course: &Course, time: &Time) -> f64 {
    let every = match course.settings.step_epochs {
        0 => (course.epochs() / 3.0).max(f64::MIN_POSITIVE),
        epochs => epochs as f64,
    };
    course.lr * course.settings.gamma.powf((time.since / every).floor())
}

/// `lr gamma^n` after n milestones, which are epochs of the run.
pub fn multi_step(course: &Course, time: &Time) -> f64 {
    let total = course.total_steps as f64 / course.steps_per_epoch;
    let usual = [total * 0.5, total * 0.75];
    let passed = match course.settings.milestones.as_slice() {
        [] => usual.iter().filter(|epoch| time.epoch >= **epoch).count(),
        chosen => chosen
            .iter()
            .filter(|epoch| time.epoch >= **epoch as f64)
            .count(),
    };
    course.lr * course.settings.gamma.powi(passed as i32)
}

/// `lr gamma^t` with t in epochs and parts of them.
pub fn exponential(course: &Course, time: &Time) -> f64 {
    course.lr * course.settings.gamma.powf(time.since)
}

/// From the full rate to the lowest along half a cosine; with restarts every
/// period, each `restart_factor` times as long as the one before (SGDR).
pub fn cosine(course: &Course, time: &Time) -> f64 {
    let (first, factor) = (
        course.settings.restart_epochs as f64,
        course.settings.restart_factor,
    );
    let done = match first {
        0.0 => time.done,
        first if factor == 1.0 => (time.since / first).fract(),
        first => {
            // The periods before this one take first (factor^n - 1) / (factor - 1).
            let sum = |n: f64| first * (factor.powf(n) - 1.0) / (factor - 1.0);
            let mut n = (time.since / first * (factor - 1.0) + 1.0)
                .log(factor)
                .floor();
            // The logarithm may round to the wrong side of a border.
            while sum(n + 1.0) <= time.since {
                n += 1.0;
            }
            while sum(n) > time.since {
                n -= 1.0;
            }
            (time.since - sum(n)) / (first * factor.powf(n))
        }
    };
    course.between((1.0 + (PI * done).cos()) / 2.0)
}

/// From the full rate to the lowest along a line.
pub fn linear(course: &Course, time: &Time) -> f64 {
    course.between(1.0 - time.done)
}

/// `(1 - t/T)^power` of the way from the lowest rate to the full one.
pub fn polynomial(course: &Course, time: &Time) -> f64 {
    course.between((1.0 - time.done).powf(course.settings.power))
}

/// The two phases of `torch.optim.lr_scheduler.OneCycleLR`, along cosines: up
/// to the full rate in the share `peak` of the steps, then down to 1/`fall` of
/// the rate of the first step.
pub fn one_cycle(course: &Course, time: &Time) -> f64 {
    let ScheduleSettings {
        peak, rise, fall, ..
    } = course.settings;
    let total = course.total_steps as f64;
    let (top, end) = (peak * total - 1.0, total - 1.0);
    let first = course.lr / rise;
    let at = time.step.min(end);
    if at <= top {
        let done = if top > 0.0 { at / top } else { 1.0 };
        return half_cosine(first, course.lr, done);
    }
    half_cosine(course.lr, first / fall, (at - top) / (end - top))
}

/// Lines between the knots, and the last factor behind them.
pub fn piecewise_linear(course: &Course, time: &Time) -> f64 {
    let knots = &course.knots;
    let after = knots.iter().position(|(epoch, _)| *epoch > time.epoch);
    let factor = match after {
        Some(0) => knots[0].1,
        Some(at) => {
            let ((from, low), (to, high)) = (knots[at - 1], knots[at]);
            low + (high - low) * (time.epoch - from) / (to - from)
        }
        None => knots.last().map_or(1.0, |(_, factor)| *factor),
    };
    course.lr * factor
}
