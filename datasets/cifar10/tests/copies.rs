//! Unofficial copies of the batches, taken over and read.
#![allow(clippy::unwrap_used)]

use kiln_cifar10::{CIFAR10, check, load};
use kiln_store::{Import, Store};
use kiln_vision::Part;
use std::{fs, path::Path};

const NAMES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// A batch in which every value of image `i` is `i % 10`, its label too.
fn batch() -> Vec<u8> {
    (0..10_000)
        .flat_map(|index| [(index % 10) as u8; 3073])
        .collect()
}

fn copy_with(folder: &Path, odd: &str, bytes: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    let batch = batch();
    for name in NAMES {
        fs::write(folder.join(name), if name == odd { bytes } else { &batch }).unwrap();
    }
}

#[test]
fn a_copy_in_place_is_read_by_halves_once_its_origin_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cifar10/cifar-10-batches-bin");
    copy_with(&folder, "", b"");
    let store = Store::locate(Some(dir.path()), true).unwrap();
    let error = load(&store, Part::Training).unwrap_err().to_string();
    assert!(
        error.contains("--unofficial") && error.contains("cifar-10-batches-bin"),
        "{error}"
    );
    let source = store
        .import(&Import {
            set: &CIFAR10,
            from: dir.path(),
            unofficial: Some("made up"),
            check: &check,
        })
        .unwrap();
    assert!(!source.official && source.files.len() == 6);
    let test = load(&store, Part::Test).unwrap();
    assert_eq!((test.images.len(), test.images.label(13)), (10_000, 3));
    assert_eq!(test.images.pixels(13), [3; 3072]);
    assert_eq!(test.source.note, "made up");
    let training = load(&store, Part::Training).unwrap();
    assert_eq!(
        (training.images.len(), training.source.files.len()),
        (50_000, 5)
    );
}

#[test]
fn a_copy_with_a_wrong_length_or_label_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::locate(Some(&dir.path().join("data")), true).unwrap();
    let mut label = batch();
    label[3073 * 7] = 10;
    let cases = [
        (
            batch()[3073..].to_vec(),
            "30726927 bytes, expected 30730000",
        ),
        (label, "image 7 the label 10"),
    ];
    for (bytes, words) in cases {
        copy_with(&dir.path().join("from"), "data_batch_3.bin", &bytes);
        let error = store.import(&Import {
            set: &CIFAR10,
            from: &dir.path().join("from"),
            unofficial: Some("made up"),
            check: &check,
        });
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains(words) && error.contains("data_batch_3.bin"),
            "{error}"
        );
        assert!(!dir.path().join("data/cifar10").exists());
    }
}

#[test]
fn without_files_the_command_that_brings_them_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::locate(Some(dir.path()), true).unwrap();
    let error = load(&store, Part::Test).unwrap_err().to_string();
    assert!(error.contains("kiln data fetch cifar10"), "{error}");
}
