//! `kiln eval`.

use crate::{
    arguments::{Checkpoint, EvalArguments, Format, Split},
    output,
};
use kiln_lab::{
    CheckpointName, ClassReport, EnsembleReport, EvalReport, EvalRequest, EvalSplit, LabError,
    RunFolder, evaluate_ensemble, evaluate_run, save_report,
};
use kiln_store::Store;
use std::process::ExitCode;

impl From<Checkpoint> for CheckpointName {
    fn from(checkpoint: Checkpoint) -> Self {
        match checkpoint {
            Checkpoint::Best => Self::Best,
            Checkpoint::Last => Self::Last,
        }
    }
}

impl From<Split> for EvalSplit {
    fn from(split: Split) -> Self {
        match split {
            Split::Test => Self::Test,
            Split::Val => Self::Val,
            Split::Train => Self::Train,
        }
    }
}

/// Evaluates a run, or several as one.
pub fn run(arguments: &EvalArguments) -> Result<ExitCode, LabError> {
    let runs = arguments.output.folder();
    let folders = arguments.runs.iter().map(|run| RunFolder::open(run, &runs));
    let folders = folders.collect::<Result<Vec<_>, _>>()?;
    if folders.len() > 1 && !arguments.ensemble {
        return Err(LabError::usage(
            "several runs were named; add --ensemble to evaluate them as one, or name one",
        ));
    }
    let backend = backend(arguments, &folders)?;
    if let Some(code) = kiln_backend::settle(&backend)? {
        return Ok(code);
    }
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let request = EvalRequest {
        split: arguments.split.into(),
        checkpoint: arguments.checkpoint.into(),
        backend: Some(backend),
        batch_size: arguments.batch_size,
        tta: arguments.tta,
    };
    if arguments.ensemble {
        let report = evaluate_ensemble(&folders, &request, &store)?;
        match arguments.format {
            Format::Json => output::json(&report)?,
            Format::Table => output::text(&ensemble(&report)),
        }
        return Ok(ExitCode::SUCCESS);
    }
    for folder in &folders {
        let report = evaluate_run(folder, &request, &store)?;
        match arguments.format {
            Format::Json => output::json(&report)?,
            Format::Table => output::text(&one(&report)),
        }
        // The result was shown; now it may turn out that it cannot be kept.
        save_report(folder, &report)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The backend that was named, or the one that all runs were made with.
fn backend(arguments: &EvalArguments, folders: &[RunFolder]) -> Result<String, LabError> {
    if let Some(backend) = &arguments.backend {
        return Ok(backend.clone());
    }
    let used = |folder: &RunFolder| Ok(folder.manifest()?.settings.device.backend);
    let mut backends = folders
        .iter()
        .map(used)
        .collect::<Result<Vec<_>, LabError>>()?;
    backends.dedup();
    match &backends[..] {
        [backend] => Ok(backend.clone()),
        several => Err(LabError::usage(format!(
            "the runs were made with {}; name one backend with --backend",
            several.join(" and ")
        ))),
    }
}

fn one(report: &EvalReport) -> String {
    format!(
        "{} {}, {} weights after step {}\n\nimages    {}\nloss      {:.5}\naccuracy  {}\n\n{}",
        report.run,
        on(report),
        report.checkpoint,
        report.step,
        report.count,
        report.loss,
        output::percent(report.accuracy),
        tables(&report.per_class, &report.confusion),
    )
}

fn ensemble(report: &EnsembleReport) -> String {
    let row = |name: &str, loss: f64, accuracy: f64| {
        vec![
            name.to_owned(),
            format!("{loss:.5}"),
            output::percent(accuracy),
        ]
    };
    let members = report.members.iter();
    let mut rows: Vec<_> = members
        .map(|member| row(&member.run, member.loss, member.accuracy))
        .collect();
    rows.push(row("ensemble", report.loss, report.accuracy));
    let on = report.members.first().map(on).unwrap_or_default();
    format!(
        "{} runs {on}\n\n{}\n{}",
        report.members.len(),
        output::table(&["run", "loss", "accuracy"], &rows),
        tables(&report.per_class, &report.confusion),
    )
}

/// What was evaluated on.
fn on(report: &EvalReport) -> String {
    let tta = match report.tta {
        0 => String::new(),
        level => format!(", test-time augmentation {level}"),
    };
    format!(
        "on the {} images of {} ({}){tta}",
        report.split, report.dataset, report.source
    )
}

fn tables(per_class: &[ClassReport], confusion: &[Vec<usize>]) -> String {
    let classes = per_class.iter().map(|class| {
        let accuracy = class
            .accuracy
            .map_or_else(|| "-".to_owned(), output::percent);
        vec![class.class.clone(), class.count.to_string(), accuracy]
    });
    let mut head = vec!["true \\ predicted"];
    head.extend(per_class.iter().map(|class| class.class.as_str()));
    let confusion = per_class.iter().zip(confusion).map(|(class, row)| {
        let counts = row.iter().map(usize::to_string);
        std::iter::once(class.class.clone()).chain(counts).collect()
    });
    format!(
        "{}\n{}",
        output::table(
            &["class", "images", "accuracy"],
            &classes.collect::<Vec<_>>()
        ),
        output::table(&head, &confusion.collect::<Vec<Vec<String>>>()),
    )
}
