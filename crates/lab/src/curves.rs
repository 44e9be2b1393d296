//! Learning-rate schedules as curves, before anything is trained.

use crate::{LabError, Layers, layers::draft};
use kiln_training::{Schedule, ScheduleRow, ScheduleSettings, find_schedule};
use toml::Value;

/// A run, as far as a schedule knows it.
#[derive(Clone, Copy, Debug)]
pub struct RateCourse {
    /// Epochs of the run.
    pub epochs: usize,
    /// Steps in an epoch.
    pub steps_per_epoch: usize,
    /// The full learning rate.
    pub lr: f64,
}

/// A schedule's rates.
#[derive(Clone, Debug)]
pub struct RateCurve {
    /// The schedule and its numbers.
    pub settings: ScheduleSettings,
    /// The rate of every step.
    pub rates: Vec<f64>,
}

impl RateCurve {
    /// The schedule's row.
    ///
    /// # Errors
    /// When there is no such schedule.
    pub fn row(&self) -> Result<&'static ScheduleRow, LabError> {
        Ok(find_schedule(&self.settings.name)?)
    }
}

/// Points of a curve that a figure can show.
const MOST_STEPS: usize = 1_000_000;

/// The rates of the schedule called `name` with the choices of `set`
/// (`schedule.warmup_epochs=2`).
///
/// # Errors
/// For an unknown schedule, key or value.
pub fn rate_curve(name: &str, course: RateCourse, set: &[String]) -> Result<RateCurve, LabError> {
    if let Some(other) = set.iter().find(|set| !set.trim().starts_with("schedule.")) {
        return Err(LabError::usage(format!(
            "--set {other} is no number of a schedule; here only schedule.* can be set"
        )));
    }
    if set
        .iter()
        .any(|set| set.trim().starts_with("schedule.name"))
    {
        return Err(LabError::usage(
            "--set schedule.name cannot be given here; name the schedules behind `kiln schedule`",
        ));
    }
    let RateCourse {
        epochs,
        steps_per_epoch,
        lr,
    } = course;
    let steps = epochs.saturating_mul(steps_per_epoch);
    if !(1..=MOST_STEPS).contains(&steps) {
        return Err(LabError::usage(format!(
            "{epochs} epochs of {steps_per_epoch} steps are {steps}, but a curve has from 1 to {MOST_STEPS} steps"
        )));
    }
    let epochs_of_run = i64::try_from(epochs).map_err(LabError::usage)?;
    let layers = Layers {
        config: None,
        set: set.to_vec(),
        // A schedule minds no network; the smallest stands for all.
        flags: vec![
            ("model.name", Value::String("softmax".to_owned())),
            ("schedule.name", Value::String(name.to_owned())),
            ("train.epochs", Value::Integer(epochs_of_run)),
            ("optimizer.lr", Value::Float(lr)),
        ],
    };
    let settings = draft(&layers)?.into_settings().schedule;
    let schedule = Schedule::new(&settings, lr, epochs, steps_per_epoch)?;
    Ok(RateCurve {
        rates: (0..steps).map(|step| schedule.lr(step)).collect(),
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: RateCourse = RateCourse {
        epochs: 10,
        steps_per_epoch: 10,
        lr: 0.5,
    };

    fn curve(name: &str, set: &[&str]) -> Result<RateCurve, LabError> {
        let set: Vec<_> = set.iter().map(ToString::to_string).collect();
        rate_curve(name, COURSE, &set)
    }

    #[test]
    fn a_curve_has_the_rate_of_every_step() {
        let curve = curve("Cosine", &["schedule.warmup_epochs=1"]).expect("a curve");
        assert_eq!(curve.rates.len(), 100);
        assert_eq!((curve.rates[0], curve.rates[9]), (0.05, 0.5));
        assert_eq!(curve.settings.name, "cosine");
    }

    #[test]
    fn a_schedule_brings_its_own_defaults() {
        let gamma = |name| curve(name, &[]).expect("a curve").settings.gamma;
        assert_eq!((gamma("exponential"), gamma("step")), (0.9, 0.1));
    }

    #[test]
    fn what_is_no_number_of_a_schedule_is_refused() {
        for (name, set, words) in [
            ("cosin", "schedule.gamma=0.5", "did you mean 'cosine'?"),
            ("cosine", "optimizer.lr=1", "only schedule.* can be set"),
            ("cosine", "schedule.name=step", "name the schedules behind"),
            ("cosine", "schedule.gama=1", "did you mean schedule.gamma?"),
            (
                "cosine",
                "schedule.min_lr=1",
                "from 0 to the learning rate 0.5",
            ),
        ] {
            let refusal = curve(name, &[set]).expect_err(set).to_string();
            assert!(refusal.contains(words), "{refusal}");
        }
        let none = RateCourse {
            steps_per_epoch: 0,
            ..COURSE
        };
        assert!(rate_curve("step", none, &[]).is_err());
    }
}
