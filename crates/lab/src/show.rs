//! Images of a data set on one sheet, as a training would see them.

use crate::{LabError, check_output};
use kiln_catalog::FolderOptions;
use kiln_store::{Store, atomic_write};
use kiln_vision::{
    Augmentation, EpochKey, ImageKey, ImageSpec, Images, Part, Scratch, Sheet, Subset, limit,
};
use std::path::PathBuf;

/// The most images on a sheet.
const MOST: usize = 10_000;

/// What to show.
pub struct ShowRequest {
    /// The data set.
    pub dataset: String,
    /// Which half of it.
    pub part: Part,
    /// Shape that the pictures of a folder are brought to.
    pub input: Option<ImageSpec>,
    /// What is done to the images.
    pub augment: Augmentation,
    /// How many images.
    pub count: usize,
    /// One image, from epoch to epoch, instead of several.
    pub index: Option<u32>,
    /// Seed of the choice and of what is done.
    pub seed: u64,
    /// The epoch, or the first of them.
    pub epoch: u64,
    /// The PNG file; by default named after the data set, here.
    pub output: Option<PathBuf>,
    /// Whether a file that is there is replaced.
    pub replace: bool,
}

/// What was shown.
pub struct Shown {
    /// The file.
    pub output: PathBuf,
    /// Images on it.
    pub count: usize,
    /// The operations that were done to them, if any.
    pub pipeline: Option<String>,
}

/// Writes a sheet of images, downloading them where that is needed and
/// possible.
///
/// # Errors
/// When there is no such data set, image or operation, or the file cannot be
/// written.
pub fn show(request: &ShowRequest, store: &Store) -> Result<Shown, LabError> {
    if !(1..=MOST).contains(&request.count) {
        return Err(LabError::usage(format!(
            "--count is {}, but it must be from 1 to {MOST}",
            request.count
        )));
    }
    let choice = kiln_catalog::find(&request.dataset)?;
    let output = request
        .output
        .clone()
        .unwrap_or_else(|| format!("{}.png", file_stem(&choice.name())).into());
    check_output(("--output", &output), request.replace, &[])?;
    if !choice.is_ready(store) && choice.can_fetch() {
        kiln_catalog::fetch(&choice, store)?;
    }
    let folder = FolderOptions {
        input: request.input,
        seed: request.seed,
    };
    let images = kiln_catalog::load(&choice, request.part, store, &folder)?.images;
    let spec = images.spec();
    let pipeline = request.augment.pipeline(choice.look(), spec);
    let pipeline = pipeline.map_err(|error| {
        LabError::usage(format!(
            "--augment is {} for {}: {error}",
            request.augment, request.dataset
        ))
    })?;
    let mut scratch = Scratch::default();
    let sheet = keys(request, &images)?.into_iter().map(|key| {
        let mut pixels = images.pixels(key.index as usize).to_vec();
        if let Some(pipeline) = &pipeline {
            pipeline.apply(&mut pixels, spec, key, &mut scratch);
        }
        pixels
    });
    let sheet: Vec<_> = sheet.collect();
    let count = sheet.len();
    let png = Sheet::new(spec, sheet).png().map_err(LabError::run)?;
    atomic_write(&output, &png).map_err(|error| LabError::io("writing", &output, &error))?;
    Ok(Shown {
        output,
        count,
        pipeline: pipeline.map(|pipeline| pipeline.to_string()),
    })
}

/// Which images, and in which epoch each.
fn keys(request: &ShowRequest, images: &Images) -> Result<Vec<ImageKey>, LabError> {
    let key = |index, later| ImageKey {
        epoch: EpochKey {
            seed: request.seed,
            epoch: request.epoch.saturating_add(later),
        },
        index,
    };
    match request.index {
        Some(index) if index as usize >= images.len() => Err(LabError::usage(format!(
            "--index is {index}, but the images are 0 to {}",
            images.len().saturating_sub(1)
        ))),
        Some(index) => Ok((0..request.count as u64)
            .map(|later| key(index, later))
            .collect()),
        None => {
            let all: Vec<u32> = (0..images.len() as u32).collect();
            let count = Subset::Count(request.count.min(all.len()));
            let indices = limit(&all, images.labels(), count, request.seed, "shown")?;
            Ok(indices.into_iter().map(|index| key(index, 0)).collect())
        }
    }
}

/// A name for a file from a data set's: the last part of a path, and no colon.
fn file_stem(dataset: &str) -> String {
    let parts = dataset.split(['/', '\\', ':']).map(str::trim);
    let named = parts
        .rev()
        .find(|part| !part.is_empty() && !part.starts_with('.'));
    match dataset.split_once(':') {
        Some(("folder", _)) => named.unwrap_or("folder").to_owned(),
        _ => dataset.replace(':', "-"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::path::Path;

    fn request(output: PathBuf) -> ShowRequest {
        ShowRequest {
            dataset: "digits:200".to_owned(),
            part: Part::Training,
            input: None,
            augment: Augmentation::None,
            count: 9,
            index: None,
            seed: 1,
            epoch: 1,
            output: Some(output),
            replace: true,
        }
    }

    #[test]
    fn a_sheet_shows_what_was_asked_for() {
        let folder = std::env::temp_dir().join(format!("kiln-show-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::locate(Some(Path::new("/nonexistent")), true).unwrap();
        let sheet = |change: fn(&mut ShowRequest)| {
            let mut request = request(folder.join("sheet.png"));
            change(&mut request);
            let shown = show(&request, &store)?;
            Ok::<_, LabError>((std::fs::read(&shown.output).unwrap(), shown))
        };
        let (plain, shown) = sheet(|_| ()).unwrap();
        assert_eq!((shown.count, shown.pipeline), (9, None));
        let (again, _) = sheet(|request| request.epoch = 5).unwrap();
        assert_eq!(plain, again);
        let (basic, shown) = sheet(|request| request.augment = Augmentation::Basic).unwrap();
        assert_ne!(plain, basic);
        assert!(shown.pipeline.unwrap().contains("rotate:"));
        type Change = fn(&mut ShowRequest);
        let refusals: [(Change, &str); 4] = [
            (|r| r.count = 0, "--count is 0"),
            (|r| r.index = Some(200), "the images are 0 to 199"),
            (
                |r| r.augment = "flip".parse().unwrap(),
                "--augment is flip for digits:200",
            ),
            (|r| r.replace = false, "--force"),
        ];
        for (change, words) in refusals {
            let error = sheet(change).err().unwrap();
            assert!(error.to_string().contains(words), "{error}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_sheet_is_named_after_its_data_set() {
        for (dataset, stem) in [
            ("mnist", "mnist"),
            ("digits:50", "digits-50"),
            ("folder:a/photos/", "photos"),
            ("folder:..", "folder"),
        ] {
            assert_eq!(file_stem(dataset), stem);
        }
    }
}
