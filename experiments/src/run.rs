//! Carrying an experiment out, or what is missing of it.

use crate::{
    Experiment, Ran, Scale,
    arguments::{Arguments, question},
    curves,
    print::{note, text},
    provenance::{Provenance, save},
    report::{page, plan, shows_curves},
    tables,
};
use kiln_figures::{percent, thousands};
use kiln_lab::{
    Comparison, Context, EvalSplit, LabError, OpenComparison, Outcome, Stops, shown_seconds,
    training_speed,
};
use kiln_store::Store;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// The exit code of an experiment that was interrupted.
const INTERRUPTED: u8 = 130;
/// How long the speed of an arm is measured.
const MEASURE: Duration = Duration::from_millis(700);

/// Carries the experiment out and writes its results.
pub fn run(experiment: Experiment, arguments: &Arguments) -> Result<ExitCode, LabError> {
    let scale = arguments.scale();
    let temporary = tempfile::tempdir().map_err(LabError::run)?;
    let folder = arguments.folder(experiment.name);
    let folder = folder.unwrap_or_else(|| temporary.path().to_owned());
    let definitions = defined(experiment, arguments);
    if scale == Scale::Long && !has_long(experiment) {
        return Err(LabError::usage(format!(
            "{} has no form beyond the full one; leave --long out",
            experiment.name
        )));
    }
    refuse_to_shrink(&folder, scale, &definitions)?;
    let store = Store::locate(arguments.data_dir.as_deref(), arguments.offline)?;
    let open = |comparison: &Comparison| {
        // One folder for all: a training that two comparisons share is done once.
        comparison.clone().open(folder.join("runs"), &store)
    };
    let opened = definitions.iter().map(open);
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    if arguments.dry_run {
        return announce(&opened, &store);
    }
    let stops = Stops::default();
    catch_signals(&stops)?;
    let mut results = Vec::new();
    for open in opened {
        note(&open.definition().title);
        let mut context = |word| context(&store, word, &stops);
        let mut told = |outcome: &Outcome| note(&line(outcome));
        match open.run(&mut context, &mut told)? {
            Some(result) => results.push(result),
            None => {
                note("interrupted; the same command goes on with the runs that are missing");
                return Ok(ExitCode::from(INTERRUPTED));
            }
        }
    }
    let ran = Ran {
        scale,
        results,
        store: &store,
    };
    let before = Provenance::read(&folder)?;
    let is_new = tables::write(&ran.results, &folder)?;
    let provenance =
        Provenance::here(experiment, arguments, &ran.results).made_as(before.filter(|_| !is_new));
    provenance.write(&folder)?;
    write(experiment, (&ran, &definitions), &provenance, &folder)?;
    text(&format!("{}\n", (experiment.answer)(&ran)));
    if arguments.folder(experiment.name).is_some() {
        note(&format!("the results are in {}", folder.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The comparisons with what the command line changes.
pub fn defined(experiment: Experiment, arguments: &Arguments) -> Vec<Comparison> {
    let mut comparisons = (experiment.comparisons)(arguments.scale());
    for comparison in &mut comparisons {
        if let Some(seeds) = arguments.seeds {
            comparison.seeds = seeds;
        }
        let backend = format!("device.backend={}", arguments.backend);
        comparison.shared.push(backend);
    }
    comparisons
}

fn has_long(experiment: Experiment) -> bool {
    let [full, long] = [Scale::Full, Scale::Long].map(experiment.comparisons);
    format!("{full:?}") != format!("{long:?}")
}

/// Results of a larger form or of more seeds are not overwritten with those of
/// a smaller one or of fewer.
fn refuse_to_shrink(
    folder: &Path,
    scale: Scale,
    definitions: &[Comparison],
) -> Result<(), LabError> {
    let Some(there) = Provenance::read(folder)? else {
        return Ok(());
    };
    let refused = |what: &str, this: &str| {
        Err(LabError::usage(format!(
            "{} holds the results of {what}; name another folder for {this} with --output-dir",
            folder.display()
        )))
    };
    if there.scale > scale {
        return refused(
            &format!("the {} form", there.scale),
            &format!("the {scale} form"),
        );
    }
    let stored = tables::read(folder)?.iter().map(|row| row.seed).max();
    let seeds = definitions.iter().map(|one| one.seeds).max();
    match there.scale == scale && stored > seeds {
        true => refused(
            &format!("{} seeds", stored.unwrap_or_default()),
            &format!("{} of them", seeds.unwrap_or_default()),
        ),
        false => Ok(()),
    }
}

fn announce(opened: &[OpenComparison], store: &Store) -> Result<ExitCode, LabError> {
    let (mut images, mut seconds) = (0, 0.0);
    let mut seen = HashSet::new();
    for open in opened {
        let mut speed = |arm: &kiln_lab::OpenArm| {
            if !seen.insert(format!("{:?}", arm.settings)) {
                return Ok(None); // trained for another comparison
            }
            let budget = training_speed(&arm.settings, MEASURE, store)?;
            Ok(Some(arm.train_images as f64 / budget.epoch_seconds()))
        };
        let speeds = open.arms().iter().map(&mut speed);
        let speeds = speeds.collect::<Result<Vec<_>, LabError>>()?;
        let (shown, trained, needed) = plan(open, &speeds);
        images += trained;
        seconds += needed;
        text(&shown);
    }
    text(&format!(
        "in all {} images, about {}\n",
        thousands(images),
        shown_seconds(seconds)
    ));
    Ok(ExitCode::SUCCESS)
}

pub fn context(store: &Store, word: String, stops: &Stops) -> Context {
    Context {
        name: Some(word),
        arguments: std::env::args().collect(),
        revision: option_env!("KILN_REVISION").map(str::to_owned),
        stop: stops.next(),
        // The comparison has a folder of its own.
        ..Context::new(store.clone(), PathBuf::new())
    }
}

fn line(outcome: &Outcome) -> String {
    let head = format!("  {:<24} seed {:>2}", outcome.arm, outcome.seed);
    match (outcome.accuracy(EvalSplit::Test), &outcome.diverged) {
        (Some(accuracy), _) => format!(
            "{head}  test accuracy {:>8}  {:.1} s",
            percent(accuracy),
            outcome.seconds
        ),
        (None, cause) => format!("{head}  failed: {}", cause.as_deref().unwrap_or("-")),
    }
}

fn write(
    experiment: Experiment,
    (ran, definitions): (&Ran, &[Comparison]),
    provenance: &Provenance,
    folder: &Path,
) -> Result<(), LabError> {
    let sections = (experiment.sections)(ran)?;
    for section in &sections {
        for figure in &section.figures {
            save(&folder.join(format!("{}.svg", figure.name)), &figure.svg)?;
        }
    }
    for result in ran.results.iter().filter(|result| shows_curves(result)) {
        let file = folder.join(format!("{}.svg", result.name));
        save(&file, &curves(result).svg())?;
    }
    let head = (experiment, question(experiment)?);
    let page = page(head, (ran, definitions), (&sections, provenance));
    save(&folder.join("README.md"), &page)
}

/// The first Ctrl-C ends the experiment after the running step, with a
/// checkpoint; the second at once.
fn catch_signals(stops: &Stops) -> Result<(), LabError> {
    static ASKED: AtomicBool = AtomicBool::new(false);
    let stops = stops.clone();
    ctrlc::set_handler(move || {
        stops.request();
        match ASKED.swap(true, Ordering::Relaxed) {
            true => std::process::exit(i32::from(INTERRUPTED)),
            false => {
                note("stopping after this step and saving; press Ctrl-C again to quit at once")
            }
        }
    })
    .map_err(LabError::run)
}
