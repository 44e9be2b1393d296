//! `kiln lr-find`.

use crate::{arguments::LrFindArguments, output};
use kiln_figures::{Axis, LinePlot, Mark, Series};
use kiln_lab::{
    LabError, Layers, RangePoint, RangeReport, RangeTest, Settings, check_output, draft, find_lr,
};
use kiln_store::Store;
use std::{fmt::Write as _, path::Path, process::ExitCode};

/// Rows of the table on the terminal.
const ROWS: usize = 20;

/// Finds a learning rate.
pub fn run(arguments: &LrFindArguments) -> Result<ExitCode, LabError> {
    let config = arguments.config.as_deref();
    let inputs: Vec<_> = config.map(|file| ("--config", file)).into_iter().collect();
    for (flag, file) in [("--output", &arguments.output), ("--csv", &arguments.csv)] {
        if let Some(file) = file {
            check_output((flag, file), arguments.force, &inputs)?;
        }
    }
    if arguments.output.is_some() && arguments.output == arguments.csv {
        return Err(LabError::usage(
            "--output and --csv name the same file; name two",
        ));
    }
    let draft = draft(&layers(arguments))?;
    if let Some(code) = kiln_backend::settle(draft.backend())? {
        return Ok(code);
    }
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let (settings, note) = draft.complete(&store, Path::new("runs"))?;
    if let Some(note) = note {
        output::note(&note);
    }
    let test = RangeTest {
        from: arguments.from,
        to: arguments.to,
        steps: arguments.steps,
    };
    let report = find_lr(&settings, &store, &test)?;
    output::text(&table(&report));
    output::line(&suggestion(arguments, &settings, &report));
    if let Some(file) = &arguments.csv {
        output::file(file, csv(&report).as_bytes())?;
    }
    if let Some(file) = &arguments.output {
        output::file(file, plot(&settings, &report).svg().as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn layers(arguments: &LrFindArguments) -> Layers {
    let text = |key, value: &Option<String>| value.clone().map(|value| (key, value.into()));
    let whole = |key, value: Option<i64>| value.map(|value| (key, value.into()));
    let flags = [
        text("model.name", &arguments.model),
        text("data.dataset", &arguments.dataset),
        text("data.limit_train", &arguments.limit_train),
        whole("train.batch_size", arguments.batch_size),
        whole("train.seed", arguments.seed),
        text("optimizer.name", &arguments.optimizer),
        text("device.backend", &arguments.backend),
    ];
    Layers {
        config: arguments.config.clone(),
        set: arguments.set.clone(),
        flags: flags.into_iter().flatten().collect(),
    }
}

/// About [`ROWS`] of the steps, evenly, with the last.
fn table(report: &RangeReport) -> String {
    let every = report.points.len().div_ceil(ROWS).max(1);
    let last = report.points.len().saturating_sub(1);
    let shown = report.points.iter().enumerate();
    let rows: Vec<Vec<String>> = shown
        .filter(|(step, _)| step % every == 0 || *step == last)
        .map(|(step, point)| {
            vec![
                (step + 1).to_string(),
                format!("{:.2e}", point.lr),
                format!("{:.4}", point.loss),
                format!("{:.4}", point.smoothed),
            ]
        })
        .collect();
    output::table(&["step", "lr", "loss", "smoothed loss"], &rows)
}

fn suggestion(arguments: &LrFindArguments, settings: &Settings, report: &RangeReport) -> String {
    let end = match report.exploded {
        true => format!("the loss exploded after {} steps", report.points.len()),
        false => "the smoothed loss never reached four times its lowest".to_owned(),
    };
    let (Some(valley), Some(steepest)) = (report.valley, report.steepest) else {
        return format!(
            "{end}\nno suggestion: the loss never fell; try other rates (--from, --to) or more --steps"
        );
    };
    let mut again = format!(
        "kiln train {} --dataset {} --optimizer {} --batch-size {}",
        settings.model.name,
        settings.data.dataset,
        settings.optimizer.name,
        settings.train.batch_size,
    );
    if let Some(config) = &arguments.config {
        again += &format!(" --config {}", config.display());
    }
    for set in &arguments.set {
        again += &format!(" --set '{set}'");
    }
    format!(
        "{end}\nsteepest fall of the loss at {steepest:.1e}, middle of its longest fall (valley) at {valley:.1e}\ntry: {again} --lr {valley:.1e}"
    )
}

fn csv(report: &RangeReport) -> String {
    let mut table = String::from("step,lr,loss,smoothed_loss\n");
    for (step, point) in report.points.iter().enumerate() {
        let _ = writeln!(
            table,
            "{},{:e},{},{}",
            step + 1,
            point.lr,
            point.loss,
            point.smoothed
        );
    }
    table
}

fn plot(settings: &Settings, report: &RangeReport) -> LinePlot {
    let points = &report.points;
    let series = |name: &str, value: fn(&RangePoint) -> f64| Series {
        name: name.to_owned(),
        points: points
            .iter()
            .map(|point| (point.lr, value(point)))
            .collect(),
        ..Series::default()
    };
    let marks = [("steepest", report.steepest), ("valley", report.valley)];
    let marks = marks.into_iter().filter_map(|(what, lr)| {
        let x = lr?;
        let label = format!("{what} {x:.1e}");
        Some(Mark { x, label })
    });
    LinePlot {
        title: format!(
            "Learning-rate range test: {} on {}, {}",
            settings.model.name, settings.data.dataset, settings.optimizer.name
        ),
        x: Axis::log("learning rate"),
        y: Axis {
            range: losses(points),
            ..Axis::linear("loss (nats)")
        },
        series: vec![
            series("loss", |point| point.loss),
            series("smoothed loss", |point| point.smoothed),
        ],
        marks: marks.collect(),
    }
}

/// The losses to show: those that explode would flatten everything else.
fn losses(points: &[RangePoint]) -> Option<[f64; 2]> {
    let first = points.first()?.smoothed;
    let low = points
        .iter()
        .map(|point| point.smoothed.min(point.loss))
        .fold(first, f64::min);
    let room = (first - low).max(first * 0.2) * 0.3;
    Some([(low - room).max(0.0), first + room])
}
