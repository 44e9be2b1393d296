//! `kiln data`.

use crate::{
    arguments::{DataArguments, DataVerb, Format, Half, ShowArguments},
    around::counted,
    output,
};
use kiln_catalog::{Choice, DATASETS, fetch, find, import, verify};
use kiln_lab::{LabError, ShowRequest};
use kiln_store::Store;
use kiln_vision::{Part, Source};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Lists, shows, checks, fetches and imports data sets.
pub fn run(arguments: &DataArguments) -> Result<ExitCode, LabError> {
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let format = arguments.format;
    match &arguments.verb {
        DataVerb::List => list(&store, format)?,
        DataVerb::Info { dataset } => info(&find(dataset)?, &store, format)?,
        DataVerb::Show(arguments) => draw(arguments, &store, format)?,
        DataVerb::Verify { dataset } => {
            let choice = find(dataset)?;
            show(&[(choice.name(), verify(&choice, &store)?)], "", format)?;
        }
        DataVerb::Fetch { dataset } => {
            let choice = find(dataset)?;
            fetch(&choice, &store)?;
            show(&[(choice.name(), verify(&choice, &store)?)], "", format)?;
        }
        DataVerb::Import {
            dir,
            dataset,
            unofficial,
        } => {
            let imported = import(dir, dataset.as_deref(), unofficial.as_deref(), &store)?;
            show(&imported, "imported ", format)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(store: &Store, format: Format) -> Result<(), LabError> {
    if format == Format::Json {
        let sets: Vec<_> = DATASETS
            .iter()
            .map(|row| describe(&Choice::Named(row), store))
            .collect();
        return output::json(&json!({"folder": store.root(), "datasets": sets}));
    }
    let rows = DATASETS.iter().map(|row| {
        vec![
            row.name.to_owned(),
            row.spec.to_string(),
            row.train.to_string(),
            row.test.to_string(),
            state(&Choice::Named(row), store),
        ]
    });
    let head = ["data set", "images", "train", "test", "state"];
    output::line(&format!("data folder {}\n", store.root().display()));
    output::text(&output::table(&head, &rows.collect::<Vec<_>>()));
    output::line("\nfolder:PATH is a data set too: one subfolder of pictures for each class");
    Ok(())
}

/// The state of a set in words.
pub fn state(choice: &Choice, store: &Store) -> String {
    match choice.row() {
        Some(row) if row.builtin => "built in".to_owned(),
        _ => choice.state(store).to_string(),
    }
}

/// What is known of a set, for programs.
pub fn describe(choice: &Choice, store: &Store) -> Value {
    let known = choice.row().map(|row| {
        json!({
            "summary": row.summary, "input": row.spec, "classes": row.classes,
            "train": row.train, "test": row.test, "validation": row.validation,
        })
    });
    json!({"name": choice.name(), "state": state(choice, store), "known": known})
}

fn info(choice: &Choice, store: &Store, format: Format) -> Result<(), LabError> {
    if format == Format::Json {
        return output::json(&describe(choice, store));
    }
    output::line(&choice.name());
    if let Some(row) = choice.row() {
        output::line(&format!(
            "{}\n{} images of {} in {} classes for training, {} of them held out for validation; {} for testing",
            row.summary, row.train, row.spec, row.classes, row.validation, row.test
        ));
    }
    output::line(&state(choice, store));
    Ok(())
}

fn draw(arguments: &ShowArguments, store: &Store, format: Format) -> Result<(), LabError> {
    let request = ShowRequest {
        dataset: arguments.dataset.clone(),
        part: match arguments.split {
            Half::Train => Part::Training,
            Half::Test => Part::Test,
        },
        input: arguments.input,
        augment: arguments.augment.clone(),
        count: arguments.count,
        index: arguments.index,
        seed: arguments.seed,
        epoch: arguments.epoch,
        output: arguments.output.clone(),
        replace: arguments.force,
    };
    let shown = kiln_lab::show(&request, store)?;
    if format == Format::Json {
        return output::json(&json!({
            "file": shown.output, "images": shown.count, "augment": shown.pipeline,
        }));
    }
    let images = match arguments.index {
        Some(index) => format!("image {index} in {}", counted(shown.count, "epoch")),
        None => counted(shown.count, "image"),
    };
    let how = shown.pipeline.unwrap_or_else(|| "unchanged".to_owned());
    output::line(&format!("{images}, {how}: {}", shown.output.display()));
    Ok(())
}

fn show(sets: &[(String, Source)], done: &str, format: Format) -> Result<(), LabError> {
    if format == Format::Json {
        let sets: Vec<_> = sets
            .iter()
            .map(|(name, source)| json!({"name": name, "source": source}))
            .collect();
        return output::json(&sets);
    }
    for (name, source) in sets {
        output::line(&format!("{done}{name}: {}", source.note));
        for file in &source.files {
            output::line(&format!(
                "  {}  {:>11} bytes  {}",
                file.sha256, file.bytes, file.name
            ));
        }
    }
    Ok(())
}
