//! How much of an experiment is carried out.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The form of an experiment, the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Built-in data, to see that everything runs: seconds.
    Smoke,
    /// Minutes on two cores.
    Quick,
    /// The answer: about an hour on two cores.
    Full,
    /// What needs a GPU.
    Long,
}

impl Scale {
    /// The value for this form.
    pub fn pick<T>(self, smoke: T, quick: T, full: T) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Quick => quick,
            Self::Full | Self::Long => full,
        }
    }

    /// The flag that asks for it; none for the full form.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Smoke => " --smoke",
            Self::Quick => " --quick",
            Self::Full => "",
            Self::Long => " --long",
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smoke => "smoke",
            Self::Quick => "quick",
            Self::Full => "full",
            Self::Long => "long",
        })
    }
}
