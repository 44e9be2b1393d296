//! Networks by name: what a row of the table holds and how it is built. The
//! rows are in `rows/`.

use crate::{ModelError, Network, Options, Refusal, Task, parameters, rows::MODELS, trace};
use burn::tensor::Device;
use kiln_vision::ImageSpec;

/// A network by name.
#[derive(Clone, Copy)]
pub struct Row {
    /// Name on the command line.
    pub name: &'static str,
    /// Other names that are accepted.
    pub aliases: &'static [&'static str],
    /// The family it is listed under.
    pub family: &'static str,
    /// Year of the paper; none for the networks of lectures.
    pub year: Option<u16>,
    /// One line for lists.
    pub summary: &'static str,
    /// The images of its usual form.
    pub form: Form,
    /// Learnable parameters of that form.
    pub parameters: usize,
    /// Multiply-accumulates of that form's convolutions and linear layers.
    pub macs: u64,
    /// What can be chosen, and what holds when nothing is.
    pub options: fn() -> Options,
    /// Builds it.
    pub(crate) build: Build,
}

/// 16 GiB of weights; more are a mistake.
const MOST_PARAMETERS: usize = 1 << 32;

type Build = fn(&Task, &Options, &Device) -> Result<Network, Refusal>;

/// What a network was published for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 28x28 grey images of ten classes.
    Mnist,
    /// 32x32 colour images of ten classes.
    Cifar,
    /// 224x224 colour images of a thousand classes.
    ImageNet,
}

impl Form {
    /// Images and classes.
    pub fn task(self) -> Task {
        let (input, classes) = match self {
            Self::Mnist => (ImageSpec::MNIST, 10),
            Self::Cifar => (ImageSpec::CIFAR, 10),
            Self::ImageNet => (ImageSpec::new(3, 224, 224), 1000),
        };
        Task { input, classes }
    }

    /// The data sets it is trained on when none is named: the first that is
    /// there.
    pub fn datasets(self) -> &'static [&'static str] {
        match self {
            Self::Mnist => &["mnist", "digits"],
            Self::Cifar | Self::ImageNet => &["cifar10", "shapes"],
        }
    }
}

impl Row {
    /// A row whose network can be given other first weights, and nothing else.
    pub(crate) const fn new(
        name: &'static str,
        family: &'static str,
        year: u16,
        (form, build): (Form, Build),
    ) -> Self {
        Self {
            name,
            aliases: &[],
            family,
            year: Some(year),
            summary: "",
            form,
            parameters: 0,
            macs: 0,
            options: || Options {
                init: Some(Default::default()),
                ..Options::default()
            },
            build,
        }
    }

    /// A row whose network a lecture defines.
    pub(crate) const fn of_lecture(
        name: &'static str,
        family: &'static str,
        network: (Form, Build),
    ) -> Self {
        Self {
            year: None,
            ..Self::new(name, family, 0, network)
        }
    }

    pub(crate) const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub(crate) const fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Parameters and multiply-accumulates.
    pub(crate) const fn counts(self, parameters: usize, macs: u64) -> Self {
        Self {
            parameters,
            macs,
            ..self
        }
    }

    pub(crate) const fn options(self, options: fn() -> Options) -> Self {
        Self { options, ..self }
    }

    /// Builds the network with the values left open filled in.
    pub(crate) fn network(
        &self,
        task: &Task,
        options: &Options,
        device: &Device,
    ) -> Result<Network, ModelError> {
        (self.build)(task, options, device)
            .and_then(|network| {
                trace::follow(task.input, device, |images| network.forward(images))?;
                match parameters(&network) {
                    0..=MOST_PARAMETERS => {}
                    count => return Err(Refusal::Parameters(count)),
                }
                if let Some(refusal) = options.init.unwrap_or_default().refuses(&network) {
                    return Err(Refusal::Option(refusal));
                }
                Ok(options.init.unwrap_or_default().apply(network))
            })
            .map_err(|refusal| self.explain(refusal, task, options, device))
    }

    fn explain(
        &self,
        refusal: Refusal,
        task: &Task,
        options: &Options,
        device: &Device,
    ) -> ModelError {
        let (model, input) = (self.name, task.input);
        match refusal {
            Refusal::Input(allowed) => ModelError::Input {
                model,
                input,
                allowed: allowed.to_owned(),
            },
            Refusal::Classes(allowed) => ModelError::Classes {
                model,
                classes: task.classes,
                allowed,
            },
            Refusal::Parameters(parameters) => ModelError::TooLarge {
                model,
                input,
                parameters,
            },
            Refusal::Option(fault) => ModelError::OptionValue { model, fault },
            Refusal::Misfit(misfit) => ModelError::TooSmall {
                model,
                input,
                misfit: Box::new(misfit),
                smallest: self.smallest(task, options, device),
            },
        }
    }

