//! Imports: official and unofficial, nested and in place, and those that fail
//! and change nothing.
#![allow(clippy::unwrap_used)]

mod scene;

use kiln_store::{Check, Import, SetState, StoreError, candidates};
use kiln_vision::Source;
use scene::{ORIGIN, Scene, TEST, TRAIN, anything, gz, letters, says};
use std::fs;

fn import(scene: &Scene, from: &str, unofficial: Option<&str>) -> Result<Source, StoreError> {
    import_checked(scene, from, unofficial, &anything)
}

fn import_checked(
    scene: &Scene,
    from: &str,
    unofficial: Option<&str>,
    check: &Check,
) -> Result<Source, StoreError> {
    scene.store.import(&Import {
        set: &letters(),
        from: &scene.path(from),
        unofficial,
        check,
    })
}

#[test]
fn official_files_are_copied_from_two_levels_below() {
    let scene = Scene::new();
    scene.letters_in("download/deep/er");
    assert!(import(&scene, "download", None).unwrap().official);
    assert_eq!(
        fs::read(scene.path("data/letters/train.gz")).unwrap(),
        gz(TRAIN)
    );
    assert_eq!(scene.store.state(&letters()), SetState::Official);
    assert_eq!(fs::read_dir(scene.path("data")).unwrap().count(), 2);
}

#[test]
fn plain_official_files_are_official() {
    let scene = Scene::new();
    scene.write("d/train", TRAIN);
    scene.write("d/test.gz", &gz(TEST));
    let source = import(&scene, "d", None).unwrap();
    assert!(source.official);
    assert_eq!(source.files[0].name, "train");
}

#[test]
fn other_files_need_a_word_on_where_they_come_from() {
    let scene = Scene::new();
    scene.letters_in("d");
    scene.write("d/train.gz", &gz(b"the training lettars"));
    let before = scene.content();
    let error = import(&scene, "d", None).unwrap_err();
    says(
        &error,
        &[
            "train.gz",
            "not the official file",
            "expected",
            "--unofficial",
        ],
    );
    says(
        &import(&scene, "d", Some("  ")).unwrap_err(),
        &["--unofficial", "needs a text"],
    );
    assert_eq!(scene.content(), before);
}

#[test]
fn an_unofficial_copy_keeps_its_origin_and_is_never_official() {
    let scene = Scene::new();
    scene.letters_in("d");
    scene.write("d/train.gz", &gz(b"other letters"));
    let source = import(&scene, "d", Some(" typed in\nby hand ")).unwrap();
    assert!(!source.official);
    assert_eq!(source.note, ORIGIN);
    assert_eq!(source.files.len(), 2);
    assert_eq!(
        scene.store.state(&letters()),
        SetState::Unofficial(ORIGIN.to_owned())
    );
    let verified = scene.store.verify(&letters(), &["train.gz"]).unwrap();
    assert_eq!(verified.files[0].read(100).unwrap(), b"other letters");
    assert_eq!(verified.files[0].plain_bytes(), None);
}

#[test]
fn the_structure_of_an_unofficial_copy_is_looked_at_first() {
    let scene = Scene::new();
    scene.letters_in("d");
    scene.write("d/train.gz", &gz(b"other letters"));
    let before = scene.content();
    let error = import_checked(&scene, "d", Some(ORIGIN), &|files| {
        assert_eq!(files[0].read(100).unwrap(), b"other letters");
        Err("the letters are not in order".to_owned())
    });
    let error = error.unwrap_err();
    says(
        &error,
        &["nothing was imported", "no copy of letters", "not in order"],
    );
    assert_eq!(scene.content(), before);
    assert!(!scene.path("data/letters").exists());
}

#[test]
fn a_file_of_an_unofficial_copy_must_not_change() {
    let scene = Scene::new();
    scene.letters_in("d");
    scene.write("d/train.gz", &gz(b"other letters"));
    import(&scene, "d", Some(ORIGIN)).unwrap();
    scene.write("data/letters/train.gz", &gz(b"other lettars"));
    let error = scene.store.verify_all(&letters()).unwrap_err();
    says(
        &error,
        &[
            "train.gz",
            "has changed since it was imported",
            "import it again",
        ],
    );
}

#[test]
fn the_form_with_the_right_hash_counts() {
    let scene = Scene::new();
    scene.letters_in("d");
    scene.write("d/train.gz", &gz(b"other letters"));
    scene.write("d/train", TRAIN);
    let source = import(&scene, "d", None).unwrap();
    assert!(source.official);
    assert_eq!(source.files[0].name, "train");
    scene.write("data/letters/train.gz", &gz(b"other letters"));
    assert!(scene.store.verify_all(&letters()).unwrap().official);
    assert_eq!(scene.store.state(&letters()), SetState::Official);
}

#[test]
fn how_many_files_are_the_published_ones_is_counted() {
    let scene = Scene::new();
    scene.letters_in("d");
    scene.write("d/train.gz", b"broken");
    let found = candidates(&letters(), &scene.path("d")).unwrap();
    assert!(found[0].matching == 1 && !found[0].official);
}

#[test]
fn official_files_replace_an_unofficial_copy_but_not_the_other_way_round() {
    let scene = Scene::new();
    scene.write("odd/train", b"other letters");
    scene.write("odd/test", TEST);
    import(&scene, "odd", Some(ORIGIN)).unwrap();
    scene.letters_in("good");
    assert!(import(&scene, "good", None).unwrap().official);
    assert!(
        !scene.path("data/letters/train").exists(),
        "the other form lingers"
    );
    let before = scene.content();
    let error = import(&scene, "odd", Some(ORIGIN)).unwrap_err();
    says(
        &error,
        &["already holds the official files", "delete that folder"],
    );
    assert_eq!(scene.content(), before);
}

#[test]
fn a_folder_without_the_files_is_named_and_so_is_what_a_folder_lacks() {
    let scene = Scene::new();
    scene.write("empty/readme", b"");
    says(
        &import(&scene, "empty", None).unwrap_err(),
        &["empty", "holds no file of letters"],
    );
    scene.write("half/train.gz", &gz(TRAIN));
    says(
        &import(&scene, "half", None).unwrap_err(),
        &["half", "lacks 'test.gz'"],
    );
    says(
        &import(&scene, "nowhere", None).unwrap_err(),
        &["nowhere", "cannot read the folder"],
    );
}

#[test]
fn two_unofficial_copies_are_one_too_many() {
    let scene = Scene::new();
    for folder in ["d/one", "d/two"] {
        scene.letters_in(folder);
        scene.write(&format!("{folder}/train.gz"), &gz(b"other letters"));
    }
    let error = import(&scene, "d", Some(ORIGIN)).unwrap_err();
    says(&error, &["more than one copy", "one'", "two'"]);
}

#[cfg(unix)]
#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    scene.letters_in("d");
    fs::create_dir(scene.path("data")).unwrap();
    fs::set_permissions(scene.path("data"), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(scene.path("data/probe"), b"").is_ok() {
        return; // The superuser writes everywhere.
    }
    says(
        &import(&scene, "d", None).unwrap_err(),
        &["cannot create", "data"],
    );
}
