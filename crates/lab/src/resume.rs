//! Going on with a run that was interrupted, as if it never had been.

use crate::{
    Context, LabError, Layers, Manifest, Report, RunFolder, Settings, Status,
    data::training_data,
    execute::{Start, begin, carry_out},
    keys::values,
    layers::{table, typed},
    manifest::Lengthened,
    network::{initial_network, lazy_network},
};
use kiln_training::find_resume;
use toml::{Table, Value};

/// Keys that may change when a run goes on.
const FREE: [&str; 3] = ["train.epochs", "train.workers", "train.checkpoint_every"];

/// The settings of a run that goes on: those of its manifest, with what was
/// typed of the few things that may change.
///
/// # Errors
/// Names what was typed and contradicts the manifest.
pub fn resumed_settings(manifest: &Manifest, layers: &Layers) -> Result<Settings, LabError> {
    let mut settings = table(&manifest.settings)?;
    let typed = typed(layers)?;
    for (section, key, value) in values(&typed) {
        let name = format!("{section}.{key}");
        let Some(Value::Table(section)) = settings.get_mut(section) else {
            continue;
        };
        let agrees = section
            .get(key)
            .is_some_and(|known| known == value || is_alias(&name, value, known));
        if agrees {
            continue;
        }
        if !FREE.contains(&name.as_str()) {
            let known = section
                .get(key)
                .map_or("not set".to_owned(), Value::to_string);
            return Err(LabError::usage(format!(
                "the run {} began with {name} {known}, not {value}; leave that out to go on with it, or train anew without --resume",
                manifest.run
            )));
        }
        section.insert(key.clone(), value.clone());
    }
    let settings: Settings =
        Table::try_into(settings).map_err(|error| LabError::usage(error.message().to_owned()))?;
    settings.check()?;
    Ok(settings)
}

/// Whether a name that was typed means the one that is known.
fn is_alias(name: &str, typed: &Value, known: &Value) -> bool {
    let (Some(typed), Some(known)) = (typed.as_str(), known.as_str()) else {
        return false;
    };
    match name {
        "model.name" => kiln_models::find(typed).is_ok_and(|row| row.name == known),
        "data.dataset" => kiln_catalog::find(typed).is_ok_and(|choice| choice.name() == known),
        _ => typed.eq_ignore_ascii_case(known),
    }
}

/// Goes on with a run in its own folder from its newest whole checkpoint, or
/// from the beginning where it has none. On flex the result is bit for bit
/// that of the uninterrupted run. A run that is done is given back as it is.
///
/// # Errors
/// When another process trains it, its data changed, no checkpoint is whole,
/// or the training fails.
pub fn resume(folder: RunFolder, settings: Settings, context: Context) -> Result<Report, LabError> {
    let _lock = folder.lock()?;
    let mut manifest = folder.manifest()?;
    if manifest.status == Status::Imported {
        return Err(LabError::usage(format!(
            "the weights of {} were imported, there is no training to go on with; start one from them with --weights {}",
            manifest.run, manifest.run
        )));
    }
    if manifest.status == Status::Completed
        && settings.train.epochs == manifest.settings.train.epochs
    {
        return Ok(Report { folder, manifest });
    }
    let result = manifest.result.as_ref();
    if let Some(why) = result.and_then(|result| result.early_stop.as_ref()) {
        return Err(LabError::usage(format!(
            "the run {} ended early, which more epochs do not change: {why}; train anew with more patience",
            manifest.run
        )));
    }
    let device = kiln_backend::open(&settings.device.backend.parse()?)?;
    let data = training_data(&settings, &context.store)?;
    if data.source != manifest.source || data.classes != manifest.classes {
        return Err(LabError::data(format!(
            "the images of {} are not those that {} was trained on; bring the data back as they were or train anew",
            settings.data.dataset, manifest.run
        )));
    }
    let (checkpoint, damaged) = find_resume(folder.path())?;
    let step = checkpoint.as_ref().map_or(0, |resume| resume.state.step);
    for cause in damaged {
        (context.note)(&format!("{cause}; going on from step {step} instead"));
    }
    let (network, resume) = match checkpoint {
        None => {
            let network =
                initial_network(&settings.model, &data.task(&settings), settings.train.seed)?;
            (settings.transfer.load(network)?.0, None)
        }
        Some(resume) => {
            let done = resume.state.epoch;
            if settings.train.epochs < done {
                return Err(LabError::usage(format!(
                    "train.epochs is {}, but the run {} has done {done} already",
                    settings.train.epochs, manifest.run
                )));
            }
            let network = || lazy_network(&settings.model, &data.task(&settings));
            let networks = resume.networks([network()?, network()?]);
            let (network, average) = networks?;
            (network, Some((resume, average)))
        }
    };
    let (network, _) = settings.transfer.freeze(network)?;
    if settings.train.epochs != manifest.settings.train.epochs && step > 0 {
        manifest.lengthened.push(Lengthened {
            epochs: manifest.settings.train.epochs,
            step,
        });
    }
    manifest.settings = settings;
    manifest.status = Status::Running;
    manifest.error = None;
    manifest.diverged = false;
    manifest.finished = None;
    manifest.resumed.push(step);
    begin(&folder, &manifest)?;
    (context.note)(&match step {
        0 => format!("{} has no checkpoint yet and starts again", manifest.run),
        step => format!("going on with {} after step {step}", manifest.run),
    });
    let start = Start { network, resume };
    carry_out(start, (data, &device), folder, manifest, context)
}
