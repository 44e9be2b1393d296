//! `kiln bench --profile`.

use super::{
    milliseconds,
    record::{Record, csv},
};
use crate::{
    arguments::{BenchArguments, BenchFormat},
    output,
};
use kiln_lab::{BenchSubject, LabError, Profile, Timing, profile_training};
use kiln_store::atomic_write;
use serde_json::json;
use std::path::Path;

const PHASE_HEAD: [&str; 3] = ["phase", "ms", "share"];
const LAYER_HEAD: [&str; 7] = [
    "layer",
    "kind",
    "calls",
    "forward ms",
    "backward ms",
    "both ms",
    "share",
];

/// Profiles each network and shows it.
pub fn show(
    arguments: &BenchArguments,
    subjects: &[BenchSubject],
    timing: &Timing,
) -> Result<(), LabError> {
    let profiles = subjects
        .iter()
        .map(|subject| profile_training(subject, timing));
    let profiles = profiles.collect::<Result<Vec<_>, _>>()?;
    match arguments.format {
        BenchFormat::Json => output::json(&profiles)?,
        BenchFormat::Csv => {
            let records: Vec<_> = profiles.iter().flat_map(records).collect();
            output::text(&csv(&records));
        }
        BenchFormat::Table => {
            let texts: Vec<_> = profiles.iter().map(text).collect();
            output::text(&texts.join("\n"));
        }
    }
    match (&arguments.trace, profiles.first()) {
        (Some(file), Some(profile)) => write_trace(file, profile),
        _ => Ok(()),
    }
}

fn text(profile: &Profile) -> String {
    let step: f64 = profile.phases.iter().map(|phase| phase.seconds).sum();
    let shown = |seconds: f64| format!("{:.3}", seconds * 1e3);
    let share = |seconds: f64| format!("{:.1} %", 100.0 * seconds / step);
    let phases = profile.phases.iter().map(|phase| {
        vec![
            phase.name.to_owned(),
            shown(phase.seconds),
            share(phase.seconds),
        ]
    });
    let layers = profile.layers.iter().map(|layer| {
        vec![
            layer.name.clone(),
            layer.kind.to_owned(),
            layer.calls.to_string(),
            shown(layer.forward),
            layer.backward.map_or_else(|| "-".to_owned(), shown),
            shown(layer.seconds()),
            share(layer.seconds()),
        ]
    });
    let forward_alone = match profile.layers.iter().any(|layer| layer.backward.is_some()) {
        true => "",
        false => "; backward times of layers are known on flex alone",
    };
    format!(
        "{} for {} in batches of {}, {} on {}: a training step takes {} ms, the mean of {}{forward_alone}\n\n{}\n{}",
        profile.model,
        profile.task.input,
        profile.batch_size,
        profile.backend,
        profile.device,
        shown(step),
        profile.steps,
        output::table(&PHASE_HEAD, &phases.collect::<Vec<_>>()),
        output::table(&LAYER_HEAD, &layers.collect::<Vec<_>>()),
    )
}

/// A row for each phase and each layer.
fn records(profile: &Profile) -> Vec<Record> {
    let row = |part: &str, name: &str, kind: &str, calls: usize| {
        let mut record = Record::default();
        record.add("model", profile.model.as_str());
        record.add("batch_size", profile.batch_size);
        record.add("backend", profile.backend.as_str());
        record.add("device", profile.device.as_str());
        record.add("threads", profile.threads);
        record.add("part", part);
        record.add("name", name);
        record.add("kind", kind);
        record.add("calls", calls);
        record
    };
    let mut records = Vec::new();
    for phase in &profile.phases {
        let mut record = row("phase", phase.name, "", 1);
        record.add("forward_ms", serde_json::Value::Null);
        record.add("backward_ms", serde_json::Value::Null);
        record.add("ms", milliseconds(phase.seconds));
        records.push(record);
    }
    for layer in &profile.layers {
        let mut record = row("layer", &layer.name, layer.kind, layer.calls);
        record.add("forward_ms", milliseconds(layer.forward));
        record.add("backward_ms", layer.backward.map(milliseconds));
        record.add("ms", milliseconds(layer.seconds()));
        records.push(record);
    }
    records
}

/// One step as Chrome's trace events.
fn write_trace(file: &Path, profile: &Profile) -> Result<(), LabError> {
    let name = |what: &str, name: &str| json!({"name": what, "ph": "M", "pid": 1, "tid": 1, "args": {"name": name}});
    let mut events = vec![
        name("process_name", &format!("kiln, {}", profile.model)),
        name("thread_name", "training step"),
    ];
    for event in &profile.trace {
        events.push(serde_json::to_value(event).map_err(LabError::run)?);
    }
    let trace = json!({"traceEvents": events, "displayTimeUnit": "ms"});
    let bytes = serde_json::to_vec(&trace).map_err(LabError::run)?;
    atomic_write(file, &bytes)
        .map_err(|error| LabError::run(format!("{} could not be written: {error}", file.display())))
}
