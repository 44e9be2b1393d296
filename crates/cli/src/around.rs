//! What `kiln train` does beside one training: nothing but showing its
//! configuration or plan, fitting it into a time, or training several times.

use crate::{
    INTERRUPTED,
    arguments::{Progress, TrainArguments},
    output,
    train::epoch_line,
};
use kiln_lab::{
    Context, Draft, Group, GroupKind, GroupReport, LabError, RunNumbers, RunPlan, Settings, Spread,
    fit_epochs, parse_duration, plan, shown_seconds,
};
use kiln_store::Store;
use kiln_training::{EpochRecord, Reporter};
use serde::Serialize;
use std::{path::Path, process::ExitCode};

/// Prints the resolved configuration.
pub fn print_config(draft: Draft, arguments: &TrainArguments) -> Result<ExitCode, LabError> {
    // Nothing is fetched for a text.
    let store = Store::locate(arguments.store.data_dir.as_deref(), true)?;
    let settings = draft.named(&store, &arguments.output.folder())?;
    output::text(&settings.to_toml()?);
    Ok(ExitCode::SUCCESS)
}

/// Gives the settings as many epochs as `--max-time` has room for.
pub fn fit_time(
    settings: &mut Settings,
    arguments: &TrainArguments,
    store: &Store,
) -> Result<(), LabError> {
    let Some(text) = &arguments.around.max_time else {
        return Ok(());
    };
    let time =
        parse_duration(text).map_err(|error| LabError::usage(format!("--max-time: {error}")))?;
    let budget = fit_epochs(settings, time, store)?;
    settings.stretch(budget.epochs);
    settings.check()?;
    output::note(&format!(
        "an epoch takes about {} ({} steps of {}, validation {}): {} in {text}",
        shown_seconds(budget.epoch_seconds()),
        budget.steps,
        shown_seconds(budget.step_seconds),
        shown_seconds(budget.validation_seconds),
        counted(budget.epochs, "epoch"),
    ));
    Ok(())
}

