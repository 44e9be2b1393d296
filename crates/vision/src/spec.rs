//! The shape of an image: channels, height, width.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Channels, height and width of the images that a network takes or a data
/// set holds; written `1x28x28`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageSpec {
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

impl ImageSpec {
    /// Grey digits and clothes: MNIST, Fashion-MNIST and the built-in digits.
    pub const MNIST: Self = Self::new(1, 28, 28);
    /// Small colour pictures: CIFAR-10 and the built-in shapes.
    pub const CIFAR: Self = Self::new(3, 32, 32);

    /// An image of `channels` planes of `height` rows and `width` columns.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Self {
            channels,
            height,
            width,
        }
    }

    /// Values in one image: channels x height x width.
    pub const fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether an image of this shape holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for ImageSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// A text that is no image shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an image shape; write CHANNELSxHEIGHTxWIDTH with 1 or 3 channels and sides from 1 to 4096, such as 3x32x32"
)]
pub struct SpecError(String);

impl FromStr for ImageSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let error = || SpecError(text.to_owned());
        let sides: Vec<usize> = text
            .split('x')
            .map(|side| side.parse().map_err(|_| error()))
            .collect::<Result<_, _>>()?;
        match sides[..] {
            [channels @ (1 | 3), height @ 1..=4096, width @ 1..=4096] => {
                Ok(Self::new(channels, height, width))
            }
            _ => Err(error()),
        }
    }
}

impl TryFrom<String> for ImageSpec {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        text.parse()
    }
}

impl From<ImageSpec> for String {
    fn from(spec: ImageSpec) -> Self {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_survives_writing_and_reading() {
        for spec in [
            ImageSpec::MNIST,
            ImageSpec::CIFAR,
            ImageSpec::new(3, 7, 4096),
        ] {
            assert_eq!(spec.to_string().parse(), Ok(spec));
        }
    }

    #[test]
    fn what_is_no_shape_is_refused() {
        for text in [
            "",
            "28x28",
            "1x28x28x1",
            "2x28x28",
            "1x0x28",
            "1x28x5000",
            "1x-1x2",
            "axbxc",
        ] {
            assert!(text.parse::<ImageSpec>().is_err(), "{text}");
        }
    }
}
