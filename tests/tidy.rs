//! The house rules as a test, so that nobody has to remember them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The layers of the house, from the ground up. A crate depends on crates of
/// lower layers only, dev-dependencies included.
const LAYERS: &[&[&str]] = &[
    &[
        "kiln-events",
        "kiln-figures",
        "kiln-kernels",
        "kiln-names",
        "kiln-weights",
    ],
    &["kiln-vision", "kiln-backend"],
    // The data folder describes what it verified in vision's terms.
    &["kiln-store"],
    &[
        "kiln-models",
        "kiln-training",
        "kiln-mnist",
        "kiln-cifar10",
        "kiln-synthetic",
        "kiln-folder",
    ],
    &["kiln-catalog"],
    &["kiln-lab"],
    &["kiln", "kiln-experiments"],
    &["kiln-tests"],
];

/// Lines that a Rust file may have, and the files that may be longer, with
/// the reason.
const LONGEST: usize = 400;
const LONGER: &[(&str, &str)] = &[];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') && name != "runs" {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn rust_files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root(), "rs", &mut found);
    assert!(found.len() > 50);
    let read = |path: PathBuf| {
        let name = path
            .strip_prefix(root())
            .unwrap()
            .to_string_lossy()
            .into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    found.into_iter().map(read).collect()
}

fn manifests() -> Vec<(PathBuf, toml::Table)> {
    let mut found = Vec::new();
    files(&root(), "toml", &mut found);
    found.retain(|path| path.ends_with("Cargo.toml") && path.parent() != Some(&root()));
    let read = |path: PathBuf| {
        (
            path.clone(),
            fs::read_to_string(path).unwrap().parse().unwrap(),
        )
    };
    found.into_iter().map(read).collect()
}

fn layer(name: &str) -> usize {
    let at = LAYERS.iter().position(|layer| layer.contains(&name));
    at.unwrap_or_else(|| panic!("{name} has no layer in tests/tidy.rs"))
}

#[test]
fn dependencies_point_downward() {
    for (path, manifest) in manifests() {
        let name = manifest["package"]["name"].as_str().unwrap();
        let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
        let needed = sections
            .iter()
            .filter_map(|section| manifest.get(*section)?.as_table());
        for needed in needed
            .flat_map(|table| table.keys())
            .filter(|key| key.starts_with("kiln"))
        {
            assert!(
                layer(needed) < layer(name),
                "{}: {name} needs {needed}",
                path.display()
            );
        }
    }
}

#[test]
fn models_know_no_training_and_vision_and_data_know_no_burn() {
    for (_, manifest) in manifests() {
        let name = manifest["package"]["name"].as_str().unwrap();
        let burn = manifest
            .get("dependencies")
            .and_then(|table| table.get("burn"));
        let features = burn
            .and_then(|burn| burn.get("features"))
            .map(ToString::to_string);
        match name {
            "kiln-models" => assert_eq!(features, None),
            "kiln-vision" | "kiln-store" | "kiln-mnist" | "kiln-cifar10" | "kiln-synthetic"
            | "kiln-folder" | "kiln-catalog" => assert!(burn.is_none(), "{name}"),
            _ => {}
        }
    }
}

#[test]
fn burn_is_pinned_and_reported_alike() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(text.contains(&format!("version = \"={}\"", kiln_backend::BURN_VERSION)));
}

#[test]
fn every_file_says_what_it_is() {
    for (name, text) in rust_files() {
        assert!(text.starts_with("//!"), "{name} does not open with //!");
    }
}

#[test]
fn no_file_is_too_long() {
    for (name, text) in rust_files() {
        let lines = text.lines().count();
        let excused = LONGER.iter().any(|(file, _)| *file == name);
        assert!(lines <= LONGEST || excused, "{name} has {lines} lines");
    }
}

#[test]
fn burn_train_is_touched_in_one_module() {
    for (name, text) in rust_files() {
        let allowed = [
            "crates/training/src/engine/",
            "crates/training/src/classifier.rs",
            "tests/tidy.rs",
        ];
        let touches = text.contains("burn::train::") || text.contains("    train::{");
        let excused = allowed.iter().any(|path| name.starts_with(path));
        assert!(!touches || excused, "{name} uses burn::train");
    }
}

#[test]
fn ignored_tests_have_reasons() {
    for (name, text) in rust_files() {
        let ignored = text.contains("#[ignore]") && name != "tests/tidy.rs";
        assert!(!ignored, "{name} ignores a test without a reason");
    }
}

#[test]
fn unsafe_code_is_in_the_kernels_alone_and_argued() {
    for (name, text) in rust_files() {
        let words = ["unsafe {", "unsafe fn", "unsafe impl"];
        if name == "tests/tidy.rs" || !words.iter().any(|word| text.contains(word)) {
            continue;
        }
        let kernels = name.starts_with("crates/kernels/src/");
        assert!(kernels, "{name} has unsafe code");
        let argued = text.contains("// SAFETY: ") || text.contains("# Safety");
        assert!(argued, "{name} does not say why its unsafe code is sound");
    }
}

#[test]
fn every_experiment_has_its_row_and_every_row_its_binary() {
    let mut found: Vec<_> = fs::read_dir(root().join("experiments/src/bin"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().replace(".rs", ""))
        .collect();
    let mut rows: Vec<_> = kiln_lab::EXPERIMENTS.iter().map(|row| row.name).collect();
    found.sort();
    rows.sort_unstable();
    assert_eq!(found, rows);
}
