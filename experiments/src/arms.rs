//! The arms of several comparisons side by side.

use crate::{band, points};
use kiln_figures::{Axis, DotPlot, DotSeries, LinePlot, markdown};
use kiln_lab::{ComparisonResult, EvalSplit};

/// A number in few digits: as it is, or with its power of ten.
pub fn short(value: f64) -> String {
    match (0.01..1000.0).contains(&value.abs()) {
        true => format!("{value:.2}"),
        false => format!("{value:.1e}"),
    }
}

/// The names of all arms, in their order.
fn names<'a>(results: impl Iterator<Item = &'a ComparisonResult>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for arm in results.flat_map(|result| &result.arms) {
        if !names.contains(&arm.arm.name) {
            names.push(arm.arm.name.clone());
        }
    }
    names
}

/// Test accuracy of every arm in every comparison with its 95 % interval, a
/// row for each arm and a colour for each comparison.
pub fn accuracies(title: &str, results: &[(&str, &ComparisonResult)]) -> DotPlot {
    let rows = names(results.iter().map(|(_, result)| *result));
    let series = results.iter().map(|(name, result)| DotSeries {
        name: (*name).to_owned(),
        values: rows
            .iter()
            .map(|row| {
                let test = result.arm(row)?.accuracy(EvalSplit::Test)?;
                Some((test.mean * 100.0, test.half_width.map(|half| half * 100.0)))
            })
            .collect(),
    });
    DotPlot {
        title: title.to_owned(),
        axis: Axis::linear("test accuracy (%), 95 % interval of the mean"),
        series: series.collect(),
        rows,
    }
}

/// Test accuracy of every arm against what rises from comparison to
/// comparison, with a band of one standard deviation over the seeds.
pub fn rising(title: &str, x: Axis, results: &[(f64, &ComparisonResult)]) -> LinePlot {
    let names = names(results.iter().map(|(_, result)| *result));
    let series = names.iter().map(|name| {
        let values = results.iter().filter_map(|(x, result)| {
            let test = result.arm(name)?.accuracy(EvalSplit::Test)?;
            Some((*x, test))
        });
        band(name, &values.collect::<Vec<_>>(), 100.0)
    });
    LinePlot {
        title: title.to_owned(),
        x,
        y: Axis::linear("test accuracy (%)"),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        marks: Vec::new(),
    }
}

/// Test accuracies as a table: a row for each comparison and a column for each
/// arm.
pub fn accuracy_table(corner: &str, results: &[(String, &ComparisonResult)]) -> String {
    let names = names(results.iter().map(|(_, result)| *result));
    let rows: Vec<_> = results
        .iter()
        .map(|(name, result)| {
            let cell = |arm: &String| match result.arm(arm) {
                None => "-".to_owned(),
                Some(arm) => arm
                    .accuracy(EvalSplit::Test)
                    .map_or_else(|| "failed".to_owned(), |test| points(&test)),
            };
            let mut row = vec![name.clone()];
            row.extend(names.iter().map(cell));
            row
        })
        .collect();
    let mut head = vec![corner];
    head.extend(names.iter().map(String::as_str));
    markdown(&head, &rows)
}
