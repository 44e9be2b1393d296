//! Whether a picture is inverted, and how the user says so.

use std::str::FromStr;

/// Whether a picture is inverted after it is read: networks that learned white
/// digits on black want their digits so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Invert {
    /// Invert pictures with one channel whose border is bright (its median
    /// above 127), never colour.
    #[default]
    Auto,
    /// Invert every picture.
    Yes,
    /// Invert none.
    No,
}

/// A text that is no [`Invert`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' does not say whether to invert; write auto, yes or no")]
pub struct InvertError(String);

impl FromStr for Invert {
    type Err = InvertError;

    fn from_str(text: &str) -> Result<Self, InvertError> {
        match text {
            "auto" => Ok(Self::Auto),
            "yes" => Ok(Self::Yes),
            "no" => Ok(Self::No),
            _ => Err(InvertError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invert_is_read_from_its_name() {
        assert_eq!("auto".parse(), Ok(Invert::Auto));
        assert_eq!("yes".parse(), Ok(Invert::Yes));
        assert_eq!("no".parse(), Ok(Invert::No));
        assert!("maybe".parse::<Invert>().is_err());
    }
}
