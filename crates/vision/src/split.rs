//! Which images train, which validate, and how many of each are used.
//! Every choice is a function of the labels and a seed.

use crate::draw::{Draw, Purpose};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How many images to take: a count or a share of what is there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subset {
    /// So many images.
    Count(usize),
    /// This share of the images, above 0 and at most 1.
    Share(f64),
}

/// Why images cannot be divided as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SplitError {
    /// More images asked for than there are.
    #[error("{asked} {what} images were asked for, but there are only {available}")]
    TooMany {
        /// "validation" or "training".
        what: &'static str,
        /// Images asked for.
        asked: usize,
        /// Images there.
        available: usize,
    },
    /// Nothing would be left.
    #[error("{0} would leave no {1} image")]
    Empty(Subset, &'static str),
    /// Not a count and not a share.
    #[error("'{0}' is neither a number of images (1000) nor a share of them (0.1)")]
    Text(String),
}

impl Subset {
    /// The number of images this means among `available`.
    fn count(self, available: usize, what: &'static str) -> Result<usize, SplitError> {
        let asked = match self {
            Self::Count(count) => count,
            Self::Share(share) => (share * available as f64).round() as usize,
        };
        match asked {
            0 => Err(SplitError::Empty(self, what)),
            _ if asked > available => Err(SplitError::TooMany {
                what,
                asked,
                available,
            }),
            _ => Ok(asked),
        }
    }
}

impl fmt::Display for Subset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) if share.fract() == 0.0 => write!(f, "{share:.1}"),
            Self::Share(share) => write!(f, "{share}"),
        }
    }
}

impl FromStr for Subset {
    type Err = SplitError;

