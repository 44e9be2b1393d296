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
    /// Whether an image is mirrored in the first epoch.
    Mirror = 5,
    /// Which images of a batch are mixed, and how.
    Mixing = 6,
    /// What is added to the input of the network.
    Noise = 7,
    /// Where pixels go that change places.
    Arrangement = 8,
    /// Which images a bootstrap sample holds.
    Bootstrap = 16,
    /// The settings that a search tries.
    Search = 17,
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

    /// A number in [-most, most), each as likely as the other.
    pub fn around(&mut self, most: f32) -> f32 {
        (2.0 * self.unit() - 1.0) * most
    }

    /// Two numbers in [-most, most), each one of 2^16, from one draw.
    pub fn two_around(&mut self, most: f32) -> [f32; 2] {
        let word = self.0.next_u32();
        [word as u16, (word >> 16) as u16]
            .map(|half| (f32::from(half) / (1 << 15) as f32 - 1.0) * most)
    }

    /// A number in (0, 1), with 53 bits.
    pub fn fraction(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Independent numbers of the standard normal distribution (Box and Muller
    /// 1958), at most 5.8 from 0.
    pub fn normals(&mut self) -> [f32; NORMALS] {
        let mut words = [0; NORMALS];
        words.fill_with(|| self.0.next_u32());
        let mut values = [0.0; NORMALS];
        let (firsts, seconds) = values.split_at_mut(PAIRS);
        for (at, (first, second)) in firsts.iter_mut().zip(seconds).enumerate() {
            let above_0 = ((words[at] >> 8) + 1) as f32 / (1 << 24) as f32;
            let radius = (-2.0 * ln(above_0)).sqrt();
            let [x, y] = on_circle(words[PAIRS + at]);
            *first = radius * x;
            *second = radius * y;
        }
        values
    }

    /// A number of the distribution Beta(`shape`, `shape`), as the share of
    /// one of two gamma variates in their sum. `shape` is above 0.
    pub fn beta(&mut self, shape: f64) -> f64 {
        let (one, other) = (self.ln_gamma(shape), self.ln_gamma(shape));
        1.0 / (1.0 + libm::exp(other - one))
    }

    /// The logarithm of a gamma variate of scale 1 (Marsaglia and Tsang 2000,
    /// shapes below 1 by their last section); a logarithm because variates of
    /// small shapes are too small for a float.
    fn ln_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.ln_gamma(shape + 1.0) + libm::log(self.fraction()) / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let radius = (-2.0 * libm::log(self.fraction())).sqrt();
            let normal = radius * libm::cos(std::f64::consts::TAU * self.fraction());
            let root = 1.0 + c * normal;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let bound = 0.5 * normal * normal + d * (1.0 - v + libm::log(v));
            if libm::log(self.fraction()) < bound {
                return libm::log(d * v);
            }
        }
    }

    /// Puts `items` in random order, every order as likely as the other.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Normal numbers that are made at once, so that the compiler can make several
/// in one instruction.
pub const NORMALS: usize = 64;
const PAIRS: usize = NORMALS / 2;

/// The natural logarithm of a number above 0, by the series of the inverse
/// hyperbolic tangent: exact to about 1e-7, and the same on every platform.
fn ln(number: f32) -> f32 {
    // The number is 2^exponent times a mantissa around 1.
    let root_of_half = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    let above = number.to_bits().wrapping_sub(root_of_half);
    let exponent = (above as i32 >> 23) as f32;
    let mantissa = f32::from_bits((above & 0x7f_ffff) + root_of_half);
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = 1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square / 9.0));
    exponent * std::f32::consts::LN_2 + 2.0 * s * (1.0 + square * series)
}

