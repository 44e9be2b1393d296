//! Carrying out a run.

use crate::{
    LabError, Machine, Manifest, RunFolder, Settings, Status, data::training_data,
    machine::peak_memory_bytes, manifest::RunResult, network::initial_network,
};
use kiln_models::{Network, Task, parameters};
use kiln_store::Store;
use kiln_training::{
    EpochRecord, FitError, Outcome, Plan, Reporter, Screen, Stop, StopReason, fit,
    load_checkpoint_weights, read_index, weights_bytes, weights_sha256,
};
use std::{fmt::Write as _, path::PathBuf, time::Instant};

/// What a run needs beside its settings.
pub struct Context {
    /// The data folder.
    pub store: Store,
    /// The parent of run folders.
    pub output_dir: PathBuf,
    /// A word that the user wants in the folder's name.
    pub name: Option<String>,
    /// The command line.
    pub arguments: Vec<String>,
    /// Git revision that the program was built from.
    pub revision: Option<String>,
    /// What the terminal shows.
    pub screen: Screen,
    /// The way to end it.
    pub stop: Stop,
    /// Who else is told of each epoch.
    pub reporter: Reporter,
}

/// A run that ended without an error.
pub struct Report {
    /// Its folder.
    pub folder: RunFolder,
    /// Its manifest.
    pub manifest: Manifest,
    /// The network after the last step.
    pub network: Network,
}

/// Trains as `settings` say, in a new run folder.
///
/// # Errors
/// For every way in which data, backend, disk or training can fail; the
/// manifest then says so, and checkpoints stay.
pub fn train(settings: &Settings, context: Context) -> Result<Report, LabError> {
    let choice = settings.device.backend.parse()?;
    let device = kiln_backend::open(&choice)?;
    let data = training_data(settings, &context.store)?;
    let task = Task {
        input: data.input,
        classes: data.classes.len(),
    };
    let network = initial_network(&settings.model.name, &task, settings.train.seed)?;
    let started = jiff::Zoned::now();
    let folder = RunFolder::create(
        &context.output_dir,
        &folder_name(settings, &context.name, &started),
    )?;
    let mut manifest = Manifest {
        run: folder.name(),
        status: Status::Running,
        error: None,
        arguments: context.arguments,
        settings: settings.clone(),
        input: data.input,
        parameters: parameters(&network),
        train_images: data.train.indices.len(),
        val_images: data.valid.indices.len(),
        normalization: data.train.normalization.clone(),
        classes: data.classes,
        source: data.source,
        device: format!("{choice}: {}", kiln_backend::describe(&device)),
        machine: Machine::here(context.revision.as_deref()),
        started,
        finished: None,
        result: None,
    };
    folder.write_manifest(&manifest)?;
    let config = toml::to_string(settings).map_err(LabError::run)?;
    folder.write("config.toml", config.as_bytes())?;

    let clock = Instant::now();
    let plan = Plan {
        train: data.train,
        valid: data.valid,
        epochs: settings.train.epochs,
        optimizer: settings.optimizer.clone(),
        schedule: settings.schedule.clone(),
        folder: folder.path().to_owned(),
    };
    let reporter = recording(folder.clone(), context.reporter);
    let outcome = fit(
        (network.clone(), Network::forward),
        plan,
        &device,
        context.screen,
        (context.stop, reporter),
    );
    manifest.finished = Some(jiff::Zoned::now());
    match finish(outcome, network, &folder, clock, &mut manifest) {
        Ok(network) => {
            folder.write_manifest(&manifest)?;
            log(&folder, &manifest)?;
            Ok(Report {
                folder,
                manifest,
                network,
            })
        }
        Err(error) => {
            manifest.status = Status::Failed;
            manifest.error = Some(error.to_string());
            // The first error is the one to report, even if the disk is full.
            let _ = folder.write_manifest(&manifest);
            let _ = log(&folder, &manifest);
            Err(error)
        }
    }
}

