//! The images of a run: which data set, which of its images, in which form.

use crate::{HeldOut, LabError, Settings, sampling::sampled};
use kiln_catalog::{Choice, FolderOptions};
use kiln_models::{Row, Task};
use kiln_store::{Store, sha256_hex};
use kiln_training::Feed;
use kiln_vision::{
    BatchOrder, ImageSpec, Images, Loaded, Look, Mixing, Normalization, Part, Source, SourceFile,
    Subset, limit, train_val_split,
};
use std::sync::Arc;

/// A data set that was named, or the first of the model's that is to be had.
pub(crate) struct PickedSet {
    /// Its name, with the whole path of a folder.
    pub name: String,
    /// Says which was taken when none was named.
    pub note: Option<String>,
}

/// Finds the data set of a run, fetching it where that is needed and possible.
/// A named set is never replaced by another.
pub(crate) fn pick_dataset(
    name: Option<&str>,
    model: &Row,
    store: &Store,
) -> Result<PickedSet, LabError> {
    if name == Some(NO_DATASET) {
        return Err(LabError::usage(
            "the weights were imported without a data set; name one with --dataset",
        ));
    }
    if let Some(name) = name {
        let choice = kiln_catalog::find(name)?;
        if !choice.is_ready(store) && choice.can_fetch() {
            kiln_catalog::fetch(&choice, store)?;
        }
        let name = located_name(name)?;
        return Ok(PickedSet { name, note: None });
    }
    let mut absent: Vec<String> = Vec::new();
    for name in model.form.datasets() {
        let choice = kiln_catalog::find(name)?;
        let had = match choice.is_ready(store) {
            true => Ok(()),
            false => kiln_catalog::fetch(&choice, store),
        };
        match had {
            Ok(()) => {}
            Err(error) if error.is_data() => {
                absent.push(format!("{name} is not there and could not be fetched"));
                continue;
            }
            // A full disk is no reason to train on something else.
            Err(error) => return Err(error.into()),
        }
        let why = match absent.is_empty() {
            true => String::new(),
            false => format!(", because {}", absent.join(" and ")),
        };
        return Ok(PickedSet {
            name: choice.name(),
            note: Some(format!("training on {name}{why}; --dataset names another")),
        });
    }
    Err(LabError::usage(format!(
        "none of the data sets of {} is there; name one with --dataset",
        model.name
    )))
}

/// The full name of the data set `name`, with the whole path of a folder: the
/// run must find it again from anywhere.
pub(crate) fn located_name(name: &str) -> Result<String, LabError> {
    Ok(match kiln_catalog::find(name)? {
        Choice::Folder(path) => {
            let path = std::fs::canonicalize(&path).unwrap_or(path);
            Choice::Folder(path).name()
        }
        choice => choice.name(),
    })
}

/// The training half of a data set, divided and normalised.
pub(crate) struct TrainingData {
    pub train: Feed,
    pub valid: Feed,
    pub classes: Vec<String>,
    pub input: ImageSpec,
    pub source: Source,
}

impl TrainingData {
    /// What a network for these images is made for.
    pub fn task(&self, settings: &Settings) -> Task {
        Task {
            input: self.input,
            classes: settings.regularization.outputs(self.classes.len()),
        }
    }
}

/// Stands for the data set of imported weights that come without one.
pub(crate) const NO_DATASET: &str = "none";

/// Loads one half of a run's data set.
pub(crate) fn load(settings: &Settings, part: Part, store: &Store) -> Result<Loaded, LabError> {
    if settings.data.dataset == NO_DATASET {
        return Err(LabError::usage(
            "the run was imported without a data set; import the weights again with --dataset",
        ));
    }
    let choice = kiln_catalog::find(&settings.data.dataset)?;
    let folder = FolderOptions {
        input: settings.data.input_spec()?,
        seed: settings.data.split_seed,
    };
    let mut loaded = kiln_catalog::load(&choice, part, store, &folder)?;
    if loaded.source.files.is_empty() {
        // Drawn images have no file; their bytes are named all the same.
        let bytes = loaded.images.bytes();
        loaded.source.files.push(SourceFile {
            name: format!("{part:?} images").to_lowercase(),
            bytes: bytes.len() as u64,
            sha256: sha256_hex(bytes),
        });
    }
    let pixels = settings.data.pixels;
    loaded.images = pixels.arranged(loaded.images);
    loaded.validation = loaded.validation.map(|images| pixels.arranged(images));
    Ok(loaded)
}

