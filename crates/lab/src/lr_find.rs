//! The learning-rate range test (Smith 2017, "Cyclical Learning Rates for
//! Training Neural Networks", section 3.3): a short training whose rate grows
//! exponentially, until the loss explodes.

use crate::{LabError, Settings, data::training_data, network::initial_network};
use kiln_models::Network;
use kiln_store::Store;
use kiln_training::{Feed, Forward, Stepper};

/// From which rate to which, in how many steps.
#[derive(Clone, Copy, Debug)]
pub struct RangeTest {
    /// Rate of the first step, above 0.
    pub from: f64,
    /// Rate of the last step, above `from`.
    pub to: f64,
    /// Steps, if the loss allows.
    pub steps: usize,
}

/// A step of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangePoint {
    /// Its learning rate.
    pub lr: f64,
    /// The batch's mean loss in nats, before the step.
    pub loss: f64,
    /// The running mean of the losses up to it.
    pub smoothed: f64,
}

/// What a range test gives.
#[derive(Clone, Debug)]
pub struct RangeReport {
    /// Every step.
    pub points: Vec<RangePoint>,
    /// Whether the loss exploded before the last step.
    pub exploded: bool,
    /// The rate at which the smoothed loss falls fastest; none if it never does.
    pub steepest: Option<f64>,
    /// The rate in the middle of the longest fall; none if it never falls.
    pub valley: Option<f64>,
}

/// Weight of the past in the running mean, as fastai's.
const SMOOTHING: f64 = 0.98;
/// A smoothed loss so many times the lowest ends the test.
const EXPLODED: f64 = 4.0;

/// Carries out the test on the training images of `settings`, from the weights
/// that a training with them would start from. Nothing is written.
///
/// # Errors
/// For rates that do not grow, and for every way in which data, backend or
/// network can fail.
pub fn find_lr(
    settings: &Settings,
    store: &Store,
    test: &RangeTest,
) -> Result<RangeReport, LabError> {
    test.check()?;
    let device = kiln_backend::open(&settings.device.backend.parse()?)?;
    let data = training_data(settings, store)?;
    if data.train.batches() == 0 {
        return Err(LabError::usage(format!(
            "{} training images do not fill one batch of {}; use a smaller batch size or more images",
            data.train.indices.len(),
            settings.train.batch_size
        )));
    }
    let task = data.task(settings);
    let network = initial_network(&settings.model, &task, settings.train.seed)?;
    let (network, _) = settings.transfer.load(network)?;
    let (network, _) = settings.transfer.freeze(network)?;
    let network = (network, Network::forward as Forward<Network>);
    let mut stepper = Stepper::new(network, &settings.optimizer, &device)?;
    let device = device.autodiff();
    let mut curve = Curve::default();
    let mut batches = endless(&data.train);
    for step in 0..test.steps {
        let Some(batch) = batches.next() else {
            break;
        };
        let lr = test.lr(step);
        let batch = data.train.on_device(batch, &device);
        let (next, output) = stepper.with_lr(lr).step(batch);
        stepper = next;
        let (loss, _) = output.metrics().map_err(LabError::run)?;
        if !curve.take(lr, loss) {
            break;
        }
    }
    Ok(curve.report(test.steps))
}

impl RangeTest {
    fn check(&self) -> Result<(), LabError> {
        let Self { from, to, steps } = *self;
        if !(from > 0.0 && to > from && to.is_finite()) {
            return Err(LabError::usage(format!(
                "--from is {from} and --to is {to}, but the rates must be above 0 and grow"
            )));
        }
        match steps {
            10.. => Ok(()),
            _ => Err(LabError::usage(format!(
                "--steps is {steps}, but a range test needs at least 10"
            ))),
        }
    }

    /// The rate of step `step`: the same factor from each to the next.
    fn lr(&self, step: usize) -> f64 {
        let done = step as f64 / (self.steps - 1) as f64;
        self.from * (self.to / self.from).powf(done)
    }
}

/// Epoch after epoch.
fn endless(feed: &Feed) -> impl Iterator<Item = kiln_vision::HostBatch> {
    (1..).flat_map(|epoch| feed.epoch(epoch, 0))
}

/// The test as it goes.
#[derive(Default)]
struct Curve {
    points: Vec<RangePoint>,
    mean: f64,
    lowest: Option<f64>,
    exploded: bool,
}

impl Curve {
    /// Notes a step, and says whether to go on.
    fn take(&mut self, lr: f64, loss: f64) -> bool {
        self.mean = SMOOTHING * self.mean + (1.0 - SMOOTHING) * loss;
        let seen = self.points.len() as i32 + 1;
        let smoothed = self.mean / (1.0 - SMOOTHING.powi(seen));
        if !smoothed.is_finite() {
            self.exploded = true;
            return false;
        }
        self.points.push(RangePoint { lr, loss, smoothed });
        let lowest = self.lowest.map_or(smoothed, |lowest| lowest.min(smoothed));
        self.lowest = Some(lowest);
        self.exploded = smoothed > EXPLODED * lowest;
        !self.exploded
    }

    fn report(self, steps: usize) -> RangeReport {
        let usable = usable(&self.points, steps);
        RangeReport {
            steepest: steepest(usable),
            valley: valley(usable),
            exploded: self.exploded,
            points: self.points,
        }
    }
}

