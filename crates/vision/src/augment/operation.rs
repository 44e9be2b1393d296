//! One operation of a list, as text and back.

use super::{
    AugmentError,
    canvas::Canvas,
    table::{Number, OPERATIONS, Row},
};
use std::{fmt, str::FromStr};

/// An operation with its numbers, written `name:number:number`. What is drawn
/// is drawn anew for each image and epoch, evenly from the range given.
///
/// | text | |
/// |---|---|
/// | `crop:PIXELS` | zeros around the image, then a window of its size |
/// | `reflect-crop:PIXELS` | the same with the image mirrored around itself |
/// | `flip` | left and right mirrored, with a chance of one half |
/// | `alternating-flip` | mirrored in every second epoch (Jordan 2024, section 3.6) |
/// | `shift:PIXELS` | moved by up to so many pixels, and parts of them, in both directions |
/// | `rotate:DEGREES` | turned by up to so much to either side |
/// | `scale:SHARE` | enlarged by a factor from 1 - SHARE to 1 + SHARE |
/// | `shear:SHARE` | slanted: each row moved by up to SHARE of its height above the middle |
/// | `elastic:ALPHA:SIGMA` | Simard, Steinkraus, Platt 2003, section 2; both in pixels |
/// | `cutout:PIXELS` | a square of that side blank (DeVries and Taylor 2017): black for digits and clothes, grey for photographs |
/// | `brightness:SHARE`, `contrast:SHARE`, `saturation:SHARE` | away from black, the mean grey, each pixel's grey, by a factor from 1 - SHARE to 1 + SHARE |
/// | `randaugment:COUNT:MAGNITUDE` | Cubuk et al. 2020, with torchvision's magnitudes from 0 to 30 |
#[derive(Clone, Copy)]
pub struct Operation {
    row: &'static Row,
    numbers: [f32; 2],
}

impl Operation {
    /// Whether it can mirror an image.
    pub fn mirrors(&self) -> bool {
        self.row.mirrors
    }

    pub(super) fn apply(&self, canvas: &mut Canvas) {
        (self.row.apply)(canvas, self.numbers);
    }

    fn numbers(&self) -> &[f32] {
        &self.numbers[..self.row.numbers.len()]
    }
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.row.name == other.row.name && self.numbers == other.numbers
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.name)?;
        self.numbers()
            .iter()
            .try_for_each(|number| write!(f, ":{number}"))
    }
}

impl FromStr for Operation {
    type Err = AugmentError;

    fn from_str(text: &str) -> Result<Self, AugmentError> {
        let text = text.trim();
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let plain = name.to_lowercase().replace('_', "-");
        let row = OPERATIONS
            .iter()
            .find(|row| row.name == plain)
            .ok_or_else(|| unknown(name, &plain))?;
        let given: Vec<&str> = parts.collect();
        if given.len() != row.numbers.len() {
            return Err(AugmentError::Numbers {
                text: text.to_owned(),
                usage: row.usage(),
            });
        }
        let mut numbers = [0.0; 2];
        for (at, (known, given)) in row.numbers.iter().zip(given).enumerate() {
            numbers[at] = known.read(given).ok_or_else(|| AugmentError::Range {
                text: text.to_owned(),
                usage: row.usage(),
                number: known.name,
                range: known.to_string(),
            })?;
        }
        Ok(Self { row, numbers })
    }
}

impl Number {
    fn read(&self, text: &str) -> Option<f32> {
        let number: f32 = text.trim().parse().ok()?;
        let fits = (self.least..=self.most).contains(&number);
        // Adding 0 takes the sign of -0 away.
        (fits && (!self.whole || number.fract() == 0.0)).then_some(number + 0.0)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.whole {
            true => "a whole number",
            false => "a number",
        };
        write!(f, "{kind} from {} to {}", self.least, self.most)
    }
}

fn unknown(name: &str, plain: &str) -> AugmentError {
    let names = || OPERATIONS.iter().map(|row| row.name);
    let every = names().chain(["none", "basic", "strong"]);
    AugmentError::Unknown {
        name: name.to_owned(),
        suggestion: kiln_names::suggestion(plain, every),
        known: OPERATIONS
            .iter()
            .map(Row::usage)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// `one,two,three`
pub(super) fn write_list(operations: &[Operation], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, operation) in operations.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        write!(f, "{comma}{operation}")?;
    }
    Ok(())
}