/// A point of the unit circle, every 2^-32 of it as likely as the other: two
/// bits of `word` choose the quarter, the series of sine and cosine do the rest.
fn on_circle(word: u32) -> [f32; 2] {
    let part = (word & 0x3fff_ffff) as f32 / (1 << 30) as f32;
    let angle = (part - 0.5) * std::f32::consts::FRAC_PI_2;
    let q = angle * angle;
    let sin = angle * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0))));
    let cos = 1.0 - q / 2.0 * (1.0 - q / 12.0 * (1.0 - q / 30.0 * (1.0 - q / 56.0)));
    let [x, y] = match word >> 30 & 1 {
        0 => [cos, sin],
        _ => [-sin, cos],
    };
    match word >> 31 {
        0 => [x, y],
        _ => [-x, -y],
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

    /// Mean and variance of `count` draws.
    fn moments(count: usize, mut next: impl FnMut() -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..count).map(|_| next()).collect();
        let mean = values.iter().sum::<f64>() / count as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2));
        (mean, variance.sum::<f64>() / count as f64)
    }

    #[test]
    fn pairs_around_0_are_even_and_independent() {
        let mut draw = Draw::keyed(5, Purpose::Augmentation, 0, 0);
        let pairs: Vec<_> = (0..40_000).map(|_| draw.two_around(3.0)).collect();
        for half in 0..2 {
            let mut values = pairs.iter().map(|pair| f64::from(pair[half]));
            let (mean, variance) = moments(40_000, || values.next().expect("a number"));
            // A uniform number from -3 to 3 has the variance 3.
            assert!(
                mean.abs() < 0.04 && (variance - 3.0).abs() < 0.06,
                "{mean} {variance}"
            );
        }
        assert!(
            pairs
                .iter()
                .flatten()
                .all(|value| (-3.0..3.0).contains(value))
        );
        let product: f32 = pairs.iter().map(|[one, other]| one * other).sum();
        assert!((product / 40_000.0).abs() < 0.06, "{product}");
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut draw = Draw::keyed(1, Purpose::Noise, 0, 0);
        let blocks: Vec<_> = (0..2_000).map(|_| draw.normals()).collect();
        let mut beyond = 0;
        for half in 0..2 {
            let values = blocks
                .iter()
                .flat_map(|block| &block[half * PAIRS..][..PAIRS]);
            let mut values = values.copied().map(f64::from);
            let (mean, variance) = moments(64_000, || {
                let value = values.next().expect("a number");
                beyond += usize::from(value.abs() > 1.96);
                value
            });
            assert!(mean.abs() < 0.02, "{mean}");
            assert!((variance - 1.0).abs() < 0.03, "{variance}");
        }
        // 5 % of 128,000
        assert!((6_200..6_600).contains(&beyond), "{beyond}");
        let pairs = blocks
            .iter()
            .flat_map(|block| (0..PAIRS).map(|at| block[at] * block[PAIRS + at]));
        let product = pairs.map(f64::from).sum::<f64>() / 64_000.0;
        assert!(product.abs() < 0.02, "correlated by {product}");
    }

    #[test]
    fn logarithms_and_circle_are_those_of_the_library() {
        let mut draw = Draw::keyed(4, Purpose::Noise, 0, 0);
        for _ in 0..10_000 {
            let word = draw.0.next_u32();
            let number = ((word >> 8) + 1) as f32 / (1 << 24) as f32;
            let expected = libm::log(number.into());
            assert!((f64::from(ln(number)) - expected).abs() <= 4e-7 * expected.abs().max(0.1));
            let [x, y] = on_circle(word).map(f64::from);
            let turn = f64::from(word & 0x3fff_ffff) / f64::from(1 << 30) - 0.5;
            let quarter = f64::from(word >> 30);
            let (sin, cos) = libm::sincos((turn + quarter) * std::f64::consts::FRAC_PI_2);
            assert!(
                (x - cos).abs() < 3e-7 && (y - sin).abs() < 3e-7,
                "{x} {cos} {y} {sin}"
            );
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn beta_numbers_have_the_variance_of_their_shape() {
        for shape in [0.001, 0.2, 0.5, 1.0, 1.7, 8.0, 300.0] {
            let mut draw = Draw::keyed(2, Purpose::Mixing, 0, 0);
            let (mean, variance) = moments(40_000, || {
                let share = draw.beta(shape);
                assert!((0.0..=1.0).contains(&share), "{share}");
                share
            });
            let expected = 1.0 / (4.0 * (2.0 * shape + 1.0));
            assert!((mean - 0.5).abs() < 0.01, "{shape}: {mean}");
            assert!(
                (variance / expected - 1.0).abs() < 0.03,
                "{shape}: {variance}, not {expected}"
            );
        }
    }

    #[test]
    fn a_quarter_of_beta_one_half_lies_below_sin_squared_of_an_eighth_turn() {
        // The arcsine law: P(X < x) = 2/pi arcsin(sqrt(x)).
        let mut draw = Draw::keyed(3, Purpose::Mixing, 0, 0);
        let below = (0..40_000).filter(|_| draw.beta(0.5) < 0.146_446_6).count();
        assert!((9_700..10_300).contains(&below), "{below}");
    }
}