/// Loads and divides the training half.
pub(crate) fn training_data(settings: &Settings, store: &Store) -> Result<TrainingData, LabError> {
    let loaded = load(settings, Part::Training, store)?;
    let wanted = settings.data.classes;
    if wanted > 0 && wanted != loaded.classes.len() {
        return Err(LabError::usage(format!(
            "data.classes is {wanted}, but {} has {} classes",
            settings.data.dataset,
            loaded.classes.len()
        )));
    }
    let found = loaded.images.spec();
    if let Some(input) = settings.data.input_spec()?.filter(|input| *input != found) {
        return Err(LabError::usage(format!(
            "data.input is {input}, but the images of {} are {found}; only a folder of pictures can be brought to a shape",
            settings.data.dataset
        )));
    }
    let look = kiln_catalog::find(&settings.data.dataset)?.look();
    let augment = settings.data.augmentation()?.pipeline(look, found);
    let augment = augment.map_err(|error| {
        LabError::usage(format!(
            "data.augment is {} for {}: {error}",
            settings.data.augment, settings.data.dataset
        ))
    })?;
    let regularization = &settings.regularization;
    if regularization.parity > 0.0 && look != Look::Digits {
        return Err(LabError::usage(format!(
            "regularization.parity is {}, but the classes of {} are no digits, which are even or odd; leave it at 0",
            regularization.parity, settings.data.dataset
        )));
    }
    let mixing = Mixing::new(regularization.mixup, regularization.cutmix)
        .map_err(|error| LabError::usage(format!("regularization.{error}")))?;
    let images = Arc::new(loaded.images);
    let own_validation = loaded.validation.map(Arc::new);
    let division = divide(settings, &images, own_validation.as_deref())?;
    let batch_size = settings.train.batch_size;
    // The recipe's own size is nobody's mistake; it makes one short batch.
    if batch_size > division.train.len().max(Settings::BATCH_SIZE) {
        return Err(LabError::usage(format!(
            "train.batch_size is {batch_size}, but there are only {} training images",
            division.train.len()
        )));
    }
    let normalization = Normalization::fit(settings.data.preprocessing, &images, &division.train);
    let feed = |images: &Arc<Images>, indices, shuffle, drop_last| Feed {
        images: images.clone(),
        normalization: normalization.clone(),
        indices,
        order: BatchOrder {
            batch_size,
            shuffle,
            drop_last,
        },
        augment: None,
        mixing: None,
        noise: None,
        workers: settings.train.workers,
    };
    let valid_images = own_validation.as_ref().unwrap_or(&images);
    let data = TrainingData {
        input: images.spec(),
        classes: loaded.classes,
        source: loaded.source,
        train: Feed {
            augment,
            mixing,
            noise: Some(regularization.input_noise as f32).filter(|noise| *noise > 0.0),
            ..feed(
                &images,
                division.train,
                Some(settings.train.seed),
                settings.train.drop_last,
            )
        },
        valid: feed(valid_images, division.valid, None, false),
    };
    sampled(settings, data)
}

/// The first `count` training images of a run as its network is shown them, but
/// for augmentation, and what makes numbers of them.
///
/// # Errors
/// When the data set is not there or the settings do not fit it.
pub fn first_images(
    settings: &Settings,
    count: usize,
    store: &Store,
) -> Result<(Images, Normalization), LabError> {
    let data = training_data(settings, store)?;
    let all = &data.train.images;
    let indices = data.train.indices.iter().take(count);
    let indices = indices.map(|index| *index as usize);
    let pixels = indices.clone().flat_map(|index| all.pixels(index)).copied();
    let labels = indices.map(|index| all.label(index));
    let images = Images::new(
        data.input,
        pixels.collect(),
        labels.collect(),
        data.classes.len(),
    );
    Ok((images.map_err(LabError::run)?, data.train.normalization))
}

struct Division {
    train: Vec<u32>,
    valid: Vec<u32>,
}

/// Which images train and which validate: a function of the labels and the
/// settings.
fn divide(
    settings: &Settings,
    images: &Images,
    own_validation: Option<&Images>,
) -> Result<Division, LabError> {
    let data = &settings.data;
    let everything = |images: &Images| (0..images.len() as u32).collect::<Vec<u32>>();
    let held_out = match (data.val_split, own_validation) {
        (HeldOut::Nothing, _) | (HeldOut::Auto, Some(_)) => None,
        (HeldOut::Auto, None) => Some(protocol(settings)?),
        (HeldOut::Some(_), Some(_)) => {
            return Err(LabError::usage(
                "data.val_split is set, but this data set has a validation folder of its own; leave it at auto",
            ));
        }
        (HeldOut::Some(subset), None) => Some(subset),
    };
    let (train, valid) = match held_out {
        Some(subset) => train_val_split(images.labels(), subset, data.split_seed)?,
        None => {
            let valid = own_validation.filter(|_| data.val_split != HeldOut::Nothing);
            (
                everything(images),
                valid.map(everything).unwrap_or_default(),
            )
        }
    };
    let limited = |indices: Vec<u32>, images: &Images, text: &str, what| match data.limit(text)? {
        Some(subset) if !indices.is_empty() => Ok::<_, LabError>(limit(
            &indices,
            images.labels(),
            subset,
            data.split_seed,
            what,
        )?),
        _ => Ok(indices),
    };
    Ok(Division {
        train: limited(train, images, &data.limit_train, "training")?,
        valid: limited(
            valid,
            own_validation.unwrap_or(images),
            &data.limit_val,
            "validation",
        )?,
    })
}

/// What the data set's protocol holds out: 5,000 of MNIST and CIFAR-10, a
/// tenth of a folder.
fn protocol(settings: &Settings) -> Result<Subset, LabError> {
    let choice = kiln_catalog::find(&settings.data.dataset)?;
    Ok(match choice.row() {
        Some(row) if choice.name() == row.name => Subset::Count(row.validation),
        Some(row) => Subset::Share(row.validation as f64 / row.train as f64),
        None => Subset::Share(0.1),
    })
}
