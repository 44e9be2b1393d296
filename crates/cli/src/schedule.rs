//! `kiln schedule`.

use crate::{
    arguments::{CurveFormat, ScheduleArguments},
    output,
};
use kiln_figures::{Axis, LinePlot, Series};
use kiln_lab::{LabError, RateCourse, RateCurve, check_output, rate_curve};
use serde_json::json;
use std::{fmt::Write as _, process::ExitCode};

/// Characters of the plot in the terminal.
const COLUMNS: usize = 70;
const ROWS: usize = 15;

/// Draws learning-rate schedules.
pub fn run(arguments: &ScheduleArguments) -> Result<ExitCode, LabError> {
    if let Some(file) = &arguments.output {
        check_output(("--output", file), arguments.force, &[])?;
    }
    let course = RateCourse {
        epochs: arguments.epochs,
        steps_per_epoch: arguments.steps_per_epoch,
        lr: arguments.lr,
    };
    let curves = arguments
        .names
        .iter()
        .map(|name| rate_curve(name, course, &arguments.set));
    let curves: Vec<RateCurve> = curves.collect::<Result<_, _>>()?;
    let plot = plot(&curves, &course);
    match arguments.format {
        CurveFormat::Table => output::text(&plot.text(COLUMNS, ROWS)),
        CurveFormat::Csv => output::text(&csv(&curves, &course)),
        CurveFormat::Json => output::json(&objects(&curves, &course))?,
    }
    for curve in &curves {
        if curve.row()?.watches {
            output::note(&format!(
                "{} is drawn as it is while the validation loss falls",
                curve.settings.name
            ));
        }
    }
    if let Some(file) = &arguments.output {
        output::file(file, plot.svg().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn plot(curves: &[RateCurve], course: &RateCourse) -> LinePlot {
    let title = match curves {
        [one] => format!("Learning rate: {}", one.settings.name),
        _ => "Learning rate".to_owned(),
    };
    let epoch = |step: usize| step as f64 / course.steps_per_epoch as f64;
    let series = curves.iter().map(|curve| Series {
        name: curve.settings.name.clone(),
        points: (0..).map(epoch).zip(curve.rates.iter().copied()).collect(),
        ..Series::default()
    });
    LinePlot {
        title,
        x: Axis {
            range: Some([0.0, course.epochs as f64]),
            ..Axis::linear("epoch")
        },
        y: Axis::linear("learning rate"),
        series: series.collect(),
        marks: Vec::new(),
    }
}

fn csv(curves: &[RateCurve], course: &RateCourse) -> String {
    let names = curves.iter().map(|curve| curve.settings.name.as_str());
    let names: Vec<_> = names.collect();
    let mut table = format!("step,epoch,{}\n", names.join(","));
    for step in 0..course.epochs * course.steps_per_epoch {
        let epoch = step as f64 / course.steps_per_epoch as f64;
        let _ = write!(table, "{step},{epoch}");
        for curve in curves {
            let _ = write!(table, ",{:e}", curve.rates[step]);
        }
        table.push('\n');
    }
    table
}

fn objects(curves: &[RateCurve], course: &RateCourse) -> Vec<serde_json::Value> {
    let object = |curve: &RateCurve| {
        json!({
            "schedule": curve.settings, "lr": course.lr, "epochs": course.epochs,
            "steps_per_epoch": course.steps_per_epoch, "rates": curve.rates,
        })
    };
    curves.iter().map(object).collect()
}
