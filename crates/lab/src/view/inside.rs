//! A trained network that is looked at, the image that it is shown, and the
//! images that it is judged by.

use super::{
    NotDrawn,
    layers::{Group, groups},
};
use crate::{
    CheckpointName, EvalSplit, LabError, Manifest, RunFolder,
    data::NO_DATASET,
    evaluate::{images_of, trained},
};
use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData, activation::softmax},
};
use kiln_kernels::work_on;
use kiln_models::{LayerSummary, Network, Step, summarize};
use kiln_store::Store;
use kiln_training::{Evaluation, Feed, Views, class_scores, evaluate_and_keep};
use kiln_vision::{Invert, read_picture};
use std::{cell::OnceCell, path::PathBuf};

/// Images at a time.
const BATCH: usize = 250;

/// The image that a network is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageChoice {
    /// One of the split, from 0.
    Index(usize),
    /// A picture file.
    File(PathBuf),
}

impl From<&str> for ImageChoice {
    /// A number is an index, anything else a file.
    fn from(text: &str) -> Self {
        match text.parse() {
            Ok(index) => Self::Index(index),
            Err(_) => Self::File(text.into()),
        }
    }
}

/// What is looked at.
pub struct ViewRequest {
    /// The images that the network is judged by.
    pub split: EvalSplit,
    /// The weights.
    pub checkpoint: CheckpointName,
    /// Backend instead of the run's.
    pub backend: Option<String>,
    /// The image that it is shown; the first of the split by default.
    pub image: Option<ImageChoice>,
    /// Whether a picture file is inverted.
    pub invert: Invert,
    /// The class whose score is explained; by default the one that is
    /// predicted.
    pub class: Option<String>,
    /// The layer that is looked at, where a figure shows one.
    pub layer: Option<String>,
}

/// An image that a network is shown, and what the network says.
pub struct ShownImage {
    /// What it is, as `Image 7 of the test images`, or the name of a file.
    pub name: String,
    /// Its bytes in the order channel, row, column.
    pub pixels: Vec<u8>,
    /// The same normalised.
    pub values: Vec<f32>,
    /// Its class, where it is known.
    pub label: Option<usize>,
    /// The probability of every class.
    pub probabilities: Vec<f32>,
    /// The most probable class.
    pub predicted: usize,
}

/// What the network says of all images of the split.
pub struct Judged {
    /// Counted.
    pub evaluation: Evaluation,
    /// The probabilities `[images, classes]`.
    pub probabilities: Vec<f32>,
}

/// A trained network, opened. Images and predictions are loaded and computed
/// when they are first looked at, and kept.
pub struct Inside<'a> {
    /// What is known of the run.
    pub manifest: Manifest,
    /// The network with its weights.
    pub network: Network,
    /// Its layers in the order of computing.
    pub layers: Vec<LayerSummary>,
    pub(super) steps: Vec<Step>,
    pub(super) groups: Vec<Group>,
    /// The layer that was asked for, by number.
    pub(super) layer: Option<usize>,
    class: Option<usize>,
    device: Device,
    store: &'a Store,
    pub(super) request: ViewRequest,
    training_steps: usize,
    feed: OnceCell<Feed>,
    shown: OnceCell<ShownImage>,
    judged: OnceCell<Judged>,
}

impl<'a> Inside<'a> {
    /// Opens a run.
    ///
    /// # Errors
    /// When the run or its weights cannot be read, or the request names a
    /// class, a layer or an image that there is not.
    pub fn open(
        folder: &RunFolder,
        request: ViewRequest,
        store: &'a Store,
    ) -> Result<Self, LabError> {
        let manifest = folder.manifest()?;
        let backend = &manifest.settings.device.backend;
        let backend = request.backend.as_ref().unwrap_or(backend);
        let device = kiln_backend::open(&backend.parse()?)?;
        let trained = trained(folder, request.checkpoint)?;
        let model = &manifest.settings.model.name;
        let task = manifest.task();
        let steps = trained.network.steps(task.input).map_err(LabError::run)?;
        let summary = summarize(model, &trained.network, &task).map_err(LabError::run)?;
        let layers = summary.layers;
        let class = request.class.as_deref();
        let class = class.map(|name| named("class", name, &manifest.classes));
        let names: Vec<_> = layers.iter().map(|layer| layer.name.clone()).collect();
        let layer = request.layer.as_deref();
        let layer = layer.map(|name| named("layer", name, &names));
        let inside = Self {
            class: class.transpose()?,
            layer: layer.transpose()?,
            groups: groups(&layers),
            network: trained.network.fork(&device),
            training_steps: trained.step,
            manifest,
            layers,
            steps,
            device,
            store,
            request,
            feed: OnceCell::new(),
            shown: OnceCell::new(),
            judged: OnceCell::new(),
        };
        match (inside.request.image.is_some(), inside.shown()) {
            (true, Err(NotDrawn::Failed(error))) => Err(error),
            (true, Err(NotDrawn::Nothing(sentence))) => Err(LabError::usage(sentence)),
            _ => Ok(inside),
        }
    }