/// A number with its noun.
pub fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// Shows what a training would do.
pub fn dry_run(
    settings: &Settings,
    store: &Store,
    progress: Progress,
) -> Result<ExitCode, LabError> {
    let plan = plan(settings, store)?;
    match progress {
        Progress::Json => output::json(&plan)?,
        _ => show(&plan),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(plan: &RunPlan) {
    let thousands = |count: usize| output::thousands(count as u64);
    let settings = &plan.settings;
    let rows = [
        (
            "network",
            format!(
                "{} for {} and {} classes, {} parameters, {} MACs for an image",
                settings.model.name,
                plan.input,
                plan.classes,
                thousands(plan.parameters),
                output::thousands(plan.macs)
            ),
        ),
        (
            "data",
            format!(
                "{} ({}), {} training and {} validation images",
                settings.data.dataset,
                plan.source.note,
                thousands(plan.train_images),
                thousands(plan.val_images)
            ),
        ),
        (
            "steps",
            format!(
                "{} of {}{} images in an epoch, {} in {}",
                thousands(plan.steps_per_epoch),
                match plan.batches_per_step {
                    1 => String::new(),
                    several => format!("{several} batches of "),
                },
                settings.train.batch_size,
                thousands(plan.steps),
                counted(settings.train.epochs, "epoch")
            ),
        ),
        (
            "optimizer",
            format!(
                "{} at {}, schedule {}",
                settings.optimizer.name, settings.optimizer.lr, settings.schedule.name
            ),
        ),
        ("seed", settings.train.seed.to_string()),
        ("device", plan.device.clone()),
        (
            "memory",
            format!(
                "{} MiB for weights, gradients and the layers' outputs of a batch; images and the optimizer's numbers come on top",
                output::thousands((plan.training_bytes >> 20) as u64)
            ),
        ),
    ];
    for (name, text) in rows {
        output::line(&format!("{name:<10} {text}"));
    }
    output::note("nothing was written; without --dry-run this is trained");
}

/// What kind of group is asked for, and of how many runs.
pub fn group(arguments: &TrainArguments) -> Option<(GroupKind, u64)> {
    let around = &arguments.around;
    let seeds = around.seeds.map(|count| (GroupKind::Seeds, count));
    seeds.or(around.members.map(|count| (GroupKind::Members, count)))
}

/// Trains several times; `context` makes what a run needs, from its word and
/// who is told of its epochs.
pub fn train_group(
    (kind, count): (GroupKind, u64),
    settings: Settings,
    (arguments, progress): (&TrainArguments, Progress),
    context: impl Fn(String, Reporter) -> Context,
) -> Result<ExitCode, LabError> {
    let parent = arguments.output.folder();
    let place = (parent.as_path(), arguments.name.as_deref());
    let group = Group::open(kind, settings, count, place)?;
    let context = |word: String| {
        let reporter = reporter(progress, word.clone());
        context(word, reporter)
    };
    let report = group.train(context, |numbers, before| {
        if progress == Progress::Plain {
            output::line(&run_line(numbers, before, &parent));
        }
    })?;
    match progress {
        Progress::Json => {
            output::line(&serde_json::to_string(&report).map_err(LabError::run)?);
        }
        Progress::None => {}
        _ => output::text(&summary(&report)),
    }
    if progress != Progress::None {
        output::note(&next(&report, &parent));
    }
    Ok(match report.interrupted {
        true => ExitCode::from(INTERRUPTED),
        false => ExitCode::SUCCESS,
    })
}

/// An epoch of one of several runs.
#[derive(Serialize)]
struct Labelled<'a> {
    run: &'a str,
    #[serde(flatten)]
    record: &'a EpochRecord,
}

/// Epochs of several runs are progress; their results are what is asked for.
fn reporter(progress: Progress, word: String) -> Reporter {
    match progress {
        Progress::Json => Box::new(move |record| {
            let run = &word;
            let line = serde_json::to_string(&Labelled { run, record });
            output::line(&line.map_err(|error| error.to_string())?);
            Ok(())
        }),
        Progress::None => Box::new(|_| Ok(())),
        _ => Box::new(move |record| {
            output::note(&format!("{word}  {}", epoch_line(record)));
            Ok(())
        }),
    }
}

fn run_line(numbers: &RunNumbers, before: bool, parent: &Path) -> String {
    let result = match (numbers.val_accuracy, numbers.val_loss, numbers.best_epoch) {
        (Some(accuracy), Some(loss), Some(epoch)) => format!(
            "best val acc {} in epoch {epoch}, loss {loss:.4}",
            output::percent(accuracy)
        ),
        _ => "not validated".to_owned(),
    };
    let before = match before {
        true => "  (done before)",
        false => "",
    };
    format!(
        "seed {:>3}  {result}  {}{before}",
        numbers.seed,
        parent.join(&numbers.run).display()
    )
}

fn summary(report: &GroupReport) -> String {
    let runs = counted(report.runs.len(), "run");
    let spread = |spread: Spread, shown: fn(f64) -> String| match spread.std {
        Some(std) => format!("{} ± {}", shown(spread.mean), shown(std)),
        None => shown(spread.mean),
    };
    match (report.val_accuracy, report.val_loss) {
        (Some(accuracy), Some(loss)) => format!(
            "{runs}: validation accuracy {}, loss {} (mean and standard deviation with n-1)\n",
            spread(accuracy, output::percent),
            spread(loss, |loss| format!("{loss:.4}")),
        ),
        _ => format!("{runs}, not validated\n"),
    }
}

/// What to do next.
fn next(report: &GroupReport, parent: &Path) -> String {
    let file = report.file.display();
    if report.interrupted {
        let seeds: Vec<_> = report.runs.iter().map(|run| run.seed.to_string()).collect();
        return match seeds.is_empty() {
            true => "interrupted before a run was done".to_owned(),
            false => format!(
                "interrupted; done are the seeds {} (in {file}), and the same command goes on after them",
                seeds.join(", ")
            ),
        };
    }
    let runs: Vec<_> = report
        .runs
        .iter()
        .map(|run| parent.join(&run.run).display().to_string())
        .collect();
    match report.kind {
        GroupKind::Seeds => format!("the runs are listed in {file}"),
        GroupKind::Members => format!(
            "the runs are listed in {file}\ntest them together with: kiln eval {} --ensemble",
            runs.join(" ")
        ),
    }
}
