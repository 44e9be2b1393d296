//! Sizes, padding and pooling as they are typed.

use crate::LabError;
use kiln_models::layers::Pooling;
use std::str::FromStr;

/// More is a mistake.
const MOST: usize = 1_000;

/// A size for rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// `3`: both, or columns alone where there is one row only.
    Every(usize),
    /// `2x3`: rows and columns.
    Sides([usize; 2]),
}

impl Extent {
    /// Rows and columns; `flat` where there is one row only, which then has
    /// `neutral`.
    pub(super) fn sides(self, flat: bool, neutral: usize) -> [usize; 2] {
        match self {
            Self::Every(side) if flat => [neutral, side],
            Self::Every(side) => [side; 2],
            Self::Sides(sides) => sides,
        }
    }

    /// The same, where 0 is no size.
    pub(super) fn positive(self, flat: bool, what: &str) -> Result<[usize; 2], LabError> {
        let sides = self.sides(flat, 1);
        match sides.contains(&0) {
            false => Ok(sides),
            true => Err(LabError::usage(format!(
                "{what} is 0, but it must be at least 1"
            ))),
        }
    }
}

impl FromStr for Extent {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let side = |side: &str| match side.trim().parse() {
            Ok(side @ ..=MOST) => Ok(side),
            _ => Err(LabError::usage(format!(
                "'{text}' is no size; write a whole number such as 2, or HEIGHTxWIDTH such as 1x2, up to {MOST}"
            ))),
        };
        match text.split_once('x') {
            Some((height, width)) => Ok(Self::Sides([side(height)?, side(width)?])),
            None => Ok(Self::Every(side(text)?)),
        }
    }
}

/// Zeros around the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// As many as keep the size at stride 1, the same on either side.
    Same,
    /// So many on each side; none is `valid`.
    By(Extent),
}

impl FromStr for Padding {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        match text.trim() {
            "same" => Ok(Self::Same),
            "valid" => Ok(Self::By(Extent::Every(0))),
            size => size.parse().map(Self::By).map_err(|_| {
                LabError::usage(format!(
                    "'{text}' is no padding; write same, valid, or rows and columns of zeros on each side, such as 1 or 0x2, up to {MOST}"
                ))
            }),
        }
    }
}

/// Pooling, typed as `max:2`, or `max:3:1` for squares of 3 with stride 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolChoice {
    /// How the values of a window become one.
    pub pooling: Pooling,
    /// Rows and columns of a window.
    pub size: Extent,
    /// Steps from one window to the next.
    pub stride: Extent,
}

/// Those whose arithmetic is spelled out.
const POOLINGS: [(&str, Pooling); 4] = [
    ("max", Pooling::Max),
    ("average", Pooling::Average),
    ("sum", Pooling::Sum),
    ("l2", Pooling::L2),
];

impl FromStr for PoolChoice {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default().trim();
        let Some((_, pooling)) = POOLINGS.iter().find(|(known, _)| *known == name) else {
            let names = POOLINGS.map(|(name, _)| name);
            return Err(LabError::usage(format!(
                "there is no pooling '{name}'{}; write max:2, average:2, sum:2 or l2:2, and max:3:1 for a stride of 1",
                kiln_names::suggestion(name, names)
            )));
        };
        let (size, stride) = match (parts.next(), parts.next(), parts.next()) {
            (Some(size), None, None) => (size, size),
            (Some(size), Some(stride), None) => (size, stride),
            _ => {
                return Err(LabError::usage(format!(
                    "'{text}' needs a size, and may have a stride: write {name}:2, or {name}:3:1"
                )));
            }
        };
        Ok(Self {
            pooling: *pooling,
            size: size.parse()?,
            stride: stride.parse()?,
        })
    }
}
