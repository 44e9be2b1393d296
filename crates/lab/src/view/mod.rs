//! Looking inside a trained network: one file for each kind of figure, which
//! gives the figure itself; [`draw`] makes a file of it.

mod cam;
mod confusion;
mod errors;
mod exemplars;
mod filters;
mod fixed;
mod inside;
mod layers;
mod maps;
mod paint;
mod saliency;
mod weights;

pub use cam::grad_cam;
pub use confusion::confusion;
pub use errors::errors;
pub use exemplars::exemplars;
pub use filters::filters;
pub use fixed::fixed_filters;
pub use inside::{ImageChoice, Inside, ShownImage, ViewRequest};
pub use maps::feature_maps;
pub use saliency::{occlusion, saliency};
pub use weights::weight_histograms;

use crate::LabError;
use std::str::FromStr;

/// A kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The kernels of a layer.
    Filters,
    /// What every layer makes of an image.
    FeatureMaps,
    /// What filters that nobody learned make of an image.
    FixedFilters,
    /// How the score of a class depends on parts of an image, by covering them.
    Occlusion,
    /// The same by its derivative.
    Saliency,
    /// The same by the maps of a layer.
    GradCam,
    /// The images that activate the channels of a layer most.
    Exemplars,
    /// True against predicted classes.
    Confusion,
    /// The worst and the least certain predictions.
    Errors,
    /// How the weights are spread.
    Weights,
}

/// A figure as it is asked for.
pub struct ViewRow {
    /// Its name, which its file has too.
    pub name: &'static str,
    /// The figure.
    pub view: View,
    /// What it shows.
    pub summary: &'static str,
}

const fn row(name: &'static str, view: View, summary: &'static str) -> ViewRow {
    ViewRow {
        name,
        view,
        summary,
    }
}

/// Every figure, in the order in which they are drawn.
pub const VIEWS: &[ViewRow] = &[
    row(
        "filters",
        View::Filters,
        "kernels of a layer, the first unless --layer names another",
    ),
    row(
        "feature-maps",
        View::FeatureMaps,
        "what every layer makes of an image",
    ),
    row(
        "fixed-filters",
        View::FixedFilters,
        "box, high-pass, sharpen and Sobel on an image",
    ),
    row(
        "occlusion",
        View::Occlusion,
        "probability of a class while a patch covers a part of an image",
    ),
    row(
        "saliency",
        View::Saliency,
        "derivative of a class score by the pixels of an image",
    ),
    row(
        "grad-cam",
        View::GradCam,
        "where the maps of a layer speak for a class",
    ),
    row(
        "exemplars",
        View::Exemplars,
        "images that activate the channels of a layer most",
    ),
    row(
        "confusion",
        View::Confusion,
        "images by true and predicted class",
    ),
    row(
        "errors",
        View::Errors,
        "most confident errors and least certain images",
    ),
    row(
        "weights",
        View::Weights,
        "histogram of every layer's weights",
    ),
];

/// A text that names no figure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no figure '{name}'{suggestion}; there are {}", names().join(", "))]
pub struct UnknownView {
    name: String,
    suggestion: String,
}

fn names() -> Vec<&'static str> {
    VIEWS.iter().map(|row| row.name).collect()
}

impl FromStr for View {
    type Err = UnknownView;

    fn from_str(text: &str) -> Result<Self, UnknownView> {
        let name = text.to_lowercase().replace('_', "-");
        let found = VIEWS.iter().find(|row| row.name == name);
        found.map(|row| row.view).ok_or_else(|| UnknownView {
            name: text.to_owned(),
            suggestion: kiln_names::suggestion(&name, names()).replace('?', ""),
        })
    }
}

impl View {
    /// Its name.
    pub fn name(self) -> &'static str {
        let row = VIEWS.iter().find(|row| row.view == self);
        row.map_or("", |row| row.name)
    }
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum NotDrawn {
    /// The network or the run has nothing that it could show: one sentence.
    #[error("{0}")]
    Nothing(String),
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] LabError),
}

impl NotDrawn {
    fn nothing(sentence: impl ToString) -> Self {
        Self::Nothing(sentence.to_string())
    }
}

/// Draws a figure as an SVG file.
///
/// # Errors
/// When the network or the run has nothing that it could show, or when data,
/// weights or the backend fail.
pub fn draw(view: View, inside: &Inside) -> Result<String, NotDrawn> {
    Ok(match view {
        View::Filters => filters(inside)?.svg(),
        View::FeatureMaps => feature_maps(inside)?.svg(),
        View::FixedFilters => fixed_filters(inside)?.svg(),
        View::Occlusion => occlusion(inside)?.svg(),
        View::Saliency => saliency(inside)?.svg(),
        View::GradCam => grad_cam(inside)?.svg(),
        View::Exemplars => exemplars(inside)?.svg(),
        View::Confusion => confusion(inside)?.svg(),
        View::Errors => errors(inside)?.svg(),
        View::Weights => weight_histograms(inside)?.svg(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_name() {
        for row in VIEWS {
            assert_eq!(row.name.parse(), Ok(row.view));
            assert_eq!(row.view.name(), row.name);
        }
        assert_eq!("Grad_CAM".parse(), Ok(View::GradCam));
        let error = "filtres".parse::<View>().expect_err("unknown").to_string();
        assert!(
            error.contains("did you mean 'filters'; there are"),
            "{error}"
        );
    }
}
