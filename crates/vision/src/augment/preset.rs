//! What a configuration asks for, and what that means for a data set.

use super::{AugmentError, Operation, Pipeline, operation::write_list};
use crate::ImageSpec;
use std::{fmt, str::FromStr};

/// What the images of a data set have in common, which decides what may be
/// done to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Light signs on black, which must not be mirrored.
    Digits,
    /// Clothes on black, upright and in the middle, some always seen from the
    /// same side.
    Clothes,
    /// Signals of one row around a middle grey, which have a direction in time.
    Signals,
    /// Everything else.
    Photos,
}

impl Look {
    /// Whether a mirrored image is an image of its class too.
    pub fn may_be_mirrored(self) -> bool {
        !matches!(self, Self::Digits | Self::Signals)
    }

    /// What cutout fills with: the background, or a middle grey, which stands
    /// near the mean that its paper takes.
    pub(super) fn blank(self) -> u8 {
        match self {
            Self::Digits | Self::Clothes => 0,
            Self::Photos | Self::Signals => 128,
        }
    }

    /// The presets, for images whose shorter side is `side`, or the length of
    /// signals.
    fn preset(self, strong: bool, side: usize) -> String {
        let part = |of: usize| (side / of).max(1);
        match (self, strong) {
            (Self::Digits, false) => "rotate:10,scale:0.1,shift:2".to_owned(),
            (Self::Digits, true) => {
                "rotate:10,scale:0.1,shear:0.15,shift:2,elastic:24:4,cutout:4".to_owned()
            }
            (Self::Clothes, false) => "crop:2,flip".to_owned(),
            (Self::Clothes, true) => "crop:2,flip,cutout:8".to_owned(),
            (Self::Signals, false) => "contrast:0.3".to_owned(),
            (Self::Signals, true) => format!("contrast:0.5,cutout:{}", part(8)),
            (Self::Photos, false) => format!("crop:{},flip", part(8)),
            (Self::Photos, true) => format!(
                "alternating-flip,crop:{},randaugment:2:9,cutout:{}",
                part(8),
                part(4)
            ),
        }
    }
}

/// What a configuration asks for: `none`, `basic`, `strong`, or a list of
/// operations such as `crop:4,flip`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Augmentation {
    /// Images as they are.
    #[default]
    None,
    /// What is usual for such images.
    Basic,
    /// More than that, for long trainings of large networks.
    Strong,
    /// These operations.
    List(Vec<Operation>),
}

impl Augmentation {
    /// The operations for images of a data set; none where nothing is to be
    /// done.
    ///
    /// # Errors
    /// When a list mirrors what must not be mirrored.
    pub fn pipeline(&self, look: Look, spec: ImageSpec) -> Result<Option<Pipeline>, AugmentError> {
        let side = match look {
            Look::Signals => spec.width,
            _ => spec.width.min(spec.height),
        };
        let preset = |strong| read_list(&look.preset(strong, side));
        let operations = match self {
            Self::None => return Ok(None),
            Self::Basic => preset(false)?,
            Self::Strong => preset(true)?,
            Self::List(operations) => operations.clone(),
        };
        Pipeline::new(operations, look).map(Some)
    }
}

fn read_list(text: &str) -> Result<Vec<Operation>, AugmentError> {
    text.split(',').map(str::parse).collect()
}

impl FromStr for Augmentation {
    type Err = AugmentError;

    fn from_str(text: &str) -> Result<Self, AugmentError> {
        match text.trim().to_lowercase().as_str() {
            "none" => Ok(Self::None),
            "basic" => Ok(Self::Basic),
            "strong" => Ok(Self::Strong),
            list => read_list(list).map(Self::List),
        }
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Basic => f.write_str("basic"),
            Self::Strong => f.write_str("strong"),
            Self::List(operations) => write_list(operations, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::tests::{COLOUR, every};

    #[test]
    fn texts_are_read_and_written() {
        for text in [
            "none",
            "basic",
            "strong",
            "crop:4,flip",
            "elastic:34:4,shear:0.1",
        ] {
            let read: Augmentation = text.parse().expect(text);
            assert_eq!(read.to_string(), text);
        }
        let read: Augmentation = " Crop:4, Alternating_Flip ".parse().expect("forgiven");
        assert_eq!(read.to_string(), "crop:4,alternating-flip");
        for list in every() {
            assert_eq!(list.parse::<Operation>().expect(&list).to_string(), list);
        }
    }

    #[test]
    fn wrong_texts_are_refused_in_one_sentence() {
        for (text, words) in [
            ("cutuot:8", "did you mean 'cutout'?"),
            ("basik", "did you mean 'basic'?"),
            ("", "there is no augmentation ''"),
            ("crop:4,,flip", "there is no augmentation ''"),
            ("crop", "'crop' is no augmentation; write crop:PIXELS"),
            ("flip:1", "write flip"),
            ("elastic:34", "write elastic:ALPHA:SIGMA"),
            ("crop:1.5", "PIXELS must be a whole number from 0 to 1024"),
            ("rotate:200", "DEGREES must be a number from 0 to 180"),
            ("scale:nan", "SHARE must be a number from 0 to 0.9"),
            ("shift:-1", "'shift:-1' is no augmentation"),
            ("basic,flip", "there is no augmentation 'basic'"),
        ] {
            let error = text.parse::<Augmentation>().expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(!error.contains('\n'));
        }
    }

    #[test]
    fn presets_fit_the_data_set_and_digits_are_never_mirrored() {
        let list = |text: &str, look: Look, spec| {
            let read: Augmentation = text.parse().expect(text);
            read.pipeline(look, spec)
                .map(|found| found.map(|found| found.to_string()))
        };
        let known =
            |text: &str, look, spec| list(text, look, spec).expect("allowed").expect("some");
        for look in [Look::Digits, Look::Clothes, Look::Signals, Look::Photos] {
            assert_eq!(list("none", look, COLOUR), Ok(None));
            for preset in ["basic", "strong"] {
                assert_eq!(
                    known(preset, look, ImageSpec::CIFAR).contains("flip"),
                    look.may_be_mirrored()
                );
            }
        }
        assert_eq!(
            known("basic", Look::Clothes, ImageSpec::MNIST),
            "crop:2,flip"
        );
        assert_eq!(
            known("basic", Look::Photos, ImageSpec::CIFAR),
            "crop:4,flip"
        );
        assert_eq!(
            known("strong", Look::Signals, ImageSpec::new(1, 1, 256)),
            "contrast:0.5,cutout:32"
        );
        let large = ImageSpec::new(3, 224, 300);
        assert_eq!(known("basic", Look::Photos, large), "crop:28,flip");
        for text in ["flip", "crop:2,alternating-flip"] {
            for look in [Look::Digits, Look::Signals] {
                let error = list(text, look, ImageSpec::MNIST).expect_err("refused");
                assert!(
                    error.to_string().contains("a mirrored digit is no digit"),
                    "{error}"
                );
            }
        }
    }
}
