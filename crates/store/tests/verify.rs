//! What the store says of files that lie in the data folder, good and bad.
#![allow(clippy::unwrap_used)]

mod scene;

use kiln_store::{SetState, StoreError, sha256_hex};
use scene::{Scene, TEST, TRAIN, gz, letters, says};
use std::fs;

fn fails(scene: &Scene) -> StoreError {
    scene.store.verify_all(&letters()).unwrap_err()
}

#[test]
fn official_files_are_handed_out_with_their_hashes() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    assert_eq!(scene.store.state(&letters()), SetState::Unchecked);
    let verified = scene.store.verify(&letters(), &["test.gz"]).unwrap();
    assert!(verified.source.official);
    assert_eq!(verified.source.files.len(), 1);
    assert_eq!(verified.source.files[0].sha256, sha256_hex(&gz(TEST)));
    assert_eq!(verified.files[0].name(), "test.gz");
    assert_eq!(verified.files[0].read(1000).unwrap(), TEST);
    scene.store.verify_all(&letters()).unwrap();
    assert_eq!(scene.store.state(&letters()), SetState::Official);
}

#[test]
fn a_decompressed_file_is_as_good_as_the_compressed_one() {
    let scene = Scene::new();
    scene.write("data/letters/train", TRAIN);
    scene.write("data/letters/test.gz", &gz(TEST));
    let verified = scene
        .store
        .verify(&letters(), &["train.gz", "test.gz"])
        .unwrap();
    assert_eq!(verified.source.files[0].name, "train");
    assert_eq!(verified.files[0].read(1000).unwrap(), TRAIN);
    assert_eq!(verified.files[0].plain_bytes(), Some(TRAIN.len() as u64));
    assert_eq!(verified.files[1].plain_bytes(), Some(TEST.len() as u64));
}

#[test]
fn only_the_files_asked_for_are_needed() {
    let scene = Scene::new();
    scene.write("data/letters/train.gz", &gz(TRAIN));
    assert!(scene.store.verify(&letters(), &["train.gz"]).is_ok());
    assert_eq!(scene.store.state(&letters()), SetState::Missing);
}

#[test]
fn no_more_is_read_than_allowed() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    let verified = scene.store.verify(&letters(), &["train.gz"]).unwrap();
    assert_eq!(verified.files[0].read(3).unwrap(), TRAIN[..3]);
}

#[test]
fn a_missing_file_is_named_with_what_brings_it() {
    let scene = Scene::new();
    says(
        &fails(&scene),
        &["train.gz", "missing", "kiln data fetch letters"],
    );
    assert_eq!(scene.store.state(&letters()), SetState::Missing);
}

#[test]
fn a_truncated_file_is_named_with_both_lengths() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    let bytes = gz(TRAIN);
    scene.write("data/letters/train.gz", &bytes[..bytes.len() - 1]);
    let length = bytes.len().to_string();
    says(
        &fails(&scene),
        &["train.gz", "truncated", &length, "delete it"],
    );
    assert!(matches!(
        scene.store.state(&letters()),
        SetState::Damaged(_)
    ));
}

#[test]
fn a_file_that_is_too_long_is_named() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    scene.write("data/letters/train.gz", &[gz(TRAIN), vec![0; 100]].concat());
    says(&fails(&scene), &["train.gz", "too long"]);
}

#[test]
fn an_empty_file_is_named() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    scene.write("data/letters/test.gz", b"");
    says(
        &fails(&scene),
        &["test.gz", "empty", "kiln data fetch letters"],
    );
}

#[test]
fn a_flipped_bit_is_found_and_both_hashes_are_named() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    let mut bytes = gz(TRAIN);
    bytes[12] ^= 1;
    scene.write("data/letters/train.gz", &bytes);
    let (found, expected) = (sha256_hex(&bytes), sha256_hex(&gz(TRAIN)));
    says(
        &fails(&scene),
        &[
            "train.gz",
            "not the official file",
            &found,
            &expected,
            "delete it",
            "--dataset letters --unofficial",
        ],
    );
    assert!(matches!(
        scene.store.state(&letters()),
        SetState::Damaged(_)
    ));
}

#[test]
fn swapped_files_are_recognised() {
    let scene = Scene::new();
    scene.write("data/letters/train.gz", &gz(TEST));
    scene.write("data/letters/test.gz", &gz(TRAIN));
    says(
        &fails(&scene),
        &["train.gz", "bytes of 'test.gz'", "swapped"],
    );
}

#[test]
fn a_folder_in_the_place_of_a_file_is_named() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    fs::remove_file(scene.path("data/letters/train.gz")).unwrap();
    fs::create_dir(scene.path("data/letters/train.gz")).unwrap();
    says(&fails(&scene), &["train.gz", "is not a file"]);
}

#[test]
fn a_file_in_the_place_of_the_folder_is_named() {
    let scene = Scene::new();
    scene.write("data/letters", b"a file");
    says(&fails(&scene), &["train.gz", "cannot read"]);
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    scene.letters_in("data/letters");
    let path = scene.path("data/letters/train.gz");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        return; // The superuser reads everything.
    }
    says(&fails(&scene), &["train.gz", "cannot open", "who may read"]);
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_read_all_the_same() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    scene.letters_in("data/letters");
    let folder = scene.path("data/letters");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    assert!(scene.store.verify_all(&letters()).unwrap().official);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_file_changed_after_its_check_is_checked_again() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    scene.store.verify_all(&letters()).unwrap();
    let mut bytes = gz(TRAIN);
    bytes[12] ^= 1;
    let path = scene.write("data/letters/train.gz", &bytes);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(scene.store.state(&letters()), SetState::Unchecked);
    says(&fails(&scene), &["not the official file"]);
}

#[test]
fn reverifying_reads_every_byte_again() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    scene.store.verify_all(&letters()).unwrap();
    let path = scene.path("data/letters/train.gz");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = gz(TRAIN);
    bytes[12] ^= 1;
    fs::write(&path, bytes).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
    scene.store.verify_all(&letters()).unwrap();
    let error = scene.store.reverify(&letters()).unwrap_err();
    says(&error, &["train.gz", "not the official file"]);
    assert!(scene.store.verify_all(&letters()).is_err());
}

#[test]
fn a_broken_record_of_an_unofficial_copy_is_named() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    scene.write("data/letters/.kiln-unofficial.json", b"{");
    says(
        &fails(&scene),
        &[".kiln-unofficial.json", "cannot be understood", "import"],
    );
    scene.write(
        "data/letters/.kiln-unofficial.json",
        br#"{"origin": "x", "files": []}"#,
    );
    says(&fails(&scene), &["does not name 'train.gz'"]);
}

#[cfg(not(feature = "download"))]
#[test]
fn a_program_built_without_downloads_says_so() {
    let scene = Scene::new();
    let fetched = scene.store.fetch(&letters(), &mut kiln_store::Silent);
    says(
        &fetched.unwrap_err(),
        &[
            "train.gz",
            "built without downloads",
            "kiln data import DIR",
        ],
    );
}
