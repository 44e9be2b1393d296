//! The table at work: names, states, loading what is built in, and telling
//! whose files lie in a folder.
#![allow(clippy::unwrap_used)]

use kiln_catalog::{CatalogError, FolderOptions, fetch, find, import, load, verify};
use kiln_store::{SetState, Store};
use kiln_vision::Part;
use std::{fs, path::Path};
use tempfile::TempDir;

const OPTIONS: FolderOptions = FolderOptions {
    input: None,
    seed: 1,
};

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::locate(Some(&dir.path().join("data")), true).unwrap();
    (dir, store)
}

/// A complete little copy of MNIST or Fashion-MNIST: their names are alike.
fn idx_files(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for part in ["train", "t10k"] {
        let images = [
            [0x803, 1, 28, 28].map(u32::to_be_bytes).concat(),
            vec![7; 784],
        ]
        .concat();
        let labels = [[0x801, 1].map(u32::to_be_bytes).concat(), vec![4]].concat();
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

/// A black picture of this width and height.
fn picture(path: &Path, side: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let header = format!("P5 {side} {side} 255\n").into_bytes();
    fs::write(path, [header, vec![0; side * side]].concat()).unwrap();
}

#[track_caller]
fn says(error: &CatalogError, usage: bool, words: &[&str]) {
    assert_eq!(error.is_usage(), usage, "{error}");
    for word in words {
        assert!(
            error.to_string().contains(word),
            "'{word}' is not in: {error}"
        );
    }
}

#[test]
fn built_in_sets_are_ready_and_drawn_to_the_number_asked_for() {
    let (_dir, store) = store();
    let choice = find("digits:30").unwrap();
    assert!(choice.is_ready(&store));
    assert_eq!(choice.state(&store), SetState::Official);
    fetch(&choice, &store).unwrap();
    let training = load(&choice, Part::Training, &store, &OPTIONS).unwrap();
    assert_eq!(
        (training.name.as_str(), training.images.len()),
        ("digits:30", 30)
    );
    assert_eq!(training.classes.len(), choice.row().unwrap().classes);
    assert_eq!(training.images.spec(), choice.row().unwrap().spec);
    assert_eq!(training.source.note, "drawn by kiln, seed 1");
    assert_eq!(verify(&choice, &store).unwrap(), training.source);
    let shapes = load(
        &find("shapes:20").unwrap(),
        Part::Training,
        &store,
        &OPTIONS,
    )
    .unwrap();
    assert_eq!(shapes.images.spec(), kiln_vision::ImageSpec::CIFAR);
}

#[test]
fn a_missing_set_is_not_ready_and_its_error_is_no_usage_error() {
    let (_dir, store) = store();
    let choice = find("mnist").unwrap();
    assert!(!choice.is_ready(&store));
    let error = load(&choice, Part::Training, &store, &OPTIONS).unwrap_err();
    says(&error, false, &["missing", "kiln data fetch mnist"]);
    says(&fetch(&choice, &store).unwrap_err(), false, &["offline"]);
    says(&verify(&choice, &store).unwrap_err(), false, &["missing"]);
}

#[test]
fn a_folder_of_pictures_is_neither_fetched_nor_imported() {
    let (dir, store) = store();
    let choice = find("folder:nowhere").unwrap();
    assert!(!choice.is_ready(&store) && choice.row().is_none());
    says(
        &fetch(&choice, &store).unwrap_err(),
        true,
        &["folder:nowhere", "no files"],
    );
    let error = import(dir.path(), Some("folder:x"), None, &store).unwrap_err();
    says(&error, true, &["no files"]);
    let error = import(dir.path(), Some("digits"), None, &store).unwrap_err();
    says(&error, true, &["'digits'", "no files"]);
    assert!(load(&choice, Part::Training, &store, &OPTIONS).is_err());
}

#[test]
fn files_that_may_be_of_two_sets_need_a_name() {
    let (dir, store) = store();
    let from = dir.path().join("from");
    idx_files(&from);
    for unofficial in [None, Some("made up")] {
        let error = import(&from, None, unofficial, &store).unwrap_err();
        says(&error, true, &["fashion-mnist and mnist", "--dataset"]);
    }
    assert!(!store.root().join("mnist").exists());
    let imported = import(&from, Some("fashion"), Some("made up"), &store).unwrap();
    assert_eq!(imported[0].0, "fashion-mnist");
    let choice = find("fashion").unwrap();
    assert_eq!(
        choice.state(&store),
        SetState::Unofficial("made up".to_owned())
    );
    let loaded = load(&choice, Part::Test, &store, &OPTIONS).unwrap();
    assert_eq!((loaded.images.len(), loaded.images.label(0)), (1, 4));
}

#[test]
fn files_that_may_be_of_two_sets_are_those_that_their_folder_is_named_after() {
    let (dir, store) = store();
    let from = dir.path().join("downloads/MNIST");
    idx_files(&from);
    let error = import(dir.path(), None, None, &store).unwrap_err();
    says(&error, false, &["--dataset mnist --unofficial"]);
    idx_files(&dir.path().join("downloads/fashion"));
    let imported = import(dir.path(), None, Some("made up"), &store).unwrap();
    let names: Vec<_> = imported.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["fashion-mnist", "mnist"]);
}

#[test]
fn pictures_of_several_sizes_are_read_all_the_same() {
    let (dir, store) = store();
    for (class, side) in [("a", 3), ("b", 40)] {
        for index in 0..2 {
            let name = format!("pictures/{class}/{index}.png");
            picture(&dir.path().join(name), side);
        }
    }
    let path = dir.path().join("pictures");
    let choice = find(&format!("folder:{}", path.display())).unwrap();
    assert!(load(&choice, Part::Training, &store, &OPTIONS).is_err());
    verify(&choice, &store).unwrap();
    fs::write(path.join("b/1.png"), b"no picture").unwrap();
    says(&verify(&choice, &store).unwrap_err(), false, &["1.png"]);
}

#[test]
fn a_folder_without_any_set_is_named() {
    let (dir, store) = store();
    let error = import(dir.path(), None, None, &store).unwrap_err();
    says(
        &error,
        false,
        &["no complete data set", "cifar10, fashion-mnist, mnist"],
    );
    let from = dir.path().join("from");
    idx_files(&from);
    fs::remove_file(from.join("t10k-labels-idx1-ubyte")).unwrap();
    says(
        &import(&from, None, None, &store).unwrap_err(),
        false,
        &["lacks 't10k-labels"],
    );
}

#[test]
fn an_origin_without_words_is_a_usage_error() {
    let (dir, store) = store();
    let from = dir.path().join("from");
    idx_files(&from);
    let error = import(&from, Some("mnist"), Some(" "), &store).unwrap_err();
    says(&error, true, &["--unofficial needs a text"]);
}

#[test]
#[ignore = "slow: reads the real data sets from KILN_DATA_DIR"]
fn real_sets_are_told_apart_by_their_hashes() {
    let (_dir, store) = store();
    let real = Store::locate(None, true).unwrap();
    for name in ["mnist", "fashion-mnist"] {
        let imported = import(&real.root().join(name), None, None, &store).unwrap();
        assert_eq!(imported.len(), 1);
        assert_eq!(imported[0].0, name);
        assert!(imported[0].1.official);
    }
}
