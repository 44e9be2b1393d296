//! The random numbers behind the drawings: one stream per image, keyed by what
//! the image is, and the few distributions that drawing needs. They are made
//! here and not by a library, so that no update can change a picture.

use kiln_vision::{
    Part,
    draw::{Draw, Purpose},
};

/// A stream of random numbers that depends on its key alone.
pub(crate) struct Random(Draw);

/// What numbers are drawn for within a data set.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Subject {
    /// The order of the classes of ten digits.
    DigitOrder = 0,
    /// A digit.
    Digit = 2,
    /// The order of the classes of ten shapes.
    ShapeOrder = 4,
    /// A shape.
    Shape = 6,
    /// The order of the classes of ten signals.
    SignalOrder = 8,
    /// A signal.
    Signal = 10,
}

/// What a series of streams is drawn for; they never share numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// What is drawn.
    pub(crate) subject: Subject,
    /// The half of the data set.
    pub(crate) part: Part,
    /// The seed of the data set.
    pub(crate) seed: u64,
}

impl Key {
    /// The stream of number `index` under this key.
    pub(crate) fn stream(self, index: u64) -> Random {
        let part = match self.part {
            Part::Training => 0,
            Part::Test => 1,
        };
        let first = self.subject as u64 + part;
        Random(Draw::keyed(self.seed, Purpose::Drawing, first, index))
    }
}

impl Random {
    /// A number from 0 (included) to 1 (excluded).
    pub(crate) fn unit(&mut self) -> f32 {
        self.0.unit()
    }

    /// A number from `low` to `high`, every one as likely.
    pub(crate) fn between(&mut self, (low, high): (f32, f32)) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A number from `-reach` to `reach`, every one as likely.
    pub(crate) fn around(&mut self, reach: f32) -> f32 {
        self.between((-reach, reach))
    }

    /// A nearly normal number of mean 0 and standard deviation 1: the sum of
    /// four numbers of 7 bits, so never beyond 3.5 and without `ln` or `cos`.
    pub(crate) fn normal(&mut self) -> f32 {
        let bits = self.0.below(1 << 28);
        let sum: usize = (0..4).map(|part| (bits >> (7 * part)) & 0x7f).sum();
        // The sum has the mean 4 x 63.5 and the variance 4 (128^2 - 1) / 12.
        (sum as f32 - 254.0) / 73.898_13
    }

    /// Whether an event of this probability happens.
    pub(crate) fn happens(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// A whole number below `count`, which is not 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.below(count)
    }

    /// The numbers 0 to 9 in a random order.
    pub(crate) fn permutation(&mut self) -> [u16; 10] {
        let mut order: [u16; 10] = std::array::from_fn(|position| position as u16);
        self.0.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(part: Part, seed: u64, index: u64) -> Random {
        let key = Key {
            subject: Subject::Digit,
            part,
            seed,
        };
        key.stream(index)
    }

    #[test]
    fn every_part_of_the_key_changes_the_stream() {
        let first = |part, seed, index| stream(part, seed, index).0.below(1 << 30);
        let base = first(Part::Training, 1, 0);
        assert_eq!(base, first(Part::Training, 1, 0));
        assert_ne!(base, first(Part::Test, 1, 0));
        assert_ne!(base, first(Part::Training, 2, 0));
        assert_ne!(base, first(Part::Training, 1, 1));
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let mut random = stream(Part::Training, 1, 0);
        let draws: Vec<f64> = (0..100_000).map(|_| f64::from(random.normal())).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let square = draws.iter().map(|draw| draw * draw).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((square - 1.0).abs() < 0.02, "{square}");
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut random = stream(Part::Test, 1, 0);
        for _ in 0..100 {
            let mut order = random.permutation();
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
    }
}
