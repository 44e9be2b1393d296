//! Mixing the images of a batch with each other: mixup (Zhang, Cisse,
//! Dauphin, Lopez-Paz 2018) and cutmix (Yun et al. 2019). Which images meet,
//! and how much of each is shown, is a function of the seed, the epoch and the
//! number of the batch.

use crate::{
    EpochKey, ImageSpec,
    draw::{Draw, Purpose},
};
use std::ops::Range;

/// The least and the most that a parameter of a mixing may be.
const LIMITS: (f64, f64) = (0.001, 1000.0);

/// What the images of a batch were mixed with.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// The classes of the other images, `[batch]`.
    pub labels: Vec<u16>,
    /// Weight of the image's own class, from 0 to 1; the other's is the rest.
    pub share: f32,
}

/// How batches are mixed. With both, one of the two is drawn for each batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixing {
    mixup: f64,
    cutmix: f64,
}

/// A parameter that no mixing can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "{name} is {value}, but it must be 0, which is off, or from {} to {}",
    LIMITS.0,
    LIMITS.1
)]
pub struct MixingError {
    name: &'static str,
    value: f64,
}

impl Mixing {
    /// Mixing with shares of the distribution Beta(a, a), where a is `mixup`
    /// for mixup and `cutmix` for cutmix; 0 leaves that one out, and nothing
    /// comes back when both are.
    ///
    /// # Errors
    /// When a number is neither 0 nor from 0.001 to 1000.
    pub fn new(mixup: f64, cutmix: f64) -> Result<Option<Self>, MixingError> {
        for (name, value) in [("mixup", mixup), ("cutmix", cutmix)] {
            if value != 0.0 && !(LIMITS.0..=LIMITS.1).contains(&value) {
                return Err(MixingError { name, value });
            }
        }
        let any = mixup > 0.0 || cutmix > 0.0;
        Ok(any.then_some(Self { mixup, cutmix }))
    }

    /// Mixes batch number `batch` of an epoch: `values`, images of the shape
    /// `spec`, one after the other, and their classes `labels`.
    pub(crate) fn mix(
        &self,
        values: &mut Vec<f32>,
        labels: &[u16],
        spec: ImageSpec,
        (key, batch): (EpochKey, usize),
    ) -> Mixed {
        let mut draw = Draw::keyed(key.seed, Purpose::Mixing, key.epoch, batch as u64);
        let cutmix = match (self.mixup > 0.0, self.cutmix > 0.0) {
            (true, true) => draw.below(2) == 1,
            (_, cutmix) => cutmix,
        };
        let mut partners: Vec<usize> = (0..labels.len()).collect();
        draw.shuffle(&mut partners);
        let share = match cutmix {
            true => {
                let share = draw.beta(self.cutmix);
                paste(values, &partners, spec, share, &mut draw)
            }
            false => {
                let share = draw.beta(self.mixup) as f32;
                blend(values, &partners, spec, share);
                share
            }
        };
        Mixed {
            labels: partners.iter().map(|&partner| labels[partner]).collect(),
            share,
        }
    }
}

/// `share` of each image and the rest of its partner.
fn blend(values: &mut Vec<f32>, partners: &[usize], spec: ImageSpec, share: f32) {
    let mut mixed = Vec::with_capacity(values.len());
    for (own, partner) in values.chunks_exact(spec.len()).zip(partners) {
        let other = &values[partner * spec.len()..][..spec.len()];
        let pairs = own.iter().zip(other);
        mixed.extend(pairs.map(|(own, other)| share * own + (1.0 - share) * other));
    }
    *values = mixed;
}

