//! `kiln bench`.

mod profile;
mod record;

use crate::{
    arguments::{Bench, BenchArguments, BenchFormat},
    output,
};
use kiln_lab::{
    BenchMode, BenchReport, BenchSubject, LabError, Measurement, Timing, bench, bench_loader,
    check_output, chosen_model,
};
use kiln_vision::ImageSpec;
use record::{Record, csv};
use serde_json::Value;
use std::{path::Path, process::ExitCode};

/// Times networks, their parts, or the loader.
pub fn run(arguments: &BenchArguments) -> Result<ExitCode, LabError> {
    let subjects = subjects(arguments)?;
    let modes = modes(arguments.bench);
    if subjects.is_empty() != modes.is_empty() {
        return Err(LabError::usage(match modes.is_empty() {
            true => "--bench loader measures the built-in digits without a network; name none",
            false => "no network was named; write `kiln bench lenet`, or --bench loader",
        }));
    }
    if let Some(trace) = &arguments.trace {
        check_trace(trace, &subjects, arguments.force)?;
    }
    if let Some(code) = kiln_backend::settle(&arguments.backend)? {
        return Ok(code);
    }
    let timing = Timing {
        warmup: arguments.warmup,
        iterations: arguments.iters,
        backend: arguments.backend.clone(),
    };
    if arguments.profile {
        profile::show(arguments, &subjects, &timing)?;
    } else if modes.is_empty() {
        loader(arguments, &timing)?;
    } else {
        let report = bench(&subjects, &modes, &timing)?;
        match arguments.format {
            BenchFormat::Table => output::text(&table(&report)),
            format => write(format, records(&report))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn modes(bench: Bench) -> Vec<BenchMode> {
    match bench {
        Bench::Train => vec![BenchMode::Train],
        Bench::Infer => vec![BenchMode::Infer],
        Bench::Both => vec![BenchMode::Infer, BenchMode::Train],
        Bench::Loader => Vec::new(),
    }
}

fn check_trace(trace: &Path, subjects: &[BenchSubject], force: bool) -> Result<(), LabError> {
    if subjects.len() > 1 {
        return Err(LabError::usage(
            "--trace holds the step of one network; name one at a time",
        ));
    }
    check_output(("--trace", trace), force, &[])
}

fn subjects(arguments: &BenchArguments) -> Result<Vec<BenchSubject>, LabError> {
    let subject = |name: &String| {
        let (model, mut task) = chosen_model(name, &arguments.set)?;
        if let Some(input) = arguments.input {
            task.input = input;
        }
        if let Some(side) = arguments.image_size {
            task.input = ImageSpec::new(task.input.channels, side as usize, side as usize);
        }
        if let Some(classes) = arguments.classes {
            task.classes = classes;
        }
        let batch_size = arguments.batch_size;
        Ok(BenchSubject {
            model,
            task,
            batch_size,
        })
    };
    arguments.models.iter().map(subject).collect()
}

/// Images in a batch of the loader when nothing is said.
const LOADER_BATCH: usize = 128;

fn loader(arguments: &BenchArguments, timing: &Timing) -> Result<(), LabError> {
    let report = bench_loader(arguments.batch_size.unwrap_or(LOADER_BATCH), timing)?;
    let speed = report.batch_size as f64 / report.seconds.median;
    match arguments.format {
        BenchFormat::Table => {
            output::line(&format!(
                "loader: {speed:.0} images/s of the built-in digits in batches of {}, {:.3} ms for a batch (quartiles {:.3} and {:.3}), on {}, {}",
                report.batch_size,
                report.seconds.median * 1e3,
                report.seconds.first * 1e3,
                report.seconds.third * 1e3,
                report.backend,
                report.device
            ));
            Ok(())
        }
        format => {
            let mut record = Record::default();
            let quartiles = report.seconds;
            record.add("loader_samples_per_sec", rounded(speed, 2));
            record.add("loader_step_time", milliseconds(quartiles.median));
            record.add("loader_step_time_q1", milliseconds(quartiles.first));
            record.add("loader_step_time_q3", milliseconds(quartiles.third));
            record.add("loader_batch_size", report.batch_size);
            record.add("loader_iters", report.iterations);
            record.add("backend", report.backend);
            record.add("device", report.device);
            write(format, vec![record])
        }
    }
}

const HEAD: [&str; 12] = [
    "model", "mode", "input", "batch", "step ms", "25 %", "75 %", "images/s", "MB", "GFLOP",
    "GFLOP/s", "of peak",
];

fn table(report: &BenchReport) -> String {
    let measurements = report.networks.iter().flatten();
    let rows: Vec<_> = measurements.map(|m| row(m, report)).collect();
    format!(
        "{}\n{} on {}; the peak is a matrix product of {:.1} GFLOP/s\n",
        output::table(&HEAD, &rows),
        report.backend,
        report.device,
        report.peak / 1e9
    )
}

fn row(measurement: &Measurement, report: &BenchReport) -> Vec<String> {
    let milliseconds = |seconds: f64| format!("{:.3}", seconds * 1e3);
    let memory = measurement.peak_memory_bytes;
    vec![
        measurement.model.clone(),
        measurement.mode.to_string(),
        measurement.task.input.to_string(),
        measurement.batch_size.to_string(),
        milliseconds(measurement.seconds.median),
        milliseconds(measurement.seconds.first),
        milliseconds(measurement.seconds.third),
        format!("{:.1}", measurement.images_per_second()),
        memory.map_or_else(
            || "-".to_owned(),
            |bytes| format!("{:.0}", megabytes(bytes)),
        ),
        format!("{:.3}", measurement.flop() / 1e9),
        format!("{:.1}", measurement.flop_per_second() / 1e9),
        format!(
            "{:.1} %",
            100.0 * measurement.flop_per_second() / report.peak
        ),
    ]
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// One record for each network, with the names of timm's benchmark where it
/// has the number.
fn records(report: &BenchReport) -> Vec<Record> {
    let networks = report.networks.iter();
    networks.map(|modes| record(modes, report)).collect()
}

fn record(modes: &[Measurement], report: &BenchReport) -> Record {
    let mut record = Record::default();
    for measurement in modes.iter().take(1) {
        record.add("model", measurement.model.as_str());
    }
    for measurement in modes {
        let input = measurement.task.input;
        let (seconds, mode) = (measurement.seconds, measurement.mode);
        let speed = measurement.flop_per_second();
        let memory = measurement.peak_memory_bytes.map(megabytes);
        let mut add = |key: &str, value: Value| record.add(&format!("{mode}_{key}"), value);
        add(
            "samples_per_sec",
            rounded(measurement.images_per_second(), 2),
        );
        add("step_time", milliseconds(seconds.median));
        add("step_time_q1", milliseconds(seconds.first));
        add("step_time_q3", milliseconds(seconds.third));
        add("batch_size", measurement.batch_size.into());
        add("img_size", input.height.max(input.width).into());
        add("iters", measurement.iterations.into());
        add("gmacs", rounded(measurement.macs as f64 / 1e9, 6));
        add("gflop", rounded(measurement.flop() / 1e9, 6));
        add("gflop_per_sec", rounded(speed / 1e9, 3));
        add("peak_share", rounded(speed / report.peak, 4));
        add(
            "memory_mb",
            memory.map_or(Value::Null, |memory| rounded(memory, 1)),
        );
    }
    for measurement in modes.iter().take(1) {
        record.add("param_count", measurement.params);
    }
    record.add("backend", report.backend.as_str());
    record.add("device", report.device.as_str());
    record.add("threads", report.threads);
    record.add("matmul_gflop_per_sec", rounded(report.peak / 1e9, 3));
    record
}

/// In milliseconds.
pub(crate) fn milliseconds(seconds: f64) -> Value {
    rounded(seconds * 1e3, 4)
}

/// To so many decimals.
fn rounded(value: f64, decimals: i32) -> Value {
    let unit = 10f64.powi(decimals);
    ((value * unit).round() / unit).into()
}

/// Writes records for programs.
fn write(format: BenchFormat, records: Vec<Record>) -> Result<(), LabError> {
    match format {
        BenchFormat::Json => output::json(&records),
        BenchFormat::Csv | BenchFormat::Table => {
            output::text(&csv(&records));
            Ok(())
        }
    }
}
