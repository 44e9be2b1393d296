//! `kiln list`: every name that other commands take.

use crate::{
    arguments::{Format, ListArguments, Listed},
    output,
};
use kiln_backend::BACKENDS;
use kiln_catalog::DATASETS;
use kiln_lab::{EXPERIMENTS, LabError, RECIPES};
use kiln_models::MODELS;
use kiln_training::{OPTIMIZERS, SCHEDULES};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Lists models, data sets, optimizers, schedules or backends.
pub fn run(arguments: &ListArguments) -> Result<ExitCode, LabError> {
    match (arguments.format, arguments.what) {
        (Format::Json, what) => output::json(&objects(what))?,
        (Format::Table, Listed::Models) => models(),
        (Format::Table, what) => table(what),
    }
    Ok(ExitCode::SUCCESS)
}

/// One object for each name, its keys the columns of the table.
fn objects(what: Listed) -> Vec<Value> {
    match what {
        Listed::Models => MODELS.iter().map(model).collect(),
        Listed::Datasets => DATASETS
            .iter()
            .map(|row| {
                json!({
                    "name": row.name, "images": row.spec, "classes": row.classes,
                    "train": row.train, "test": row.test, "summary": row.summary,
                })
            })
            .collect(),
        Listed::Optimizers => OPTIMIZERS
            .iter()
            .map(|row| {
                json!({
                    "name": row.name, "lr": row.lr, "full_batch": row.full_batch,
                    "summary": row.summary,
                })
            })
            .collect(),
        Listed::Schedules => SCHEDULES
            .iter()
            .map(|row| json!({"name": row.name, "keys": row.keys, "summary": row.summary}))
            .collect(),
        Listed::Backends => BACKENDS
            .iter()
            .map(|row| json!({"name": row.name, "compiled": row.compiled, "summary": row.summary}))
            .collect(),
        Listed::Recipes => RECIPES
            .iter()
            .map(|recipe| {
                json!({
                    "name": recipe.name, "model": recipe.model(), "dataset": recipe.dataset(),
                    "epochs": recipe.epochs(), "summary": recipe.summary(), "text": recipe.text,
                })
            })
            .collect(),
        Listed::Experiments => EXPERIMENTS
            .iter()
            .map(|row| json!({"name": row.name, "question": row.question}))
            .collect(),
    }
}

fn model(row: &kiln_models::Row) -> Value {
    let task = row.form.task();
    json!({
        "name": row.name,
        "aliases": row.aliases,
        "family": row.family,
        "year": row.year,
        "params": row.parameters,
        "macs": row.macs,
        "input": task.input,
        "classes": task.classes,
        "options": (row.options)(),
        "summary": row.summary,
    })
}

/// The networks by family, families by their first year.
fn models() {
    let mut families: Vec<&str> = Vec::new();
    for row in MODELS {
        if !families.contains(&row.family) {
            families.push(row.family);
        }
    }
    let head = ["model", "year", "parameters", "MACs", "input", "what it is"];
    let mut rows = Vec::new();
    for family in &families {
        for row in MODELS.iter().filter(|row| row.family == *family) {
            rows.push(vec![
                row.name.to_owned(),
                row.year
                    .map_or_else(|| "-".to_owned(), |year| year.to_string()),
                output::thousands(row.parameters as u64),
                output::thousands(row.macs),
                row.form.task().input.to_string(),
                row.summary.to_owned(),
            ]);
        }
    }
    let text = output::table(&head, &rows);
    let mut lines = text.lines();
    output::line(lines.next().unwrap_or_default());
    for family in families {
        output::line(&format!("\n{family}"));
        let members = MODELS.iter().filter(|row| row.family == family);
        for line in lines.by_ref().take(members.count()) {
            output::line(line);
        }
    }
    output::line("\n`kiln summary MODEL` shows a network's layers and what can be chosen of it");
}

fn table(what: Listed) {
    let head: &[&str] = match what {
        Listed::Datasets => &["name", "images", "classes", "train", "test", "summary"],
        Listed::Optimizers => &["name", "lr", "summary"],
        Listed::Backends => &["name", "compiled", "summary"],
        Listed::Recipes => &["name", "epochs", "summary"],
        Listed::Experiments => &["name", "question"],
        _ => &["name", "summary"],
    };
    let cell = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    let rows: Vec<Vec<String>> = objects(what)
        .iter()
        .map(|object| head.iter().map(|key| cell(&object[key])).collect())
        .collect();
    output::text(&output::table(head, &rows));
    match what {
        Listed::Datasets => {
            output::line("and folder:PATH, a folder with one subfolder of pictures for each class");
        }
        Listed::Optimizers => {
            output::line(
                "lr is the optimizer's default; without --lr `kiln train` uses adam at 0.002",
            );
        }
        Listed::Schedules => {
            output::line(
                "`kiln schedule NAME` draws one; --format json lists the keys of the configuration that each uses",
            );
        }
        Listed::Recipes => {
            output::line("train one with `kiln train --config NAME`; flags and --set go over it");
        }
        Listed::Experiments => {
            output::line(
                "`just experiment NAME` carries one out, `just experiment NAME --help` tells its forms",
            );
        }
        _ => {}
    }
}
