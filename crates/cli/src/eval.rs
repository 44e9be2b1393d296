//! `kiln eval`.

use crate::{
    arguments::{Checkpoint, EvalArguments, Format, Split},
    device, output,
};
use kiln_lab::{
    CheckpointName, EvalReport, EvalRequest, EvalSplit, LabError, RunFolder, evaluate_run,
    save_report,
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

/// Evaluates a run.
pub fn run(arguments: &EvalArguments) -> Result<ExitCode, LabError> {
    let folder = RunFolder::open(&arguments.run, &arguments.output.folder())?;
    let backend = match &arguments.backend {
        Some(backend) => backend.clone(),
        None => folder.manifest()?.settings.device.backend,
    };
    if let Some(code) = device::settle(&backend)? {
        return Ok(code);
    }
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let request = EvalRequest {
        split: arguments.split.into(),
        checkpoint: arguments.checkpoint.into(),
        backend: Some(backend),
        batch_size: arguments.batch_size,
    };
    let report = evaluate_run(&folder, &request, &store)?;
    match arguments.format {
        Format::Json => output::json(&report)?,
        Format::Table => output::text(&tables(&report)),
    }
    // The result was shown; now it may turn out that it cannot be kept.
    save_report(&folder, &report)?;
    Ok(ExitCode::SUCCESS)
}

fn tables(report: &EvalReport) -> String {
    let classes = report.per_class.iter().map(|class| {
        let accuracy = class
            .accuracy
            .map_or_else(|| "-".to_owned(), output::percent);
        vec![class.class.clone(), class.count.to_string(), accuracy]
    });
    let mut head = vec!["true \\ predicted"];
    head.extend(report.per_class.iter().map(|class| class.class.as_str()));
    let confusion = report.per_class.iter().zip(&report.confusion);
    let confusion = confusion.map(|(class, row)| {
        let counts = row.iter().map(usize::to_string);
        std::iter::once(class.class.clone()).chain(counts).collect()
    });
    format!(
        "{} on the {} images of {} ({}), {} weights after step {}\n\nimages    {}\nloss      {:.5}\naccuracy  {}\n\n{}\n{}",
        report.run,
        report.split,
        report.dataset,
        report.source,
        report.checkpoint,
        report.step,
        report.count,
        report.loss,
        output::percent(report.accuracy),
        output::table(
            &["class", "images", "accuracy"],
            &classes.collect::<Vec<_>>()
        ),
        output::table(&head, &confusion.collect::<Vec<Vec<String>>>()),
    )
}