    /// The smallest square image with the channels of `task` that it takes.
    fn smallest(&self, task: &Task, options: &Options, device: &Device) -> String {
        let fits = |side: &usize| {
            let task = Task {
                input: ImageSpec::new(task.input.channels, *side, *side),
                ..*task
            };
            (self.build)(&task, options, device).is_ok_and(|network| {
                trace::follow(task.input, device, |images| network.forward(images)).is_ok()
            })
        };
        match (1..=512).find(fits) {
            Some(side) => format!("the smallest image it takes is {side}x{side}"),
            None => "it takes no square image of up to 512x512".to_owned(),
        }
    }
}

impl Row {
    /// The choices of a network, what is left open filled in.
    ///
    /// # Errors
    /// When one is chosen that the network has not, or a value is impossible.
    pub fn choose(&self, options: &Options) -> Result<Options, ModelError> {
        let defaults = (self.options)();
        let known = defaults.names();
        if let Some(option) = options
            .names()
            .into_iter()
            .find(|name| !known.contains(name))
        {
            return Err(ModelError::Option {
                model: self.name,
                option,
                allowed: match known.is_empty() {
                    true => "none".to_owned(),
                    false => known.join(", "),
                },
            });
        }
        match options.fault() {
            Some(fault) => Err(ModelError::OptionValue {
                model: self.name,
                fault,
            }),
            None => Ok(options.over(defaults)),
        }
    }
}

/// The row of the network called `name`; upper case and missing or other
/// separators are forgiven.
///
/// # Errors
/// When there is none: the message names the nearest.
pub fn find(name: &str) -> Result<&'static Row, ModelError> {
    let names = |row: &'static Row| std::iter::once(row.name).chain(row.aliases.iter().copied());
    let wanted = normal(name);
    if let Some(row) = MODELS
        .iter()
        .find(|row| names(row).any(|name| normal(name) == wanted))
    {
        return Ok(row);
    }
    Err(ModelError::Unknown {
        name: name.to_owned(),
        suggestion: kiln_names::suggestion(&wanted, MODELS.iter().flat_map(names)),
        count: MODELS.len(),
    })
}

fn normal(name: &str) -> String {
    name.to_lowercase().replace(['_', '-'], "")
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
                assert!(seen.insert(normal(name)), "{name} twice");
                assert_eq!(*name, name.to_lowercase());
                let found = find(&name.to_uppercase().replace('-', "_"));
                assert_eq!(found.map(|found| found.name), Ok(row.name));
            }
        }
    }

    #[test]
    fn rows_are_sorted_by_year() {
        assert!(MODELS.is_sorted_by_key(|row| row.year.unwrap_or(u16::MAX)));
    }

    #[test]
    fn every_row_says_what_it_is() {
        for row in MODELS {
            assert!(!row.summary.is_empty(), "{}", row.name);
            assert!(row.summary.len() <= 80, "{}", row.name);
        }
    }

    #[test]
    fn an_unknown_model_suggests_one() {
        let message = find("lennet").err().map(|error| error.to_string());
        let message = message.unwrap_or_default();
        assert!(message.contains("did you mean 'lenet'?"), "{message}");
    }

    #[test]
    fn an_option_that_a_network_has_not_is_refused() {
        let options = Options {
            shortcut: Some(crate::Shortcut::Pad),
            ..Options::default()
        };
        let message = find("mlp").and_then(|row| row.choose(&options)).err();
        let message = message.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            message.contains("mlp has no option model.shortcut"),
            "{message}"
        );
        assert!(message.contains("hidden, activation"), "{message}");
    }
    #[test]
    fn what_no_machine_holds_is_refused() {
        let refusal = |name: &str, classes, options: Options| {
            let task = Task {
                classes,
                ..Form::Mnist.task()
            };
            let error = crate::build(name, &task, &options, &Device::flex()).err();
            error.map(|error| error.to_string()).unwrap_or_default()
        };
        let none = Options::default;
        assert!(refusal("resnet18", usize::MAX, none()).contains("at most 1,048,576 classes"));
        let wide = Options {
            hidden: Some(vec![1 << 20, 1 << 20]),
            ..none()
        };
        assert!(refusal("mlp", 10, wide).contains("at most 2^32"));
        let orthogonal = Options {
            init: Some(crate::Scheme::Orthogonal),
            hidden: Some(vec![2048, 2048]),
            ..none()
        };
        assert!(refusal("mlp", 10, orthogonal).contains("up to 1024"));
    }
}
