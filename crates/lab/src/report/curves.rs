//! The curves of runs, from their `metrics.csv`.

use crate::{LabError, RunFolder};
use kiln_figures::{Axis, LinePlot, Series};
use serde::Deserialize;

/// The columns that are drawn.
#[derive(Deserialize)]
struct Row {
    epoch: f64,
    lr: f64,
    train_loss: f64,
    train_accuracy: f64,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
    zeros: f64,
}

type Column = fn(&Row) -> Option<f64>;

/// A figure: its title, its vertical axis, and its curves for each run, with
/// what is added to the run's name.
type Chart = (
    &'static str,
    fn() -> Axis,
    &'static [(&'static str, Column)],
);

const CHARTS: [Chart; 4] = [
    (
        "Accuracy",
        || Axis::linear("accuracy (%)"),
        &[
            ("", |row| Some(row.val_accuracy? * 100.0)),
            (", training", |row| Some(row.train_accuracy * 100.0)),
        ],
    ),
    (
        "Loss",
        || Axis::log("cross entropy (nats)"),
        &[
            ("", |row| row.val_loss),
            (", training", |row| Some(row.train_loss)),
        ],
    ),
    (
        "Learning rate at the end of each epoch",
        || Axis::linear("learning rate"),
        &[("", |row| Some(row.lr))],
    ),
    (
        "Weights that are exactly zero",
        || Axis::linear("share of the weights (%)"),
        &[("", |row| Some(row.zeros * 100.0))],
    ),
];

/// The curves of runs as SVG, with the value of every point to be read by
/// hovering; a figure that would show zeros alone is left out.
pub fn curves(folders: &[RunFolder], labels: &[String]) -> Result<Vec<String>, LabError> {
    let tables = folders.iter().map(rows).collect::<Result<Vec<_>, _>>()?;
    let mut figures = Vec::new();
    for (title, axis, columns) in CHARTS {
        let mut series = Vec::new();
        for (rows, label) in tables.iter().zip(labels) {
            for (what, column) in columns {
                let points: Vec<_> = rows
                    .iter()
                    .filter_map(|row| Some((row.epoch, column(row)?)))
                    .collect();
                if points.iter().any(|(_, value)| *value != 0.0) {
                    series.push(Series {
                        name: format!("{label}{what}"),
                        points,
                        ..Series::default()
                    });
                }
            }
        }
        if !series.is_empty() {
            let plot = LinePlot {
                title: title.to_owned(),
                x: Axis::whole("epoch"),
                y: axis(),
                series,
                marks: Vec::new(),
            };
            figures.push(plot.svg_to_hover());
        }
    }
    Ok(figures)
}

/// The epochs of a run; none where it was imported.
fn rows(folder: &RunFolder) -> Result<Vec<Row>, LabError> {
    let file = folder.path().join("metrics.csv");
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let damaged =
        |error: csv::Error| LabError::data(format!("{} is damaged: {error}", file.display()));
    let mut reader = csv::Reader::from_path(&file).map_err(damaged)?;
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(damaged)
}