    fn from_str(text: &str) -> Result<Self, SplitError> {
        if let Ok(count) = text.parse() {
            return Ok(Self::Count(count));
        }
        match text.parse() {
            Ok(share) if share > 0.0 && share <= 1.0 => Ok(Self::Share(share)),
            _ => Err(SplitError::Text(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Subset {
    type Error = SplitError;

    fn try_from(text: String) -> Result<Self, SplitError> {
        text.parse()
    }
}

impl From<Subset> for String {
    fn from(subset: Subset) -> Self {
        subset.to_string()
    }
}

/// Divides images into training and validation indices, each class in the
/// proportion that it has among all of them; both lists ascend.
///
/// # Errors
/// When no validation image or no training image would be left.
pub fn train_val_split(
    labels: &[u16],
    validation: Subset,
    seed: u64,
) -> Result<(Vec<u32>, Vec<u32>), SplitError> {
    let held_out = validation.count(labels.len(), "validation")?;
    if held_out == labels.len() {
        return Err(SplitError::Empty(validation, "training"));
    }
    let classes = shuffled_classes(0..labels.len() as u32, labels, seed);
    let quotas = proportional(&classes, held_out, labels.len());
    let (mut train, mut val) = (Vec::new(), Vec::new());
    for (class, quota) in classes.iter().zip(quotas) {
        val.extend_from_slice(&class[..quota]);
        train.extend_from_slice(&class[quota..]);
    }
    train.sort_unstable();
    val.sort_unstable();
    Ok((train, val))
}

/// The first `subset` of `indices` in a seeded order that takes the classes in
/// turn, so that they are balanced as far as the images allow, and so that a
/// smaller subset is part of every larger one. The result ascends.
///
/// # Errors
/// When nothing would be left or more images are asked for than there are.
pub fn limit(
    indices: &[u32],
    labels: &[u16],
    subset: Subset,
    seed: u64,
    what: &'static str,
) -> Result<Vec<u32>, SplitError> {
    let count = subset.count(indices.len(), what)?;
    let classes = shuffled_classes(indices.iter().copied(), labels, seed);
    let rounds = classes.iter().map(Vec::len).max().unwrap_or(0);
    let mut taken: Vec<u32> = (0..rounds)
        .flat_map(|round| classes.iter().filter_map(move |class| class.get(round)))
        .copied()
        .take(count)
        .collect();
    taken.sort_unstable();
    Ok(taken)
}

/// As many of `indices` as there are, drawn with replacement: on average a
/// share of 1/e is not among them (Breiman 1996, "Bagging predictors"). The
/// result ascends.
pub fn bootstrap(indices: &[u32], seed: u64) -> Vec<u32> {
    let mut draw = Draw::keyed(seed, Purpose::Bootstrap, 0, 0);
    let mut sample: Vec<u32> = indices
        .iter()
        .map(|_| indices[draw.below(indices.len())])
        .collect();
    sample.sort_unstable();
    sample
}

/// The indices of each class, in an order that the seed and the class decide.
fn shuffled_classes(
    indices: impl Iterator<Item = u32>,
    labels: &[u16],
    seed: u64,
) -> Vec<Vec<u32>> {
    let mut classes = vec![Vec::new(); labels.iter().max().map_or(0, |&last| last as usize + 1)];
    for index in indices {
        classes[labels[index as usize] as usize].push(index);
    }
    for (class, members) in classes.iter_mut().enumerate() {
        Draw::keyed(seed, Purpose::Split, class as u64, 0).shuffle(members);
    }
    classes
}

/// Shares `wanted` of `total` items out over the classes by largest remainder.
fn proportional(classes: &[Vec<u32>], wanted: usize, total: usize) -> Vec<usize> {
    let mut quotas: Vec<_> = classes.iter().map(|c| c.len() * wanted / total).collect();
    let mut by_remainder: Vec<_> = (0..classes.len()).collect();
    by_remainder.sort_by_key(|&c| (std::cmp::Reverse(classes[c].len() * wanted % total), c));
    let missing = wanted - quotas.iter().sum::<usize>();
    for &class in by_remainder.iter().take(missing) {
        quotas[class] += 1;
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<u16> {
        (0..1000)
            .map(|i| if i % 10 < 7 { 0 } else { (i % 3) as u16 })
            .collect()
    }

    fn count(indices: &[u32], class: u16) -> usize {
        indices
            .iter()
            .filter(|&&i| labels()[i as usize] == class)
            .count()
    }

    #[test]
    fn a_split_is_complete_disjoint_and_stratified() {
        let (train, val) = train_val_split(&labels(), Subset::Count(100), 1).expect("splits");
        assert_eq!((train.len(), val.len()), (900, 100));
        let mut all = [train, val.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        for class in 0..3 {
            let share = labels().iter().filter(|&&l| l == class).count() as f64 / 10.0;
            assert!((count(&val, class) as f64 - share).abs() <= 1.0);
        }
    }

    #[test]
    fn the_seed_alone_decides_a_split() {
        let split = |seed| train_val_split(&labels(), Subset::Share(0.2), seed).expect("splits");
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
    }

    #[test]
    fn a_limit_is_balanced_and_nested() {
        let all: Vec<u32> = (0..1000).collect();
        let take = |n| limit(&all, &labels(), Subset::Count(n), 3, "training").expect("takes");
        let (small, large) = (take(30), take(90));
        assert!((0..3).all(|class| count(&small, class) == 10));
        assert!(small.iter().all(|i| large.binary_search(i).is_ok()));
    }

    #[test]
    fn a_bootstrap_sample_leaves_out_a_share_of_one_over_e() {
        let all: Vec<u32> = (500..10_500).collect();
        let mut sample = bootstrap(&all, 1);
        assert_eq!(sample, bootstrap(&all, 1));
        assert_ne!(sample, bootstrap(&all, 2));
        assert_eq!(sample.len(), all.len());
        assert!(sample.is_sorted() && sample.iter().all(|i| all.contains(i)));
        sample.dedup();
        // The share left out has a standard deviation of 0.003.
        let left_out = 1.0 - sample.len() as f64 / all.len() as f64;
        assert!((left_out - (-1.0f64).exp()).abs() < 0.015, "{left_out}");
    }

    #[test]
    fn impossible_subsets_are_refused() {
        let split = |subset| train_val_split(&labels(), subset, 0);
        assert!(matches!(
            split(Subset::Count(1001)),
            Err(SplitError::TooMany { .. })
        ));
        assert!(matches!(
            split(Subset::Count(0)),
            Err(SplitError::Empty(..))
        ));
        assert!(matches!(
            split(Subset::Share(1.0)),
            Err(SplitError::Empty(..))
        ));
        for text in ["0.0", "1.5", "-3", "many", "nan"] {
            assert!(text.parse::<Subset>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_subset_survives_writing_and_reading() {
        for subset in [Subset::Count(1), Subset::Share(1.0), Subset::Share(0.25)] {
            assert_eq!(subset.to_string().parse(), Ok(subset));
        }
    }
}
