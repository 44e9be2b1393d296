//! What a file and a network do not have in common, in words.

use crate::{WeightsError, file::Prefix};
use std::path::Path;

/// Tensors of each kind that an error names.
const SHOWN: usize = 4;

/// Tensors whose shape another number of classes or another image changes, at
/// the most: those of the first layers and of every head.
const FEW: usize = 6;

/// The tensors that differ, sorted by name.
#[derive(Default)]
pub(crate) struct Differences {
    pub missing: Vec<String>,
    pub unknown: Vec<String>,
    pub reshaped: Vec<Reshaped>,
}

/// A tensor that has another shape in the file.
pub(crate) struct Reshaped {
    pub name: String,
    pub found: Vec<usize>,
    pub wanted: Vec<usize>,
}

impl Reshaped {
    fn text(&self) -> String {
        let (found, wanted) = (&self.found, &self.wanted);
        format!("{} is {found:?} instead of {wanted:?}", self.name)
    }

    /// Whether the outputs, the inputs and anything else of a layer differ.
    fn axes(&self) -> [bool; 3] {
        if self.found.len() != self.wanted.len() {
            return [false, false, true];
        }
        let differs = |axis: usize| self.found.get(axis) != self.wanted.get(axis);
        let others = (2..self.found.len()).any(differs);
        [differs(0), differs(1), others]
    }
}

impl Differences {
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unknown.is_empty() && self.reshaped.is_empty()
    }

    /// The error for the file at `path`, of whose tensors `fitting` are those
    /// of a network of `count`.
    pub fn error(
        &self,
        path: &Path,
        prefix: Option<&Prefix>,
        (fitting, count): (usize, usize),
    ) -> WeightsError {
        let path = path.display().to_string();
        let note = match prefix {
            Some(Prefix::Removed(prefix)) => {
                format!("; its names are read without the '{prefix}' before all of them")
            }
            Some(Prefix::Strange(prefix)) => {
                format!("; all its names begin with '{prefix}'")
            }
            None => String::new(),
        };
        let differences = format!("{}{note}", self.text());
        match self.cause() {
            Some(cause) => WeightsError::Unfit {
                path,
                differences,
                cause,
            },
            None if 2 * fitting < count => WeightsError::AnotherNetwork { path, differences },
            None => WeightsError::Unfit {
                path,
                differences,
                cause: "the file is not of this network with these images and classes, \
                        so build the one that it was saved from",
            },
        }
    }

    fn text(&self) -> String {
        let reshaped: Vec<String> = self.reshaped.iter().map(Reshaped::text).collect();
        let groups = [
            (&self.missing, ["is missing", "are missing"]),
            (&self.unknown, ["is unknown", "are unknown"]),
            (&reshaped, ["has another shape", "have another shape"]),
        ];
        let mut text = String::new();
        for (tensors, [one, many]) in groups {
            let (noun, verb) = match tensors.len() {
                0 => continue,
                1 => (" tensor", one),
                _ => (" tensors", many),
            };
            let (before, noun) = match text.is_empty() {
                true => ("", noun),
                false => ("; ", ""),
            };
            let count = tensors.len();
            let shown = listed(tensors);
            text.push_str(&format!("{before}{count}{noun} {verb}: {shown}"));
        }
        text
    }

    /// What differs if the file is of the same network for another task.
    fn cause(&self) -> Option<&'static str> {
        let is_same = self.missing.is_empty() && self.unknown.is_empty();
        if !is_same || self.reshaped.len() > FEW {
            return None;
        }
        let differ = |axis: usize| self.reshaped.iter().any(|tensor| tensor.axes()[axis]);
        match (differ(0), differ(1), differ(2)) {
            (true, false, false) => Some(
                "the number of classes differs, so build the network with as many as the file has",
            ),
            (false, true, false) => Some(
                "the image shape differs, so build the network for images like those of the file",
            ),
            (true, true, false) => Some(
                "the number of classes or the image shape differs, \
                 so build the network with those of the file",
            ),
            _ => None,
        }
    }
}

/// The first of them, and how many more there are.
fn listed(tensors: &[String]) -> String {
    let shown = &tensors[..tensors.len().min(SHOWN)];
    let more = match tensors.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}
