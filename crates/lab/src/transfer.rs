//! Starting from the weights of another training: reading them, drawing the
//! head anew, freezing the rest.

use crate::{LabError, RunFolder, run_folder::MODEL_FILE};
use burn::module::{Module, ParamGroup};
use kiln_models::{Network, parameters, parameters_where};
use kiln_weights::{select, transfer_weights};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What stands for no weights and for nothing frozen.
pub const NONE: &str = "none";

/// Where a run starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferSettings {
    /// A weight file or a run folder; `none` draws all weights.
    pub weights: String,
    /// What is not trained: `none`, `backbone` (all but the head), or a
    /// regular expression over PyTorch's names.
    pub freeze: String,
}

impl Default for TransferSettings {
    fn default() -> Self {
        Self {
            weights: NONE.to_owned(),
            freeze: NONE.to_owned(),
        }
    }
}

impl TransferSettings {
    /// Refuses what cannot be meant.
    pub(crate) fn check(&self) -> Result<(), LabError> {
        self.pattern().map(drop)
    }

    /// With the whole path of the weights, which may be a run in `runs`: the
    /// run must find them again from anywhere.
    pub(crate) fn located(self, runs: &Path) -> Result<Self, LabError> {
        if self.weights == NONE {
            return Ok(self);
        }
        let file = weight_file(&self.weights, runs)?;
        let whole = std::fs::canonicalize(&file).unwrap_or(file);
        Ok(Self {
            weights: whole.display().to_string(),
            ..self
        })
    }

    fn pattern(&self) -> Result<Option<Regex>, LabError> {
        match self.freeze.as_str() {
            NONE | "backbone" => Ok(None),
            pattern => Regex::new(pattern).map(Some).map_err(|error| {
                let cause = error.to_string();
                let cause = cause.lines().last().unwrap_or_default().trim().to_owned();
                LabError::usage(format!(
                    "transfer.freeze is '{pattern}', which is neither none, backbone nor a regular expression: {cause}"
                ))
            }),
        }
    }

    /// `network` with the weights, and the names of the tensors that keep
    /// their drawn values.
    pub(crate) fn load(&self, network: Network) -> Result<(Network, Vec<String>), LabError> {
        if self.weights == NONE {
            return Ok((network, Vec::new()));
        }
        let head = network.head();
        let heads: Vec<&str> = Some(head.as_str())
            .filter(|head| !head.is_empty())
            .into_iter()
            .collect();
        Ok(transfer_weights(network, Path::new(&self.weights), &heads)?)
    }

    /// What a run says of its start: where its weights are from, which were
    /// drawn, how many of its `parameters` learn.
    pub(crate) fn notes(
        &self,
        fresh: &[String],
        learning: usize,
        parameters: usize,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        if self.weights != NONE {
            let drawn = match fresh {
                [] => String::new(),
                fresh => format!("; drawn anew: {}", fresh.join(", ")),
            };
            notes.push(format!("starting from {}{drawn}", self.weights));
        }
        if self.freeze != NONE {
            let random = match self.weights == NONE {
                true => "; what is frozen is random, because no weights were named",
                false => "",
            };
            notes.push(format!(
                "{learning} of {parameters} parameters learn{random}"
            ));
        }
        notes
    }

    /// `network` with what is to stay as it is frozen, batch norms and
    /// dropout included, and the number of parameters that still learn.
    pub(crate) fn freeze(&self, network: Network) -> Result<(Network, usize), LabError> {
        if self.freeze == NONE {
            let learning = parameters(&network);
            return Ok((network, learning));
        }
        let head = format!("{}.", network.head());
        let pattern = self.pattern()?;
        let frozen = |name: &str| match &pattern {
            Some(pattern) => pattern.is_match(name),
            None => !name.starts_with(&head),
        };
        let ids = select(&network, frozen);
        if pattern.is_none() && (network.head().is_empty() || ids.is_empty()) {
            return Err(LabError::usage(format!(
                "transfer.freeze is backbone, but {}; freeze by a regular expression over the parameters' names, or none",
                match network.head().is_empty() {
                    true => "this network has no head that could be trained alone",
                    false => "this network is all head, with no backbone to freeze",
                }
            )));
        }
        if ids.is_empty() {
            return Err(LabError::usage(format!(
                "transfer.freeze is '{}', which matches no parameter; `kiln summary` shows the layers' names",
                self.freeze
            )));
        }
        match parameters_where(&network, |name| !frozen(name)) {
            0 => Err(LabError::usage(format!(
                "transfer.freeze is '{}', which leaves nothing to train",
                self.freeze
            ))),
            learning => Ok((network.freeze_group(ParamGroup::from_ids(ids)), learning)),
        }
    }
}

/// A weight file, or that of a run: a path, a name under `runs`, or `latest`.
///
/// # Errors
/// When it is neither, or the run did not end.
pub fn weight_file(text: &str, runs: &Path) -> Result<PathBuf, LabError> {
    let path = Path::new(text);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    // What is called like a file is no run that was mistyped.
    let is_file_name = path.extension().is_some_and(|kind| {
        ["safetensors", "pth", "pt"]
            .iter()
            .any(|known| kind == *known)
    });
    if is_file_name && !path.exists() {
        return Err(LabError::data(format!(
            "the weights {text} are not there; check the path"
        )));
    }
    let run = RunFolder::open(text, runs).map_err(|_| {
        LabError::usage(format!(
            "the weights {text} are neither a file nor a run; give a .safetensors or .pth file, a run folder or its name"
        ))
    })?;
    let file = run.path().join(MODEL_FILE);
    match file.is_file() {
        true => Ok(file),
        false => Err(LabError::usage(format!(
            "the run {} has no model.safetensors: it did not end",
            run.name()
        ))),
    }
}
