//! `kiln train`.

use crate::{
    INTERRUPTED,
    arguments::{Progress, TrainArguments},
    around, output, revision,
};
use kiln_backend::Choice;
use kiln_lab::{
    Context, LabError, Layers, Manifest, Report, RunFolder, Settings, Status, Stops, draft, resume,
    resumed_settings, train, weight_file,
};
use kiln_store::Store;
use kiln_training::{EpochRecord, Reporter, Screen};
use std::{
    io::IsTerminal,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

/// Trains a network, or goes on training it.
pub fn run(arguments: TrainArguments) -> Result<ExitCode, LabError> {
    match &arguments.resume {
        Some(run) => go_on(run, &arguments),
        None => begin(&arguments),
    }
}

fn begin(arguments: &TrainArguments) -> Result<ExitCode, LabError> {
    let group = around::group(arguments);
    let progress = shown(arguments, group.is_some())?;
    let draft = draft(&layers(arguments)?)?;
    if arguments.around.print_config {
        return around::print_config(draft, arguments);
    }
    if let Some(code) = kiln_backend::settle(draft.backend())? {
        return Ok(code);
    }
    // Fetching a data set would write it.
    let offline = arguments.store.offline || arguments.around.dry_run;
    let store = Store::locate(arguments.store.data_dir.as_deref(), offline)?;
    let (mut settings, note) = draft.complete(&store, &arguments.output.folder())?;
    if let Some(note) = note {
        output::note(&note);
    }
    say_that_it_tunes(&settings, progress)?;
    around::fit_time(&mut settings, arguments, &store)?;
    if arguments.around.dry_run {
        return around::dry_run(&settings, &store, progress);
    }
    let stops = Stops::default();
    catch_signals(&stops, progress)?;
    let context = |name, reporter| context(arguments, &store, (progress, &stops), name, reporter);
    if let Some(group) = group {
        let context = |word, reporter| context(Some(word), reporter);
        return around::train_group(group, settings, (arguments, progress), context);
    }
    let context = context(arguments.name.clone(), reporter(progress));
    Ok(ended(&train(&settings, context)?, progress))
}

fn go_on(run: &str, arguments: &TrainArguments) -> Result<ExitCode, LabError> {
    let progress = shown(arguments, false)?;
    let folder = RunFolder::open(run, &arguments.output.folder())?;
    let known = folder.manifest()?;
    let settings = resumed_settings(&known, &layers(arguments)?)?;
    if known.status == Status::Completed && known.settings == settings {
        let early = known.result.and_then(|result| result.early_stop);
        let more = early.map_or_else(
            || "more --epochs would go on with it".to_owned(),
            |why| format!("it ended early: {why}"),
        );
        output::note(&format!("{} is done already; {more}", known.run));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(code) = kiln_backend::settle(&settings.device.backend)? {
        return Ok(code);
    }
    let store = Store::locate(arguments.store.data_dir.as_deref(), arguments.store.offline)?;
    say_that_it_tunes(&settings, progress)?;
    let stops = Stops::default();
    catch_signals(&stops, progress)?;
    let reporter = reporter(progress);
    let context = context(arguments, &store, (progress, &stops), None, reporter);
    Ok(ended(&resume(folder, settings, context)?, progress))
}

fn say_that_it_tunes(settings: &Settings, progress: Progress) -> Result<(), LabError> {
    let choice: Choice = settings.device.backend.parse()?;
    if choice.backend.indexed && progress != Progress::None {
        output::note(&format!(
            "{choice} compiles and tunes its kernels in the first steps; the first run can take minutes for that, later ones seconds"
        ));
    }
    Ok(())
}

fn context(
    arguments: &TrainArguments,
    store: &Store,
    (progress, stops): (Progress, &Stops),
    name: Option<String>,
    reporter: Reporter,
) -> Context {
    Context {
        name,
        arguments: std::env::args().collect(),
        revision: revision().map(str::to_owned),
        screen: match progress {
            Progress::Tui => Screen::Dashboard,
            _ => Screen::Off,
        },
        stop: stops.next(),
        reporter,
        note: match progress {
            Progress::None => |_| (),
            _ => output::note,
        },
        tensorboard: arguments.tensorboard,
        ..Context::new(store.clone(), arguments.output.folder())
    }
}

fn ended(report: &Report, progress: Progress) -> ExitCode {
    if progress != Progress::None {
        output::note(&summary(report));
    }
    match report.manifest.status {
        Status::Interrupted => ExitCode::from(INTERRUPTED),
        _ => ExitCode::SUCCESS,
    }
}

/// What is shown: the dashboard is for one training in a terminal.
fn shown(arguments: &TrainArguments, several: bool) -> Result<Progress, LabError> {
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let terminal = terminal && !several;
    Ok(match (arguments.progress, terminal) {
        (Some(Progress::Tui), _) if several => {
            return Err(LabError::usage(
                "--progress tui shows one training; use --progress plain for several",
            ));
        }
        (Some(Progress::Tui), false) => {
            return Err(LabError::usage(
                "--progress tui needs a terminal for input and output; use --progress plain here",
            ));
        }
        (Some(progress), _) => progress,
        (None, true) => Progress::Tui,
        (None, false) => Progress::Plain,
    })
}

fn layers(arguments: &TrainArguments) -> Result<Layers, LabError> {
    if let Some(classes) = arguments.classes.filter(|classes| *classes < 2) {
        return Err(LabError::usage(format!(
            "--classes is {classes}, but it must be at least 2; without it the data set says how many"
        )));
    }
    let text = |key, value: &Option<String>| value.clone().map(|value| (key, value.into()));
    let whole = |key, value: Option<i64>| value.map(|value| (key, value.into()));
    let number = |key, value: Option<f64>| value.map(|value| (key, value.into()));
    let flags = [
        text("model.name", &arguments.model),
        text("data.dataset", &arguments.dataset),
        text("data.input", &arguments.input),
        whole("data.classes", arguments.classes),
        text("transfer.freeze", &arguments.freeze),
        text("data.limit_train", &arguments.limit_train),
        text("data.limit_val", &arguments.limit_val),
        text("data.val_split", &arguments.val_split),
        text("data.augment", &arguments.augment),
        whole("train.epochs", arguments.epochs),
        whole("train.batch_size", arguments.batch_size),
        whole("train.seed", arguments.seed),
        whole("train.workers", arguments.workers),
        whole("train.overfit_batches", arguments.around.overfit_batches),
        whole("train.accumulate", arguments.accumulate),
        text("train.checkpoint_every", &arguments.checkpoint_every),
        whole("early_stop.patience", arguments.early_stop),
        number("optimizer.lr", arguments.lr),
        number("optimizer.momentum", arguments.momentum),
        number("optimizer.weight_decay", arguments.weight_decay),
        number("model.dropout", arguments.dropout),
        number("regularization.l1", arguments.l1),
        number("regularization.clip_norm", arguments.clip_grad),
        number("regularization.label_smoothing", arguments.label_smoothing),
        number("regularization.mixup", arguments.mixup),
        number("regularization.cutmix", arguments.cutmix),
        number("regularization.ema_decay", arguments.ema_decay),
        text("optimizer.name", &arguments.optimizer),
        text("schedule.name", &arguments.schedule),
        text("device.backend", &arguments.backend),
    ];
    let mut flags: Vec<_> = flags.into_iter().flatten().collect();
    if let Some(weights) = &arguments.weights {
        let file = weight_file(weights, &arguments.output.folder())?;
        flags.push(("transfer.weights", file.display().to_string().into()));
    }
    Ok(Layers {
        config: arguments.config.clone(),
        set: arguments.set.clone(),
        flags,
    })
}

/// The first Ctrl-C ends the training after the running step, with a
/// checkpoint; the second ends the program at once, unless the dashboard has
/// the terminal and must give it back.
pub fn catch_signals(stops: &Stops, progress: Progress) -> Result<(), LabError> {
    static ASKED: AtomicBool = AtomicBool::new(false);
    let stops = stops.clone();
    ctrlc::set_handler(move || {
        stops.request();
        if progress == Progress::Tui {
            return;
        }
        match ASKED.swap(true, Ordering::Relaxed) {
            true => std::process::exit(i32::from(INTERRUPTED)),
            false => output::note(
                "stopping after this step and saving; press Ctrl-C again to quit at once",
            ),
        }
    })
    .map_err(LabError::run)
}

fn reporter(progress: Progress) -> Reporter {
    match progress {
        Progress::Plain => Box::new(|record| {
            output::line(&epoch_line(record));
            Ok(())
        }),
        Progress::Json => Box::new(|record| {
            output::line(&serde_json::to_string(record).map_err(|error| error.to_string())?);
            Ok(())
        }),
        Progress::Tui | Progress::None => Box::new(|_| Ok(())),
    }
}

/// An epoch in one line.
pub fn epoch_line(record: &EpochRecord) -> String {
    let mut line = format!(
        "epoch {:>3}  lr {:.3e}  train loss {:.4} acc {:>6.2}%",
        record.epoch,
        record.lr,
        record.train_loss,
        record.train_accuracy * 100.0
    );
    if let (Some(loss), Some(accuracy)) = (record.val_loss, record.val_accuracy) {
        line += &format!("  val loss {loss:.4} acc {:>6.2}%", accuracy * 100.0);
    }
    line + &format!(
        "  {:.1} s  {:.0} images/s",
        record.seconds, record.images_per_second
    )
}

fn summary(report: &Report) -> String {
    let Manifest {
        result,
        status,
        source,
        ..
    } = &report.manifest;
    let path = report.folder.path().display();
    let early = result
        .as_ref()
        .and_then(|result| result.early_stop.as_ref());
    let how = match (status, early) {
        (Status::Interrupted, _) => "interrupted, checkpoint saved".to_owned(),
        (_, Some(why)) => format!("ended early, {why}"),
        _ => "done".to_owned(),
    };
    let best = result.as_ref().and_then(|result| result.best.as_ref());
    let best = best.and_then(|best| {
        let accuracy = output::percent(best.val_accuracy?);
        Some(format!(
            ", best validation accuracy {accuracy} in epoch {}",
            best.epoch
        ))
    });
    let unofficial = match source.official {
        true => String::new(),
        false => format!("\ndata: {}", source.note),
    };
    let next = match status {
        Status::Interrupted => format!("go on with: kiln train --resume {path}"),
        _ => format!("test it with: kiln eval {path}"),
    };
    format!(
        "{how}{}{unofficial}\nrun folder {path}\n{next}",
        best.unwrap_or_default()
    )
}
