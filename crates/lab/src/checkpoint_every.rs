//! When checkpoints are written.

use crate::duration::parse_duration;
use kiln_training::Every;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// When checkpoints are written: after each epoch, and also after a number of
/// steps or a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckpointEvery(String);

impl CheckpointEvery {
    const EPOCH: &str = "epoch";

    /// As the training loop takes it.
    pub(crate) fn pace(&self) -> Every {
        match (self.0.parse(), parse_duration(&self.0)) {
            (Ok(steps), _) => Every::Steps(steps),
            (_, Ok(time)) => Every::Seconds(time.as_secs_f64()),
            _ => Every::Epoch,
        }
    }
}

impl Default for CheckpointEvery {
    fn default() -> Self {
        Self(Self::EPOCH.to_owned())
    }
}

impl FromStr for CheckpointEvery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_steps = text.parse::<usize>().is_ok_and(|steps| steps > 0);
        if text == Self::EPOCH || is_steps || parse_duration(text).is_ok() {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "'{text}' is neither epoch, a number of steps such as 100, nor a time such as 5m"
        ))
    }
}

impl TryFrom<String> for CheckpointEvery {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CheckpointEvery> for String {
    fn from(every: CheckpointEvery) -> Self {
        every.0
    }
}

impl fmt::Display for CheckpointEvery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_come_by_epoch_steps_or_time() {
        let every = |text: &str| text.parse::<CheckpointEvery>().map(|every| every.pace());
        assert_eq!(every("epoch"), Ok(Every::Epoch));
        assert_eq!(every("100"), Ok(Every::Steps(100)));
        assert_eq!(every("5m"), Ok(Every::Seconds(300.0)));
        assert!(every("0").is_err());
        assert!(every("often").is_err());
    }
}