    /// The image that the network is shown.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn shown(&self) -> Result<&ShownImage, NotDrawn> {
        if let Some(shown) = self.shown.get() {
            return Ok(shown);
        }
        let shown = self.show()?;
        Ok(self.shown.get_or_init(|| shown))
    }

    fn show(&self) -> Result<ShownImage, NotDrawn> {
        let first = ImageChoice::Index(0);
        let (name, pixels, label) = match self.request.image.as_ref().unwrap_or(&first) {
            ImageChoice::File(path) => {
                let pixels = read_picture(path, self.manifest.input, self.request.invert);
                let name = path.file_name().unwrap_or_default();
                let pixels = self.manifest.arranged(&pixels.map_err(LabError::data)?);
                (name.to_string_lossy().into_owned(), pixels, None)
            }
            ImageChoice::Index(index) => {
                let feed = self.feed()?;
                let Some(&at) = feed.indices.get(*index) else {
                    return Err(NotDrawn::Failed(LabError::usage(format!(
                        "--image is {index}, but the {} images are 0 to {}",
                        self.request.split,
                        feed.indices.len() - 1
                    ))));
                };
                let name = format!("Image {index} of the {} images", self.request.split);
                let pixels = feed.images.pixels(at as usize).to_vec();
                (name, pixels, Some(feed.images.label(at as usize).into()))
            }
        };
        let mut values = Vec::new();
        self.manifest.normalization.append(&pixels, &mut values);
        let probabilities = self.probabilities(&values)?;
        Ok(ShownImage {
            name,
            pixels,
            values,
            label,
            predicted: ranked(&probabilities)[0],
            probabilities,
        })
    }

    /// The images that the network is judged by.
    ///
    /// # Errors
    /// When they are not there.
    pub fn feed(&self) -> Result<&Feed, NotDrawn> {
        if let Some(feed) = self.feed.get() {
            return Ok(feed);
        }
        if self.manifest.settings.data.dataset == NO_DATASET {
            return Err(NotDrawn::nothing(format!(
                "the run {} was imported without a data set; name a picture with --image for figures of one image, or import the weights again with --dataset",
                self.manifest.run
            )));
        }
        let (feed, _) = images_of(&self.manifest, self.request.split, BATCH, self.store)?;
        Ok(self.feed.get_or_init(|| feed))
    }

    /// What the network says of all of them.
    ///
    /// # Errors
    /// When the images are not there or the backend fails.
    pub fn judged(&self) -> Result<&Judged, NotDrawn> {
        if let Some(judged) = self.judged.get() {
            return Ok(judged);
        }
        let (evaluation, probabilities) = evaluate_and_keep(
            &self.network,
            Network::forward,
            self.feed()?,
            self.manifest.classes.len(),
            &self.device,
            Views::of_level(0, false),
        )
        .map_err(LabError::run)?;
        Ok(self.judged.get_or_init(|| Judged {
            evaluation,
            probabilities,
        }))
    }

    /// The probabilities `[images, classes]` of normalised images.
    pub(super) fn probabilities(&self, values: &[f32]) -> Result<Vec<f32>, LabError> {
        let classes = self.manifest.classes.len();
        let mut probabilities = Vec::new();
        for values in values.chunks(BATCH * self.manifest.input.len()) {
            let images = self.tensor(values.to_vec());
            let scores = self.work(|network| class_scores(network.forward(images), classes));
            let found = softmax(scores, 1).try_into_data().map_err(LabError::run)?;
            probabilities.extend(found.iter::<f32>());
        }
        Ok(probabilities)
    }

    /// Normalised images on the device.
    pub(super) fn tensor(&self, values: Vec<f32>) -> Tensor<4> {
        let input = self.manifest.input;
        let count = values.len() / input.len();
        let shape = [count, input.channels, input.height, input.width];
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    /// Computes with the network on its device.
    pub(super) fn work<R: Send>(&self, work: impl FnOnce(&Network) -> R + Send) -> R {
        let network = &self.network;
        work_on(&self.device, || work(network))
    }

    /// The class whose score is explained: the one that was asked for, or the
    /// one that is predicted.
    pub(super) fn class(&self) -> Result<usize, NotDrawn> {
        Ok(match self.class {
            Some(class) => class,
            None => self.shown()?.predicted,
        })
    }

    /// A title with what it is about.
    pub(super) fn title(&self, what: &str) -> String {
        let settings = &self.manifest.settings;
        format!(
            "{what}: {} on {}",
            settings.model.name, settings.data.dataset
        )
    }

    /// Says which weights they are.
    pub(super) fn weights_note(&self) -> String {
        format!(
            "Run {}, {} weights, step {}.",
            self.manifest.run, self.request.checkpoint, self.training_steps
        )
    }

    /// Says which image it is, what the network says of it, and which network.
    pub(super) fn image_notes(&self) -> Result<Vec<String>, NotDrawn> {
        let shown = self.shown()?;
        let said = |class: usize| {
            let name = &self.manifest.classes[class];
            format!("{name} ({})", percent(shown.probabilities[class].into()))
        };
        let ranked = ranked(&shown.probabilities);
        let true_class = shown.label.map(|label| {
            let name = &self.manifest.classes[label];
            format!(", true class {name}")
        });
        let image = format!(
            "{}{}; predicted {}, then {}.",
            shown.name,
            true_class.unwrap_or_default(),
            said(ranked[0]),
            said(ranked[1]),
        );
        Ok(vec![image, self.weights_note()])
    }

    /// Says which images they are.
    pub(super) fn split_note(&self) -> Result<String, NotDrawn> {
        let count = self.feed()?.indices.len();
        let split = self.request.split;
        Ok(format!("{count} {split} images. {}", self.weights_note()))
    }
}

