//! Tells a program which git revision it is built from, when there is one.

use std::{path::Path, process::Command};

fn main() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    if let Some(root) = root
        .into_iter()
        .find(|folder| folder.join("Cargo.lock").is_file())
    {
        for sources in ["crates", "datasets", "Cargo.toml", "Cargo.lock"] {
            println!("cargo::rerun-if-changed={}", root.join(sources).display());
        }
    }
    if let Some(folder) = git(&["rev-parse", "--git-dir"]) {
        println!("cargo::rerun-if-changed={folder}/HEAD");
        println!("cargo::rerun-if-changed={folder}/index");
    }
    if let Some(revision) = git(&["rev-parse", "--short=12", "HEAD"]) {
        let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
        let mark = if changed.is_some_and(|text| !text.is_empty()) {
            "+"
        } else {
            ""
        };
        println!("cargo::rustc-env=KILN_REVISION={revision}{mark}");
    }
}
