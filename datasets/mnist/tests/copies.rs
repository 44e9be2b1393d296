//! Unofficial copies of a handful of images, taken over and read.
#![allow(clippy::unwrap_used)]

use kiln_mnist::{Variant, check, load};
use kiln_store::{Import, Store, StoreError};
use kiln_vision::{Part, Source};
use std::{fs, path::Path};
use tempfile::TempDir;

fn images(count: u32) -> Vec<u8> {
    let header = [0x803, count, 28, 28].map(u32::to_be_bytes).concat();
    let body = (0..count as usize * 784).map(|index| (index / 784) as u8);
    header.into_iter().chain(body).collect()
}

fn labels(labels: &[u8]) -> Vec<u8> {
    let header = [0x801, labels.len() as u32].map(u32::to_be_bytes).concat();
    [header.as_slice(), labels].concat()
}

fn write(dir: &Path, names: [&str; 4], files: [Vec<u8>; 4]) {
    for (name, bytes) in names.iter().zip(files) {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

const PLAIN: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

fn import(files: [Vec<u8>; 4]) -> (TempDir, Store, Result<Source, StoreError>) {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    fs::create_dir(&from).unwrap();
    write(&from, PLAIN, files);
    let store = Store::locate(Some(&dir.path().join("data")), true).unwrap();
    let result = store.import(&Import {
        set: Variant::Mnist.set(),
        from: &from,
        unofficial: Some("made up"),
        check: &check,
    });
    (dir, store, result)
}

#[track_caller]
fn is_refused(files: [Vec<u8>; 4], words: &[&str]) {
    let sentence = import(files).2.unwrap_err().to_string();
    for word in words {
        assert!(sentence.contains(word), "'{word}' is not in: {sentence}");
    }
}

#[test]
fn a_copy_of_any_length_is_read_by_halves() {
    let (_dir, store, result) = import([images(2), labels(&[7, 3]), images(1), labels(&[9])]);
    assert!(!result.unwrap().official);
    let training = load(&store, Variant::Mnist, Part::Training).unwrap();
    assert_eq!(training.images.labels(), [7, 3]);
    assert_eq!(training.images.pixels(1), [1; 784]);
    assert_eq!(training.source.note, "made up");
    assert_eq!(training.source.files.len(), 2);
    assert_eq!(training.classes.len(), 10);
    let test = load(&store, Variant::Mnist, Part::Test).unwrap();
    assert_eq!((test.images.len(), test.images.label(0)), (1, 9));
}

#[test]
fn only_the_files_of_the_half_asked_for_are_touched() {
    let (dir, store, _) = import([images(2), labels(&[7, 3]), images(1), labels(&[9])]);
    for name in &PLAIN[2..] {
        fs::remove_file(dir.path().join("data/mnist").join(name)).unwrap();
    }
    assert!(load(&store, Variant::Mnist, Part::Training).is_ok());
    let error = load(&store, Variant::Mnist, Part::Test)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("t10k-images") && error.contains("missing"),
        "{error}"
    );
}

#[test]
fn without_files_the_command_that_brings_them_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::locate(Some(dir.path()), true).unwrap();
    let error = load(&store, Variant::Fashion, Part::Training)
        .unwrap_err()
        .to_string();
    assert!(error.contains("kiln data fetch fashion-mnist"), "{error}");
}

#[test]
fn numbers_of_images_and_labels_must_agree() {
    is_refused(
        [images(2), labels(&[7]), images(1), labels(&[9])],
        &["train-images", "1 labels"],
    );
    is_refused(
        [images(2), labels(&[7, 3]), images(1), labels(&[9, 9])],
        &["t10k-images", "2 labels"],
    );
}

#[test]
fn files_in_the_wrong_place_are_refused() {
    is_refused(
        [labels(&[7]), images(1), images(1), labels(&[9])],
        &["train-labels", "no IDX file of labels"],
    );
}

#[test]
fn a_broken_file_is_named_where_the_user_has_it_and_advice_comes_once() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    fs::create_dir(&from).unwrap();
    let names = ["train-images-idx3-ubyte.gz", PLAIN[1], PLAIN[2], PLAIN[3]];
    let broken = b"not compressed".to_vec();
    write(
        &from,
        names,
        [broken, labels(&[7]), images(1), labels(&[9])],
    );
    let store = Store::locate(Some(&dir.path().join("data")), true).unwrap();
    let error = store.import(&Import {
        set: Variant::Mnist.set(),
        from: &from,
        unofficial: Some("made up"),
        check: &check,
    });
    let error = error.unwrap_err().to_string();
    let path = from.join(names[0]);
    let named = format!("'{}' cannot be decompressed", path.display());
    assert!(error.contains(&named), "{error}");
    assert_eq!(error.matches(';').count(), 1, "{error}");
    assert!(!dir.path().join("data/mnist").exists());
}

#[test]
fn a_small_file_that_decompresses_without_end_is_not_read_to_its_end() {
    use std::io::Write;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&images(1)).unwrap();
    for _ in 0..64 {
        bomb.write_all(&[0; 1 << 20]).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let names = ["train-images-idx3-ubyte.gz", PLAIN[1], PLAIN[2], PLAIN[3]];
    write(
        dir.path(),
        names,
        [
            bomb.finish().unwrap(),
            labels(&[7]),
            images(1),
            labels(&[9]),
        ],
    );
    let store = Store::locate(Some(&dir.path().join("data")), true).unwrap();
    let error = store.import(&Import {
        set: Variant::Mnist.set(),
        from: dir.path(),
        unofficial: Some("made up"),
        check: &check,
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("goes on after the 800 bytes"), "{error}");
}
