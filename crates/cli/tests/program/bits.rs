//! What stored results rest on: the bits of a training.

use super::stderr;
use std::{fs, process::Command};

/// The weights of a short training with each kind of vectors, for kernels of
/// revision 1. When one changes on purpose, `kiln_kernels::REVISION` is raised:
/// results that were stored before are then held to their spread alone.
#[cfg(target_arch = "x86_64")]
const WEIGHTS: [(&str, bool, &str); 3] = [
    (
        "avx512",
        true,
        "ee66778a17baf2ecc028a93c4f34989cc600df66c9cbd80c038a60efc251592c",
    ),
    (
        "avx2",
        true,
        "ee66778a17baf2ecc028a93c4f34989cc600df66c9cbd80c038a60efc251592c",
    ),
    (
        "portable",
        false,
        "d4bb00677f68c5a7e95519aec48c0206f331d49a2187c126388eaf66119b9a4a",
    ),
];

#[cfg(target_arch = "x86_64")]
#[test]
fn the_bits_of_a_training_are_those_of_this_revision_of_the_kernels() {
    assert_eq!(kiln_kernels::REVISION, 1);
    let fused = std::arch::is_x86_feature_detected!("fma");
    for (vectors, wide, weights) in WEIGHTS {
        if wide && !fused {
            continue; // they would be the portable ones
        }
        let dir = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args([
                "train",
                "lenet",
                "--dataset",
                "digits",
                "--limit-train",
                "512",
            ])
            .args(["--limit-val", "100", "--epochs", "1", "--progress", "none"])
            .env("KILN_KERNELS", vectors)
            .env("KILN_DATA_DIR", dir.path())
            .env_remove("KILN_RUNS_DIR")
            .env_remove("BURN_DEVICE")
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let manifest = fs::read_to_string(dir.path().join("runs/latest/run.json")).unwrap();
        assert!(manifest.contains(weights), "{vectors}: {manifest}");
    }
}
