//! The table of networks, sorted by the year of the paper.

use crate::{LeNet, LeNet5, Mlp, Network, Task};
use burn::tensor::Device;
use kiln_vision::ImageSpec;

/// A network by name.
pub struct Row {
    /// Name on the command line.
    pub name: &'static str,
    /// Other names that are accepted.
    pub aliases: &'static [&'static str],
    /// The family it is listed under.
    pub family: &'static str,
    /// Year of the paper.
    pub year: u16,
    /// One line for lists.
    pub summary: &'static str,
    /// The images of its usual form.
    pub input: ImageSpec,
    /// Learnable parameters of that form with ten classes.
    pub parameters: usize,
    /// The data sets it is trained on when none is named: the first that is there.
    pub datasets: &'static [&'static str],
    /// Builds it.
    pub(crate) build: fn(&Task, &Device) -> Result<Network, ModelError>,
}

/// Every network of the zoo.
pub const MODELS: &[Row] = &[
    Row {
        name: "mlp",
        aliases: &["mlpnet"],
        family: "MLP",
        year: 1986,
        summary: "MLPNet, 784-256-84-10 with ReLU: the baseline without convolution",
        input: ImageSpec::MNIST,
        parameters: 223_398,
        datasets: &["mnist", "digits"],
        build: |task, device| Ok(Network::Mlp(Mlp::new(task, device))),
    },
    Row {
        name: "lenet5-1998",
        aliases: &["lenet-1998"],
        family: "LeNet",
        year: 1998,
        summary: "LeNet-5 as published: tanh, trainable average pooling, RBF output",
        input: ImageSpec::MNIST,
        parameters: 60_000,
        datasets: &["mnist", "digits"],
        build: |task, device| LeNet5::new(task, device).map(Network::LeNet5),
    },
    Row {
        name: "lenet",
        aliases: &["lenet5", "lenet-5"],
        family: "LeNet",
        year: 1998,
        summary: "LeNet-5 as it is used today: ReLU and max pooling",
        input: ImageSpec::MNIST,
        parameters: 61_706,
        datasets: &["mnist", "digits"],
        build: |task, device| LeNet::new(task, device).map(Network::LeNet),
    },
];

/// Why a network cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No network has that name.
    #[error("there is no model '{name}'{suggestion}; the models are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// ", did you mean 'x'?" or nothing.
        suggestion: String,
        /// All names.
        known: String,
    },
    /// The images are too small for its layers, or not of its kind.
    #[error("{model} takes {allowed}, not {input}")]
    Input {
        /// The network.
        model: &'static str,
        /// The images asked for.
        input: ImageSpec,
        /// What it takes.
        allowed: &'static str,
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
}

/// The row of the network called `name`; upper case and underscores are
/// forgiven.
///
/// # Errors
/// When there is none: the message lists all names and the nearest.
pub fn find(name: &str) -> Result<&'static Row, ModelError> {
    let wanted = name.to_lowercase().replace('_', "-");
    let names = |row: &'static Row| std::iter::once(row.name).chain(row.aliases.iter().copied());
    if let Some(row) = MODELS
        .iter()
        .find(|row| names(row).any(|name| name == wanted))
    {
        return Ok(row);
    }
    let listed: Vec<_> = MODELS.iter().map(|row| row.name).collect();
    Err(ModelError::Unknown {
        name: name.to_owned(),
        suggestion: kiln_names::suggestion(&wanted, MODELS.iter().flat_map(names)),
        known: listed.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_lower_case_and_found() {
        let mut seen = HashSet::new();
        for row in MODELS {
            for name in std::iter::once(&row.name).chain(row.aliases) {
                assert!(seen.insert(*name), "{name} twice");
                assert_eq!(*name, name.to_lowercase().replace('_', "-"));
                assert_eq!(
                    find(&name.to_uppercase()).map(|found| found.name),
                    Ok(row.name)
                );
            }
        }
    }

    #[test]
    fn rows_are_sorted_by_year() {
        assert!(MODELS.is_sorted_by_key(|row| row.year));
    }

    #[test]
    fn an_unknown_model_lists_all_and_suggests_one() {
        let message = find("lennet")
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(message.contains("did you mean 'lenet'?"), "{message}");
        assert!(MODELS.iter().all(|row| message.contains(row.name)));
    }
}