/// Saves the resulting weights and completes the manifest.
fn finish(
    outcome: Result<Outcome<Network>, FitError>,
    initial: Network,
    folder: &RunFolder,
    clock: Instant,
    manifest: &mut Manifest,
) -> Result<Network, LabError> {
    let outcome = outcome?;
    let seconds = clock.elapsed().as_secs_f64();
    let best = outcome
        .epochs
        .iter()
        .filter(|record| record.val_accuracy.is_some())
        // Of equals the first: the loss decides before the order does.
        .reduce(|best, record| {
            let rank =
                |record: &EpochRecord| (record.val_accuracy, record.val_loss.map(|loss| -loss));
            if rank(record) > rank(best) {
                record
            } else {
                best
            }
        })
        .cloned();
    let index = read_index(folder.path())?;
    let result = match &index.best {
        Some(best) => {
            let file = folder
                .path()
                .join("checkpoints")
                .join(best)
                .join("model.bpk");
            load_checkpoint_weights(initial, &file)?
        }
        None => outcome.network.clone(),
    };
    folder.write("model.safetensors", &weights_bytes(&result)?)?;
    manifest.status = match outcome.reason {
        StopReason::Completed => Status::Completed,
        StopReason::Interrupted => Status::Interrupted,
    };
    manifest.result = Some(RunResult {
        steps: outcome.steps,
        epochs: outcome.epochs.len(),
        best,
        last: outcome.epochs.last().cloned(),
        weights_sha256: weights_sha256(&result)?,
        last_weights_sha256: weights_sha256(&outcome.network)?,
        seconds,
        phases: outcome.phases,
        peak_memory_bytes: peak_memory_bytes(),
    });
    Ok(outcome.network)
}

/// `20261121-101500-lenet-mnist`, with a word of the user's at the end.
fn folder_name(settings: &Settings, name: &Option<String>, started: &jiff::Zoned) -> String {
    let safe = |text: &str| -> String {
        let allowed = |c: char| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '-'
            }
        };
        text.chars()
            .map(allowed)
            .collect::<String>()
            .trim_matches(['-', '.'])
            .to_owned()
    };
    // Of a folder of images its own name is enough.
    let dataset = settings.data.dataset.strip_prefix("folder:").map_or(
        settings.data.dataset.as_str(),
        |path| {
            path.trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or("folder")
        },
    );
    let mut folder = format!(
        "{}-{}-{}",
        started.strftime("%Y%m%d-%H%M%S"),
        safe(&settings.model.name),
        safe(dataset)
    );
    if let Some(name) = name {
        let _ = write!(folder, "-{}", safe(name));
    }
    folder
}

/// A reporter that also writes `metrics.csv`.
fn recording(folder: RunFolder, mut next: Reporter) -> Reporter {
    let mut table = String::from(
        "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second\n",
    );
    Box::new(move |record| {
        let optional =
            |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let _ = writeln!(
            table,
            "{},{},{},{},{},{},{},{:.3},{:.1}",
            record.epoch,
            record.step,
            record.lr,
            record.train_loss,
            record.train_accuracy,
            optional(record.val_loss),
            optional(record.val_accuracy),
            record.seconds,
            record.images_per_second,
        );
        folder
            .write("metrics.csv", table.as_bytes())
            .map_err(|error| error.to_string())?;
        next(record)
    })
}

/// Writes `log.txt`: what was run, on what, how it ended.
fn log(folder: &RunFolder, manifest: &Manifest) -> Result<(), LabError> {
    let mut text = String::new();
    let mut line = |time: &jiff::Zoned, what: String| {
        let _ = writeln!(text, "{} {what}", time.strftime("%Y-%m-%d %H:%M:%S%z"));
    };
    line(
        &manifest.started,
        format!("started: {}", manifest.arguments.join(" ")),
    );
    line(
        &manifest.started,
        format!(
            "{} ({} parameters) on {} ({}): {} training and {} validation images",
            manifest.settings.model.name,
            manifest.parameters,
            manifest.settings.data.dataset,
            manifest.source.note,
            manifest.train_images,
            manifest.val_images
        ),
    );
    line(&manifest.started, format!("device {}", manifest.device));
    let finished = manifest.finished.as_ref().unwrap_or(&manifest.started);
    if let Some(result) = &manifest.result {
        line(
            finished,
            format!(
                "{} steps, {} epochs, {:.1} s, weights {}",
                result.steps, result.epochs, result.seconds, result.weights_sha256
            ),
        );
    }
    let end = match manifest.status {
        Status::Running => "running",
        Status::Completed => "completed",
        Status::Interrupted => "interrupted; a checkpoint was written",
        Status::Failed => "failed",
    };
    let cause = manifest.error.as_ref().map(|error| format!(": {error}"));
    line(finished, format!("{end}{}", cause.unwrap_or_default()));
    folder.write("log.txt", text.as_bytes())
}
