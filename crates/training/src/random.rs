//! The seed of a step: what is random in it is a function of the run's seed and
//! the step's number, so that a resumed training draws what the uninterrupted
//! one drew.

/// A seed for step `step`, counted from 0: SplitMix64 (G. Steele, D. Lea, C.
/// Flood 2014) of both.
pub(crate) fn step_seed(seed: u64, step: usize) -> u64 {
    mixed(mixed(seed) ^ step as u64)
}

fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_step_of_every_seed_has_a_seed_of_its_own() {
        let seeds = (0..100).flat_map(|seed| (0..1000).map(move |step| step_seed(seed, step)));
        assert_eq!(seeds.collect::<HashSet<_>>().len(), 100_000);
    }
}
