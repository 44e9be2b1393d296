//! `kiln sweep`.

use crate::{
    INTERRUPTED,
    arguments::{Format, Progress, SweepArguments},
    output, revision,
    train::catch_signals,
};
use kiln_lab::{Context, LabError, Spread, Stops, SweepPlan, SweepReport, SweepRow, SweepRun};
use kiln_store::Store;
use std::process::ExitCode;

/// Trains every candidate and shows them by their result.
pub fn run(arguments: &SweepArguments) -> Result<ExitCode, LabError> {
    let plan = SweepPlan::read(&arguments.file)?;
    if let Some(code) = kiln_backend::settle(plan.backend())? {
        return Ok(code);
    }
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    let (mut sweep, note) = plan.open(&store, &arguments.output.folder())?;
    if let Some(note) = note {
        output::note(&note);
    }
    output::note(&format!(
        "{} candidates in {}, {} runs done before",
        sweep.candidates(),
        sweep.folder().display(),
        sweep.runs_done()
    ));
    let stops = Stops::default();
    catch_signals(&stops, Progress::Plain)?;
    let folder = sweep.folder().to_owned();
    let context = |word| Context {
        name: Some(word),
        arguments: std::env::args().collect(),
        revision: revision().map(str::to_owned),
        stop: stops.next(),
        ..Context::new(store.clone(), folder.clone())
    };
    let report = sweep.run(context, |run| output::note(&line(run)))?;
    match arguments.format {
        Format::Json => output::json(&report)?,
        Format::Table => output::text(&table(&report)),
    }
    Ok(match report.interrupted {
        true => {
            output::note("interrupted; the same command goes on with the runs that are missing");
            ExitCode::from(INTERRUPTED)
        }
        false => {
            output::note(&format!("the table is {}", report.table.display()));
            ExitCode::SUCCESS
        }
    })
}

fn line(run: &SweepRun) -> String {
    let head = format!(
        "candidate {:>3}  epochs {:>3}  seed {}",
        run.candidate, run.epochs, run.seed
    );
    match (&run.numbers, &run.error) {
        (Some(numbers), _) => {
            let accuracy = numbers.val_accuracy.map_or("-".to_owned(), output::percent);
            format!("{head}  best val acc {accuracy}  {:.1} s", numbers.seconds)
        }
        (None, error) => format!("{head}  failed: {}", error.as_deref().unwrap_or("-")),
    }
}

fn table(report: &SweepReport) -> String {
    let mut head = vec!["rank", "candidate"];
    head.extend(report.keys.iter().map(String::as_str));
    head.extend([
        "epochs",
        "seeds",
        "val accuracy",
        "std",
        "val loss",
        "seconds",
    ]);
    let rows = report.rows.iter().enumerate();
    let rows: Vec<_> = rows.map(|(rank, row)| cells(rank + 1, row)).collect();
    output::table(&head, &rows)
}

fn cells(rank: usize, row: &SweepRow) -> Vec<String> {
    let missing = || match &row.error {
        Some(_) => "failed".to_owned(),
        None => "-".to_owned(),
    };
    let mut cells = vec![rank.to_string(), row.candidate.to_string()];
    cells.extend(row.choices());
    cells.extend([
        row.epochs.to_string(),
        row.runs.len().to_string(),
        row.val_accuracy
            .map_or_else(missing, |spread| output::percent(spread.mean)),
        row.val_accuracy
            .and_then(|spread: Spread| spread.std)
            .map_or_else(|| "-".to_owned(), output::percent),
        row.val_loss
            .map_or_else(|| "-".to_owned(), |spread| format!("{:.4}", spread.mean)),
        format!("{:.1}", row.seconds),
    ]);
    cells
}