/// The place of a name that was typed.
fn named(what: &str, name: &str, known: &[String]) -> Result<usize, LabError> {
    let found = known.iter().position(|known| known == name);
    found.ok_or_else(|| {
        let near = kiln_names::suggestion(name, known.iter().map(String::as_str));
        const SHOWN: usize = 40;
        let mut all = known
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if known.len() > SHOWN {
            all += " ...";
        }
        let near = near.trim_end_matches('?');
        LabError::usage(format!(
            "there is no {what} '{name}'{near}; there are {all}"
        ))
    })
}

/// The classes, the most probable first; of equal ones the first.
pub(super) fn ranked(probabilities: &[f32]) -> Vec<usize> {
    let mut classes: Vec<_> = (0..probabilities.len()).collect();
    classes.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    classes
}

/// A share as a percentage: `98.7 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_there_are_answered_with_those_that_are() {
        let known = ["conv1", "relu1", "conv2"].map(str::to_owned);
        assert_eq!(named("layer", "conv2", &known), Ok(2));
        let error = named("layer", "conv3", &known)
            .expect_err("unknown")
            .to_string();
        assert!(
            error.starts_with("there is no layer 'conv3', did you mean 'conv"),
            "{error}"
        );
        assert!(error.ends_with("there are conv1, relu1, conv2"), "{error}");
    }

    #[test]
    fn a_number_is_an_index_and_anything_else_a_file() {
        assert_eq!(ImageChoice::from("7"), ImageChoice::Index(7));
        assert_eq!(
            ImageChoice::from("7.png"),
            ImageChoice::File("7.png".into())
        );
        assert_eq!(ImageChoice::from("-1"), ImageChoice::File("-1".into()));
    }

    #[test]
    fn classes_are_ranked_and_ties_stay_in_order() {
        assert_eq!(ranked(&[0.2, 0.4, 0.0, 0.4]), [1, 3, 0, 2]);
        assert_eq!(percent(0.98765), "98.8 %");
    }
}
