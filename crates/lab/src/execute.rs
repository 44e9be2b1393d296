//! Carrying out a run.

use crate::{
    LabError, Machine, Manifest, RunFolder, Settings, Status, TensorBoard,
    data::{TrainingData, training_data},
    machine::peak_memory_bytes,
    manifest::RunResult,
    network::initial_network,
    numbers::plain_name,
    recording::recording,
    run_folder::MODEL_FILE,
};
use burn::tensor::Device;
use kiln_models::{Network, parameters};
use kiln_store::Store;
use kiln_training::{
    CHECKPOINT_MODEL, HeadRate, Outcome, Pace, Plan, Reporter, Resume, Screen, StepObserver, Stop,
    StopReason, fit, read_index, read_state,
};
use kiln_weights::{StateDict, load_checkpoint_weights, select, weights_sha256};
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
    /// Who is told of what the run starts from.
    pub note: fn(&str),
    /// Whether event files for TensorBoard are written.
    pub tensorboard: bool,
    /// Who looks at the network after each step, if anybody does.
    pub observer: Option<StepObserver<Network>>,
}

impl Context {
    /// For a run in `output_dir` that nobody watches.
    pub fn new(store: Store, output_dir: PathBuf) -> Self {
        Self {
            store,
            output_dir,
            name: None,
            arguments: Vec::new(),
            revision: None,
            screen: Screen::Off,
            stop: Stop::default(),
            reporter: Box::new(|_| Ok(())),
            note: |_| (),
            tensorboard: false,
            observer: None,
        }
    }
}

/// A run that ended without an error.
pub struct Report {
    /// Its folder.
    pub folder: RunFolder,
    /// Its manifest.
    pub manifest: Manifest,
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
    let task = data.task(settings);
    let network = initial_network(&settings.model, &task, settings.train.seed)?;
    let (network, fresh) = settings.transfer.load(network)?;
    let (network, trainable_parameters) = settings.transfer.freeze(network)?;
    let decays = settings.optimizer.check_decay_of(&network);
    decays.map_err(LabError::usage)?;
    let started = jiff::Zoned::now();
    let name = folder_name(settings, &context.name, &started);
    let folder = RunFolder::create(&context.output_dir, &name)?;
    let _lock = folder.lock()?;
    let manifest = Manifest {
        run: folder.name(),
        status: Status::Running,
        error: None,
        diverged: false,
        arguments: context.arguments.clone(),
        settings: settings.clone(),
        input: data.input,
        parameters: parameters(&network),
        trainable_parameters,
        fresh,
        train_images: data.train.indices.len(),
        val_images: data.valid.indices.len(),
        normalization: data.train.normalization.clone(),
        classes: data.classes.clone(),
        source: data.source.clone(),
        device: format!("{choice}: {}", kiln_backend::describe(&device)),
        machine: Machine::here(context.revision.as_deref()),
        resumed: Vec::new(),
        lengthened: Vec::new(),
        started,
        finished: None,
        weights_sha256: None,
        result: None,
    };
    if let Err(error) = begin(&folder, &manifest) {
        // A folder without a manifest would be nobody's.
        let _ = std::fs::remove_dir_all(folder.path());
        return Err(error);
    }
    for line in start(&manifest) {
        folder.log(&line)?;
        (context.note)(&line);
    }
    let from = Start {
        network,
        resume: None,
    };
    carry_out(from, (data, &device), folder, manifest, context)
}

/// What a training starts from.
pub(crate) struct Start {
    /// Its weights.
    pub network: Network,
    /// The checkpoint that they are from, and the average of the weights.
    pub resume: Option<(Resume, Option<Network>)>,
}

