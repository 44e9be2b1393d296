//! From bytes to the numbers a network sees: scaling to [0, 1], then one of
//! the three ways of taking the mean away.

use crate::{ImageSpec, Images};
use serde::{Deserialize, Serialize};

/// The ways of pre-processing; each is computed from the training split alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preprocessing {
    /// Pixels in [0, 1], nothing taken away.
    None,
    /// Subtract the mean image, as AlexNet does (Krizhevsky et al. 2012, section 2).
    MeanImage,
    /// Subtract the mean of each channel, as VGG does (Simonyan & Zisserman 2015, section 2.1).
    ChannelMean,
    /// Subtract the mean of each channel and divide by its standard deviation, as ResNet's
    /// published code does.
    #[default]
    ChannelMeanStd,
}

impl Preprocessing {
    /// Every way, with the name that a configuration uses.
    pub const ALL: &[(&str, Self)] = &[
        ("none", Self::None),
        ("mean-image", Self::MeanImage),
        ("channel-mean", Self::ChannelMean),
        ("channel-mean-std", Self::ChannelMeanStd),
    ];
}

/// The numbers of a normalisation: `(byte / 255 - mean) / std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    /// How the numbers were made.
    pub kind: Preprocessing,
    /// Shape of the images.
    pub input: ImageSpec,
    /// One mean per channel, or one per value of the image for the mean image.
    pub mean: Vec<f32>,
    /// One standard deviation per channel (population, in units of [0, 1]).
    pub std: Vec<f32>,
}

impl Normalization {
    /// Computes the numbers from the images at `indices`, exactly: sums are
    /// kept as integers.
    pub fn fit(kind: Preprocessing, images: &Images, indices: &[u32]) -> Self {
        let input = images.spec();
        let plane = input.height * input.width;
        let mut sums = vec![0u64; input.len()];
        let mut squares = vec![0u64; input.channels];
        for &index in indices {
            for (at, &byte) in images.pixels(index as usize).iter().enumerate() {
                sums[at] += u64::from(byte);
                squares[at / plane] += u64::from(byte) * u64::from(byte);
            }
        }
        let count = indices.len().max(1) as f64;
        let channel_mean: Vec<f64> = sums
            .chunks(plane)
            .map(|sums| sums.iter().sum::<u64>() as f64 / (count * plane as f64 * 255.0))
            .collect();
        let channel_std = squares.iter().zip(&channel_mean).map(|(&square, mean)| {
            let variance = square as f64 / (count * plane as f64 * 255.0 * 255.0) - mean * mean;
            match variance.max(0.0).sqrt() {
                // A channel without any variation is left at its scale.
                std if std < 1e-6 => 1.0,
                std => std as f32,
            }
        });
        let unit = vec![1.0; input.channels];
        let (mean, std) = match kind {
            Preprocessing::None => (vec![0.0; input.channels], unit),
            Preprocessing::MeanImage => {
                let mean = sums
                    .iter()
                    .map(|&sum| (sum as f64 / (count * 255.0)) as f32);
                (mean.collect(), unit)
            }
            Preprocessing::ChannelMean => (channel_mean.iter().map(|&m| m as f32).collect(), unit),
            Preprocessing::ChannelMeanStd => (
                channel_mean.iter().map(|&m| m as f32).collect(),
                channel_std.collect(),
            ),
        };
        Self {
            kind,
            input,
            mean,
            std,
        }
    }

    /// Appends the normalised values of one image to `values`.
    ///
    /// # Panics
    /// When `pixels` is not an image of the shape this was computed for.
    pub fn append(&self, pixels: &[u8], values: &mut Vec<f32>) {
        assert_eq!(pixels.len(), self.input.len(), "an image of {}", self.input);
        let plane = self.input.height * self.input.width;
        for (channel, pixels) in pixels.chunks(plane).enumerate() {
            let std = self.std[channel];
            if self.kind == Preprocessing::MeanImage {
                let mean = &self.mean[channel * plane..][..plane];
                values.extend(
                    pixels
                        .iter()
                        .zip(mean)
                        .map(|(&byte, mean)| (f32::from(byte) / 255.0 - mean) / std),
                );
            } else {
                // 256 possible bytes: a table costs less than a division per pixel.
                let mean = self.mean[channel];
                let table: [f32; 256] =
                    std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / std);
                values.extend(pixels.iter().map(|&byte| table[usize::from(byte)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> Images {
        // Two images of two channels; the third one is not part of the split.
        let pixels = vec![0, 255, 51, 51, 255, 0, 51, 51, 9, 9, 9, 9];
        Images::new(ImageSpec::new(2, 1, 2), pixels, vec![0, 0, 0], 1).expect("valid")
    }

    fn apply(kind: Preprocessing) -> Vec<f32> {
        let images = images();
        let mut values = Vec::new();
        Normalization::fit(kind, &images, &[0, 1]).append(images.pixels(0), &mut values);
        values
    }

    #[test]
    fn the_three_ways_give_what_their_definitions_say() {
        assert_eq!(apply(Preprocessing::None), [0.0, 1.0, 0.2, 0.2]);
        assert_eq!(apply(Preprocessing::MeanImage), [-0.5, 0.5, 0.0, 0.0]);
        assert_eq!(apply(Preprocessing::ChannelMean), [-0.5, 0.5, 0.0, 0.0]);
        // The second channel is constant: its deviation counts as 1.
        assert_eq!(apply(Preprocessing::ChannelMeanStd), [-1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn only_the_given_images_count() {
        let all = Normalization::fit(Preprocessing::ChannelMean, &images(), &[0, 1, 2]);
        let two = Normalization::fit(Preprocessing::ChannelMean, &images(), &[0, 1]);
        assert_ne!(all.mean, two.mean);
    }
}