/// Without the first tenth of the planned steps, whose mean is of few losses,
/// and the last five, whose loss explodes.
fn usable(points: &[RangePoint], steps: usize) -> &[RangePoint] {
    let last = points.len().saturating_sub(5);
    &points[(steps / 10).min(last)..last]
}

/// The rate where the smoothed loss falls fastest over the rate's logarithm, on
/// its way to the lowest: what falls after an explosion is no learning.
fn steepest(points: &[RangePoint]) -> Option<f64> {
    let losses = points.iter().map(|point| point.smoothed).enumerate();
    let (lowest, _) = losses.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let points = &points[..=lowest];
    let slope = |pair: &[RangePoint]| {
        (pair[1].smoothed - pair[0].smoothed) / (pair[1].lr / pair[0].lr).ln()
    };
    let slopes = points.windows(2).map(|pair| (pair[0].lr, slope(pair)));
    slopes
        .filter(|(_, slope)| *slope < 0.0)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(lr, _)| lr)
}

/// The middle of the longest fall, as fastai's "valley": the longest falling
/// subsequence of the smoothed losses that ends earliest spans so many points
/// up to its end; the rate is that of the point half of the way.
fn valley(points: &[RangePoint]) -> Option<f64> {
    let mut lengths: Vec<usize> = Vec::with_capacity(points.len());
    for (at, point) in points.iter().enumerate() {
        let before = points[..at].iter().zip(&lengths);
        let falling = before.filter(|(earlier, _)| earlier.smoothed > point.smoothed);
        lengths.push(falling.map(|(_, length)| *length).max().unwrap_or(0) + 1);
    }
    let longest = lengths.iter().copied().max().filter(|length| *length > 1)?;
    let end = lengths.iter().position(|length| *length == longest)?;
    let start = end.saturating_sub(longest);
    let third = (end - start) as f64 / 3.0;
    let middle = start + third as usize + (third / 2.0) as usize;
    Some(points[middle].lr)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loss that falls from 2.3 around the rate 0.1 and explodes above 1.
    fn curve(losses: impl Fn(f64) -> f64) -> RangeReport {
        let test = RangeTest {
            from: 1e-5,
            to: 10.0,
            steps: 100,
        };
        let mut curve = Curve::default();
        for step in 0..test.steps {
            let lr = test.lr(step);
            if !curve.take(lr, losses(lr)) {
                break;
            }
        }
        curve.report(test.steps)
    }

    #[test]
    fn rates_grow_by_the_same_factor_from_the_first_to_the_last() {
        let test = RangeTest {
            from: 1e-4,
            to: 1.0,
            steps: 41,
        };
        for (step, lr) in [(0, 1e-4), (10, 1e-3), (20, 1e-2), (40, 1.0)] {
            assert!((test.lr(step) / lr - 1.0).abs() < 1e-12, "{step}");
        }
    }

    #[test]
    fn suggestions_lie_where_the_loss_falls() {
        let report = curve(|lr| 2.3 / (1.0 + (lr / 0.01).powi(2)) + (lr / 2.0).powi(4));
        assert!(report.exploded);
        let (steepest, valley) = (report.steepest.expect("one"), report.valley.expect("one"));
        assert!((3e-3..0.1).contains(&steepest), "{steepest}");
        assert!((1e-3..0.3).contains(&valley), "{valley}");
    }

    #[test]
    fn a_fall_after_an_explosion_is_no_suggestion() {
        let report = curve(|lr| match lr {
            lr if lr < 0.5 => 2.3 / (1.0 + (lr / 0.01).powi(2)),
            lr if lr < 0.6 => 100.0,
            _ => 0.1,
        });
        assert!(!report.exploded);
        let steepest = report.steepest.expect("one");
        assert!((3e-3..0.1).contains(&steepest), "{steepest}");
    }

    #[test]
    fn a_loss_that_never_falls_suggests_nothing() {
        let report = curve(|lr| 2.3 + lr);
        assert_eq!((report.steepest, report.valley), (None, None));
    }

    #[test]
    fn a_loss_that_is_no_number_ends_the_test_and_is_left_out() {
        let report = curve(|lr| if lr > 0.1 { f64::NAN } else { 2.3 - lr });
        assert!(report.exploded);
        assert!(report.points.iter().all(|point| point.lr <= 0.1));
        assert!(report.steepest.is_some());
    }

    #[test]
    fn the_running_mean_begins_with_the_first_loss() {
        let report = curve(|_| 1.5);
        assert!(
            report
                .points
                .iter()
                .all(|p| (p.smoothed - 1.5).abs() < 1e-12)
        );
        assert!(!report.exploded);
        assert_eq!(report.points.len(), 100);
    }

    #[test]
    fn rates_that_do_not_grow_are_refused() {
        for (from, to, steps) in [
            (0.0, 1.0, 100),
            (1.0, 1.0, 100),
            (1e-3, f64::NAN, 100),
            (1e-3, 1.0, 9),
        ] {
            assert!(
                RangeTest { from, to, steps }.check().is_err(),
                "{from} {to} {steps}"
            );
        }
    }
}
