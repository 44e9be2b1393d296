//! Why a network is refused.

use crate::Misfit;
use kiln_vision::ImageSpec;

/// Why a constructor refuses; [`ModelError`] says it with all names.
#[derive(Debug)]
pub enum Refusal {
    /// A window does not fit.
    Misfit(Misfit),
    /// The images are of another kind than these.
    Input(&'static str),
    /// It separates this many classes.
    Classes(&'static str),
    /// It would have this many parameters.
    Parameters(usize),
    /// An option has a value that it does not take.
    Option(String),
}

impl From<Misfit> for Refusal {
    fn from(misfit: Misfit) -> Self {
        Self::Misfit(misfit)
    }
}

/// Why a network cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No network has that name.
    #[error("there is no model '{name}'{suggestion}; `kiln list models` shows all {count}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// ", did you mean 'x'?" or nothing.
        suggestion: String,
        /// How many there are.
        count: usize,
    },
    /// The images are not of its kind.
    #[error("{model} takes {allowed}, not {input}")]
    Input {
        /// The network.
        model: &'static str,
        /// The images asked for.
        input: ImageSpec,
        /// What it takes.
        allowed: String,
    },
    /// The images are too small for its layers.
    #[error("{model} cannot take images of {input}: {misfit}; {smallest}")]
    TooSmall {
        /// The network.
        model: &'static str,
        /// The images asked for.
        input: ImageSpec,
        /// The layer that does not fit.
        misfit: Box<Misfit>,
        /// The smallest image that fits.
        smallest: String,
    },
    /// No machine holds it.
    #[error(
        "{model} would have {parameters} parameters for images of {input} and these options; at most 2^32 are possible"
    )]
    TooLarge {
        /// The network.
        model: &'static str,
        /// The images asked for.
        input: ImageSpec,
        /// Its parameters.
        parameters: usize,
    },
    /// It does not exist for so many classes.
    #[error("{model} separates {allowed} classes, not {classes}")]
    Classes {
        /// The network.
        model: &'static str,
        /// The classes asked for.
        classes: usize,
        /// What it takes.
        allowed: &'static str,
    },
    /// It has no such choice.
    #[error("{model} has no option model.{option}; it has {allowed}")]
    Option {
        /// The network.
        model: &'static str,
        /// The option.
        option: &'static str,
        /// Its options.
        allowed: String,
    },
    /// A choice has a value that is not possible.
    #[error("{model} cannot be built: model.{fault}")]
    OptionValue {
        /// The network.
        model: &'static str,
        /// What is wrong.
        fault: String,
    },
}