/// A box of the partner, in one place for the whole batch, of `1 - share` of
/// the area before it is cut off at the border; the share that is left.
fn paste(
    values: &mut [f32],
    partners: &[usize],
    spec: ImageSpec,
    share: f64,
    draw: &mut Draw,
) -> f32 {
    let side = (1.0 - share).sqrt();
    let mut span = |length: usize| -> Range<usize> {
        let middle = draw.below(length) as isize;
        let pasted = (length as f64 * side) as isize;
        let within = |at: isize| at.clamp(0, length as isize) as usize;
        within(middle - pasted / 2)..within(middle - pasted / 2 + pasted)
    };
    let (rows, columns) = (span(spec.height), span(spec.width));
    let own = values.to_vec();
    for (image, partner) in values.chunks_exact_mut(spec.len()).zip(partners) {
        let other = &own[partner * spec.len()..][..spec.len()];
        for channel in 0..spec.channels {
            for row in rows.clone() {
                let from = (channel * spec.height + row) * spec.width;
                let at = from + columns.start..from + columns.end;
                image[at.clone()].copy_from_slice(&other[at]);
            }
        }
    }
    let pasted = rows.len() * columns.len();
    (1.0 - pasted as f64 / (spec.height * spec.width) as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: ImageSpec = ImageSpec::new(2, 8, 6);
    const COUNT: usize = 5;

    fn batch() -> (Vec<f32>, Vec<u16>) {
        // Image i holds i + 1 everywhere.
        let values = (0..COUNT * SPEC.len()).map(|at| (at / SPEC.len() + 1) as f32);
        (values.collect(), (0..COUNT as u16).collect())
    }

    fn mixed(mixup: f64, cutmix: f64, number: usize) -> (Vec<f32>, Mixed) {
        let mixing = Mixing::new(mixup, cutmix).expect("valid").expect("on");
        let (mut values, labels) = batch();
        let key = EpochKey { seed: 1, epoch: 2 };
        let mixed = mixing.mix(&mut values, &labels, SPEC, (key, number));
        (values, mixed)
    }

    #[test]
    fn mixup_weighs_each_image_and_its_partner() {
        for number in 0..20 {
            let (values, mixed) = mixed(1.0, 0.0, number);
            for (image, (values, label)) in values.chunks(SPEC.len()).zip(&mixed.labels).enumerate()
            {
                let (own, other) = ((image + 1) as f32, f32::from(*label) + 1.0);
                let expected = mixed.share * own + (1.0 - mixed.share) * other;
                assert!(values.iter().all(|value| *value == expected));
            }
        }
    }

    #[test]
    fn the_share_of_cutmix_is_the_area_that_is_left() {
        let mut areas = 0;
        for number in 0..50 {
            let (values, mixed) = mixed(0.0, 1.0, number);
            for (image, (values, label)) in values.chunks(SPEC.len()).zip(&mixed.labels).enumerate()
            {
                if usize::from(*label) == image {
                    continue;
                }
                let own = |value: &&f32| **value == (image + 1) as f32;
                let kept = values.iter().filter(own).count();
                let rest = values.len() - kept;
                let other = f32::from(*label) + 1.0;
                assert_eq!(values.iter().filter(|v| **v == other).count(), rest);
                let share = kept as f64 / SPEC.len() as f64;
                assert!((f64::from(mixed.share) - share).abs() < 1e-7);
                areas += usize::from(kept > 0 && rest > 0);
            }
        }
        assert!(areas > 50, "{areas}");
    }

    #[test]
    fn seed_epoch_and_batch_decide_and_partners_are_a_permutation() {
        assert_eq!(mixed(0.4, 1.0, 3), mixed(0.4, 1.0, 3));
        assert_ne!(mixed(0.4, 0.0, 3), mixed(0.4, 0.0, 4));
        let mut labels = mixed(0.4, 1.0, 3).1.labels;
        labels.sort_unstable();
        assert_eq!(labels, batch().1);
    }

    #[test]
    fn with_both_each_batch_has_one_of_them() {
        let whole = |value: &f32| value.fract() == 0.0;
        let pasted = (0..40).filter(|&number| mixed(1.0, 1.0, number).0.iter().all(whole));
        assert!((10..30).contains(&pasted.count()));
    }

    #[test]
    fn parameters_are_checked() {
        assert_eq!(Mixing::new(0.0, 0.0), Ok(None));
        for wrong in [-1.0, f64::NAN, f64::INFINITY, 1e-9, 1e9] {
            let error = Mixing::new(0.2, wrong).expect_err("refused");
            assert!(error.to_string().starts_with("cutmix is "), "{error}");
            assert!(Mixing::new(wrong, 0.0).is_err());
        }
    }
}
