//! What a run was computed on.

use serde::{Deserialize, Serialize};

/// Versions and hardware, as far as they bear on a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Version of kiln.
    pub kiln: String,
    /// Version of Burn.
    pub burn: String,
    /// Git revision that kiln was built from, with `+` when it was changed.
    pub revision: Option<String>,
    /// Operating system and architecture.
    pub platform: String,
    /// Threads of the CPU backends.
    pub threads: usize,
    /// The widest vector instructions that the CPU offers.
    pub simd: String,
}

impl Machine {
    /// The machine that this program runs on.
    pub fn here(revision: Option<&str>) -> Self {
        Self {
            kiln: env!("CARGO_PKG_VERSION").to_owned(),
            burn: kiln_backend::BURN_VERSION.to_owned(),
            revision: revision.map(str::to_owned),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            threads: kiln_backend::threads(),
            simd: simd().to_owned(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn simd() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx512f") {
        "AVX-512"
    } else if std::arch::is_x86_feature_detected!("avx2") {
        "AVX2"
    } else {
        "SSE2"
    }
}

#[cfg(target_arch = "aarch64")]
fn simd() -> &'static str {
    "NEON"
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn simd() -> &'static str {
    "none known"
}

/// Lets [`peak_memory_bytes`] count from what is in use now, where the system
/// allows it (Linux); elsewhere it goes on counting from the start.
pub(crate) fn reset_peak_memory() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory this process has had in use, where the system tells (Linux).
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
