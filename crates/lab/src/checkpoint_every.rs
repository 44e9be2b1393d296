//! When checkpoints are written.

use kiln_training::Every;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// A time such as `90s`, `5m` or `1.5h`.
///
/// # Errors
/// When it is none, or not above zero.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no time; write it as 90s, 5m or 1h");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = text[..text.len() - 1].trim().parse().map_err(|_| wrong())?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(wrong()),
    }
}

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
    fn times_have_a_unit() {
        let seconds = |text: &str| parse_duration(text).map(|time| time.as_secs_f64());
        assert_eq!(seconds("90s"), Ok(90.0));
        assert_eq!(seconds("5m"), Ok(300.0));
        assert_eq!(seconds("1.5h"), Ok(5400.0));
        for wrong in [
            "",
            "5",
            "m",
            "0s",
            "-1m",
            "1e300h",
            "nan s",
            "5 minutes",
            "5d",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

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
