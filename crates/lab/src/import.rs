//! Weights from elsewhere as a run folder.

use crate::{
    LabError, Machine, Manifest, ModelSettings, RunFolder, Settings, Status,
    data::{NO_DATASET, training_data},
    execute::{begin, folder_name},
    network::lazy_network,
    run_folder::MODEL_FILE,
};
use burn::module::Module;
use kiln_models::{Form, Task, parameters};
use kiln_store::Store;
use kiln_training::save_weights;
use kiln_vision::{ImageSpec, Normalization, Preprocessing, Source};
use kiln_weights::{StateDict, load_weights};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Mean and standard deviation of ImageNet's channels in [0, 1], as every
/// weight file of torchvision expects them.
const IMAGENET: [[f32; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];

/// What an import needs beside its settings.
pub struct ImportContext {
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
    /// Who is told which classes and normalisation were assumed.
    pub note: fn(&str),
}

/// What is known of the images that imported weights were trained on.
struct Origin {
    task: Task,
    classes: Vec<String>,
    normalization: Normalization,
    source: Source,
    images: [usize; 2],
    /// Where classes and normalisation are from, for a person.
    from: String,
}

/// Makes a run folder of a weight file. With a data set, its classes and its
/// normalisation are that set's, as a training with the same settings would
/// have them; without one the classes are numbers, and `task` says how many.
/// Weights that lie in a run folder keep that run's.
///
/// # Errors
/// When the weights are not those of the network, or data or disk fail.
pub fn import(
    settings: &Settings,
    task: Option<Task>,
    weights: &Path,
    context: ImportContext,
) -> Result<RunFolder, LabError> {
    let mut settings = settings.clone();
    let origin = match run_of(weights) {
        Some(run) => of_run(&mut settings, task, run, &context.store)?,
        None => origin(&settings, task, &context.store)?,
    };
    let network = load_weights(lazy_network(&settings.model, &origin.task)?, weights)?;
    let weights = StateDict::of(&network)?;
    let fingerprint = weights.sha256();
    let started = jiff::Zoned::now();
    let name = folder_name(&settings, &context.name, &started);
    let folder = RunFolder::create(&context.output_dir, &name)?;
    // So that a training with this configuration starts from the weights.
    settings.transfer.weights = result_of(&folder);
    let assumed = assumed(&origin);
    let manifest = Manifest {
        run: folder.name(),
        status: Status::Imported,
        error: None,
        diverged: false,
        arguments: context.arguments,
        settings,
        input: origin.task.input,
        classes: origin.classes,
        parameters: parameters(&network),
        trainable_parameters: parameters(&network),
        fresh: Vec::new(),
        train_images: origin.images[0],
        val_images: origin.images[1],
        source: origin.source,
        normalization: origin.normalization,
        device: "none: the weights were imported".to_owned(),
        machine: Machine::here(context.revision.as_deref()),
        finished: Some(started.clone()),
        resumed: Vec::new(),
        lengthened: Vec::new(),
        started,
        weights_sha256: Some(fingerprint.clone()),
        result: None,
    };
    let written = folder
        .write(MODEL_FILE, &weights.to_bytes()?)
        .and_then(|()| {
            Ok(save_weights(
                folder.path(),
                network.into_record(),
                fingerprint,
            )?)
        })
        .and_then(|()| begin(&folder, &manifest))
        .and_then(|()| folder.log(&assumed));
    if let Err(error) = written {
        // Half a run would be nobody's.
        let _ = fs::remove_dir_all(folder.path());
        return Err(error);
    }
    (context.note)(&assumed);
    Ok(folder)
}

/// The whole path of a run's weights.
fn result_of(folder: &RunFolder) -> String {
    let place = fs::canonicalize(folder.path()).unwrap_or_else(|_| folder.path().to_owned());
    place.join(MODEL_FILE).display().to_string()
}

/// The run that a weight file is the result of: its folder has a manifest.
pub fn run_of(weights: &Path) -> Option<Manifest> {
    let weights = fs::canonicalize(weights).ok()?;
    let is_result = weights.file_name().is_some_and(|name| name == MODEL_FILE);
    let text = fs::read(weights.parent()?.join("run.json")).ok()?;
    is_result.then(|| serde_json::from_slice(&text).ok())?
}

/// What the run that the weights lie in knows of its images; `settings` get
/// its data set where they name none.
fn of_run(
    settings: &mut Settings,
    task: Option<Task>,
    run: Manifest,
    store: &Store,
) -> Result<Origin, LabError> {
    let named = settings.data.dataset != NO_DATASET;
    let mut origin = match named {
        true => origin(settings, task, store)?,
        false => Origin {
            task: task.unwrap_or_else(|| run.task()),
            classes: run.classes.clone(),
            normalization: run.normalization.clone(),
            source: run.source.clone(),
            images: [run.train_images, run.val_images],
            from: String::new(),
        },
    };
    if origin.task != run.task() || origin.classes != run.classes {
        let shape = |task: Task| format!("{} classes of {}", task.classes, task.input);
        let other = match named {
            true => format!("{} ({})", settings.data.dataset, shape(origin.task)),
            false => shape(origin.task),
        };
        return Err(LabError::usage(format!(
            "the weights are those of the run {} on {} ({}), not of {other}; leave --dataset, --input and --classes out, or copy the file out of the run folder",
            run.run,
            run.settings.data.dataset,
            shape(run.task()),
        )));
    }
    if !named {
        settings.data = run.settings.data;
    }
    origin.normalization = run.normalization;
    origin.from = format!("those of the run {}", run.run);
    Ok(origin)
}

/// Says which classes and normalisation an import took.
fn assumed(origin: &Origin) -> String {
    let list = |values: &[f32]| {
        let values = values.iter().map(|value| format!("{value:.4}"));
        values.collect::<Vec<_>>().join(" ")
    };
    let normalization = &origin.normalization;
    let numbers = match normalization.kind {
        Preprocessing::None => "pixels from 0 to 1".to_owned(),
        Preprocessing::MeanImage => "the mean image is taken away".to_owned(),
        _ => format!(
            "mean {}, std {}",
            list(&normalization.mean),
            list(&normalization.std)
        ),
    };
    format!("classes and normalisation are {}: {numbers}", origin.from)
}

fn origin(settings: &Settings, task: Option<Task>, store: &Store) -> Result<Origin, LabError> {
    if settings.data.dataset != NO_DATASET {
        let data = training_data(settings, store)?;
        return Ok(Origin {
            task: Task {
                input: data.input,
                classes: data.classes.len(),
            },
            classes: data.classes,
            images: [data.train.indices.len(), data.valid.indices.len()],
            normalization: data.train.normalization,
            source: data.source,
            from: format!("those of a training on {}", settings.data.dataset),
        });
    }
    let form = kiln_models::find(&settings.model.name)?.form;
    let task = task.unwrap_or_else(|| form.task());
    Ok(Origin {
        task,
        classes: (0..task.classes).map(|class| class.to_string()).collect(),
        images: [0, 0],
        normalization: usual(form, task.input),
        source: Source {
            official: false,
            note: "no data set was named".to_owned(),
            files: Vec::new(),
        },
        from: format!("numbers and the usual of {}", settings.model.name),
    })
}

/// ImageNet's normalisation for its networks, none for others.
fn usual(form: Form, input: ImageSpec) -> Normalization {
    match (form, input.channels) {
        (Form::ImageNet, 3) => Normalization {
            kind: Preprocessing::ChannelMeanStd,
            input,
            mean: IMAGENET[0].to_vec(),
            std: IMAGENET[1].to_vec(),
        },
        _ => Normalization {
            kind: Preprocessing::None,
            input,
            mean: vec![0.0; input.channels],
            std: vec![1.0; input.channels],
        },
    }
}

/// The settings of an import without a data set.
///
/// # Errors
/// Never for a network that [`chosen_model`](crate::chosen_model) gave.
pub fn without_data(model: ModelSettings) -> Result<Settings, LabError> {
    let mut settings = Settings::recipe(model, None)?;
    settings.data.dataset = NO_DATASET.to_owned();
    Ok(settings)
}
