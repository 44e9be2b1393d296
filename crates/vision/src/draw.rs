//! Random numbers that depend on their key alone: never on the platform, the
//! thread, the number of numbers drawn elsewhere, or a library's version of a
//! distribution.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// What a stream of random numbers is for; two purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Which images are held out for validation or kept by a limit.
    Split = 1,
    /// The order of the images in an epoch.
    Order = 2,
    /// The look of a drawn image.
    Drawing = 3,
    /// How an image is changed before it is shown.
    Augmentation = 4,
}

/// A stream of random numbers, ChaCha with 8 rounds, keyed by four integers.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of `purpose` that belongs to `seed` and two further
    /// integers, such as an epoch and an index.
    pub fn keyed(seed: u64, purpose: Purpose, first: u64, second: u64) -> Self {
        let mut key = [0; 32];
        for (bytes, word) in key
            .chunks_exact_mut(8)
            .zip([seed, purpose as u64, first, second])
        {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// An integer from 0 to `bound - 1`, each as likely as the other (by
    /// rejection). `bound` 0 gives 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let word = self.0.next_u64();
            if word < limit {
                return (word % bound) as usize;
            }
        }
    }

    /// A number in [0, 1), a multiple of 2^-24.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Puts `items` in random order, every order as likely as the other.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_every_part_of_their_key() {
        let first = |seed, purpose, a, b| Draw::keyed(seed, purpose, a, b).below(1 << 40);
        let base = first(1, Purpose::Order, 2, 3);
        assert_eq!(base, first(1, Purpose::Order, 2, 3));
        assert_ne!(base, first(2, Purpose::Order, 2, 3));
        assert_ne!(base, first(1, Purpose::Split, 2, 3));
        assert_ne!(base, first(1, Purpose::Order, 3, 3));
        assert_ne!(base, first(1, Purpose::Order, 2, 4));
    }

    #[test]
    fn every_value_below_a_bound_is_equally_likely() {
        let mut draw = Draw::keyed(0, Purpose::Split, 0, 0);
        let mut counts = [0; 6];
        for _ in 0..6000 {
            counts[draw.below(6)] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: Vec<_> = (0..100).collect();
        Draw::keyed(7, Purpose::Order, 0, 0).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
