//! Curves of outcomes, with a band of one standard deviation over the seeds.

use kiln_figures::{Axis, LinePlot, Series};
use kiln_lab::{ArmResult, ComparisonResult, EpochPoint, Interval, Outcome};

/// A curve of means with their band: `(x, interval)`, as percentages where
/// `scale` is 100.
pub fn band(name: &str, values: &[(f64, Interval)], scale: f64) -> Series {
    let point = |(x, value): &(f64, Interval)| (*x, value.mean * scale);
    let edges = |(x, value): &(f64, Interval)| {
        let std = value.std? * scale;
        Some((*x, value.mean * scale - std, value.mean * scale + std))
    };
    Series {
        name: name.to_owned(),
        points: values.iter().map(point).collect(),
        band: values.iter().filter_map(edges).collect(),
        ..Series::default()
    }
}

/// A number of every epoch of an arm over its seeds, as far as all of them have
/// the epoch.
pub fn over(arm: &ArmResult, number: fn(&EpochPoint) -> Option<f64>) -> Vec<(f64, Interval)> {
    let outcomes = || arm.outcomes.iter().filter(|one| one.diverged.is_none());
    let epochs = outcomes().map(|outcome| outcome.curve.len()).min();
    let at = |epoch: usize| {
        let numbers = outcomes().map(|outcome: &Outcome| number(&outcome.curve[epoch]));
        let numbers: Option<Vec<_>> = numbers.collect();
        Some(((epoch + 1) as f64, Interval::of(&numbers?)?))
    };
    (0..epochs.unwrap_or(0)).filter_map(at).collect()
}

/// Validation accuracy of every arm after each epoch.
pub fn curves(result: &ComparisonResult) -> LinePlot {
    let series = result.arms.iter().map(|arm| {
        let accuracies = over(arm, |point| point.val_accuracy);
        band(&arm.arm.name, &accuracies, 100.0)
    });
    LinePlot {
        title: result.title.clone(),
        x: Axis::whole("epoch"),
        y: Axis::linear("validation accuracy (%)"),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        marks: Vec::new(),
    }
}