/// Trains in a run folder whose manifest is written, to the end or until it is
/// stopped.
pub(crate) fn carry_out(
    from: Start,
    (data, device): (TrainingData, &Device),
    folder: RunFolder,
    mut manifest: Manifest,
    context: Context,
) -> Result<Report, LabError> {
    let settings = manifest.settings.clone();
    let state = from.resume.as_ref().map(|(resume, _)| &resume.state);
    let known = state.map_or_else(Vec::new, |state| state.epochs.clone());
    let before = state.map_or(0.0, |state| {
        let epochs = state.epochs.iter().map(|record| record.seconds);
        epochs.sum::<f64>() + state.epoch_seconds
    });
    let clock = Instant::now();
    let plan = Plan {
        train: data.train,
        valid: data.valid,
        epochs: settings.train.epochs,
        classes: manifest.classes.len(),
        seed: settings.train.seed,
        pace: Pace {
            accumulate: settings.accumulate()?,
            checkpoint: settings.train.checkpoint_every.pace(),
        },
        regularization: settings.regularization.clone(),
        early_stop: settings.early_stop.clone(),
        optimizer: settings.optimizer.clone(),
        schedule: settings.schedule.clone(),
        head: head(&from.network, &settings),
        folder: folder.path().to_owned(),
        resume: from.resume,
        probe: kiln_models::first_not_finite,
        memory: peak_memory_bytes,
        observer: context.observer,
    };
    let board = match context.tensorboard || TensorBoard::is_in(folder.path()) {
        true => Some(TensorBoard::create(folder.path(), &known)?),
        false => None,
    };
    let reporter = recording((folder.clone(), board), &known, context.reporter)?;
    let outcome = fit(
        (from.network.clone(), Network::forward),
        plan,
        device,
        context.screen,
        (context.stop, reporter),
    );
    let finished = outcome.map_err(LabError::from).and_then(|outcome| {
        let seconds = before + clock.elapsed().as_secs_f64();
        finish(outcome, from.network, &folder, seconds, &mut manifest)
    });
    manifest.finished = Some(jiff::Zoned::now());
    if let Err(error) = finished {
        manifest.status = Status::Failed;
        manifest.error = Some(error.to_string());
        manifest.diverged = error.is_divergence();
        // The first error is the one to report, even if the disk is full.
        let _ = folder.write_manifest(&manifest);
        let _ = folder.log(&format!("failed: {error}"));
        return Err(error);
    }
    folder.write_manifest(&manifest)?;
    folder.log(match manifest.status {
        Status::Interrupted => "interrupted; a checkpoint was written",
        _ => "completed",
    })?;
    Ok(Report { folder, manifest })
}

/// What the run says of the weights that it starts from.
fn start(manifest: &Manifest) -> Vec<String> {
    let transfer = &manifest.settings.transfer;
    transfer.notes(
        &manifest.fresh,
        manifest.trainable_parameters,
        manifest.parameters,
    )
}

/// The head's parameters, where they learn at a rate of their own.
fn head(network: &Network, settings: &Settings) -> Option<HeadRate> {
    let lr = settings.optimizer.head_lr;
    let head = format!("{}.", network.head());
    (lr > 0.0).then(|| HeadRate {
        parameters: select(network, |name| name.starts_with(&head)),
        lr,
    })
}

/// Writes what is known before the first step.
pub(crate) fn begin(folder: &RunFolder, manifest: &Manifest) -> Result<(), LabError> {
    let config = toml::to_string(&manifest.settings).map_err(LabError::run)?;
    folder.write("config.toml", config.as_bytes())?;
    folder.write_manifest(manifest)?;
    folder.log(&format!("started: {}", manifest.arguments.join(" ")))?;
    folder.log(&format!(
        "{} ({} parameters) on {} ({}): {} training and {} validation images; {}",
        manifest.settings.model.name,
        manifest.parameters,
        manifest.settings.data.dataset,
        manifest.source.note,
        manifest.train_images,
        manifest.val_images,
        manifest.device
    ))?;
    folder.make_latest()
}

/// Saves the resulting weights and completes the manifest.
fn finish(
    outcome: Outcome<Network>,
    initial: Network,
    folder: &RunFolder,
    seconds: f64,
    manifest: &mut Manifest,
) -> Result<(), LabError> {
    let monitor = manifest.settings.early_stop.monitor;
    let best = monitor.best(&outcome.epochs).cloned();
    let index = read_index(folder.path())?;
    let result = match &index.best {
        Some(best) => {
            let file = folder
                .path()
                .join("checkpoints")
                .join(best)
                .join(CHECKPOINT_MODEL);
            load_checkpoint_weights(initial, &file)?
        }
        None => outcome.network.clone(),
    };
    let weights = StateDict::of(&result)?;
    if let Some(best) = &index.best {
        let checkpoint = folder.path().join("checkpoints").join(best);
        if read_state(&checkpoint)?.weights_sha256 != weights.sha256() {
            return Err(LabError::data(format!(
                "the weights in {} are not what was written; bring them back and resume, or train again",
                checkpoint.display()
            )));
        }
    }
    folder.write(MODEL_FILE, &weights.to_bytes()?)?;
    manifest.status = match outcome.reason {
        StopReason::Completed | StopReason::EarlyStopped => Status::Completed,
        StopReason::Interrupted => Status::Interrupted,
    };
    manifest.weights_sha256 = Some(weights.sha256());
    manifest.result = Some(RunResult {
        steps: outcome.steps,
        epochs: outcome.epochs.len(),
        early_stop: outcome.early_stop,
        best,
        last: outcome.epochs.last().cloned(),
        last_weights_sha256: weights_sha256(&outcome.network)?,
        seconds,
        phases: outcome.phases,
        peak_memory_bytes: peak_memory_bytes(),
    });
    Ok(())
}

/// `20261121-101500-lenet-mnist`, with a word of the user's at the end.
pub(crate) fn folder_name(
    settings: &Settings,
    name: &Option<String>,
    started: &jiff::Zoned,
) -> String {
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
        plain_name(&settings.model.name),
        plain_name(dataset)
    );
    if let Some(name) = name {
        let _ = write!(folder, "-{}", plain_name(name));
    }
    folder
}
