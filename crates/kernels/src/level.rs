//! Which vectors the kernels compute with: the widest of this machine, or
//! those that the environment variable `KILN_KERNELS` names.

use std::{env, sync::OnceLock};

/// Instruction sets, the widest vectors first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 16 lanes, x86-64.
    Avx512,
    /// 8 lanes, x86-64, with fused multiply-add.
    Avx2,
    /// 4 lanes, every aarch64.
    Neon,
    /// 4 lanes without any instruction set.
    Portable,
}

const LEVELS: [(Level, &str); 4] = [
    (Level::Avx512, "avx512"),
    (Level::Avx2, "avx2"),
    (Level::Neon, "neon"),
    (Level::Portable, "portable"),
];

impl Level {
    /// Whether this machine has it.
    fn is_here(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f") && Self::Avx2.is_here(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Neon => cfg!(target_arch = "aarch64"),
            Self::Portable => true,
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

/// The level of this process; read once, as packed matrices depend on it.
#[inline]
pub fn level() -> Level {
    static CHOSEN: OnceLock<Level> = OnceLock::new();
    *CHOSEN.get_or_init(|| choose(env::var("KILN_KERNELS").ok().as_deref()))
}

/// Name of the vectors that this process computes with: `avx512`, `avx2`,
/// `neon` or `portable`. Other vectors give other last bits.
pub fn vectors() -> &'static str {
    let named = LEVELS.iter().find(|(found, _)| *found == level());
    named.map_or("portable", |(_, name)| name)
}

/// The level called `name`, or the best one where this machine has none such.
fn choose(name: Option<&str>) -> Level {
    let here = || LEVELS.iter().filter(|(level, _)| level.is_here());
    let named = here().find(|(_, called)| Some(*called) == name);
    named
        .or_else(|| here().next())
        .map_or(Level::Portable, |(level, _)| *level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_chosen_by_name_and_an_unknown_one_gives_the_best() {
        assert_eq!(choose(Some("portable")), Level::Portable);
        assert_eq!(choose(Some("mmx")), choose(None));
        assert!(choose(None).is_here());
        for (level, name) in LEVELS {
            match level.is_here() {
                true => assert_eq!(choose(Some(name)), level),
                false => assert_eq!(choose(Some(name)), choose(None)),
            }
        }
    }
}
