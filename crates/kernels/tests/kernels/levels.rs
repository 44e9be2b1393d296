//! The tests of this program once more for each instruction set.

use std::{env, process::Command};

/// Runs this program's other tests with the vectors called `level`, or with
/// the best ones where this machine has none such.
fn rerun(level: &str) {
    if env::var_os("KILN_KERNELS").is_some() {
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--skip", "levels::", "--skip", "threads::"])
        .env("KILN_KERNELS", level)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{level}:\n{text}");
}

#[test]
fn the_tests_pass_with_avx2() {
    rerun("avx2");
}

#[test]
fn the_tests_pass_with_portable_vectors() {
    rerun("portable");
}
