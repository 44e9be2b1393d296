//! What an import does to files that lie in the data folder already: those
//! of the user stay.
#![allow(clippy::unwrap_used)]

mod scene;

use kiln_store::{Import, SetState, StoreError};
use kiln_vision::Source;
use scene::{ORIGIN, Scene, anything, gz, letters};
use std::fs;

fn import(scene: &Scene, from: &str, unofficial: Option<&str>) -> Result<Source, StoreError> {
    scene.store.import(&Import {
        set: &letters(),
        from: &scene.path(from),
        unofficial,
        check: &anything,
    })
}

#[test]
fn files_already_in_their_place_are_registered_there() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    let path = scene.write("data/letters/train.gz", &gz(b"other letters"));
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    assert!(
        !import(&scene, "data/letters", Some(ORIGIN))
            .unwrap()
            .official
    );
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    assert_eq!(
        scene.store.state(&letters()),
        SetState::Unofficial(ORIGIN.to_owned())
    );
}

#[test]
fn all_files_of_the_user_stay_when_a_copy_is_registered_in_its_place() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    scene.write("data/letters/train.gz", &gz(b"other letters"));
    scene.write("data/letters/train", b"plain letters");
    let before = scene.content();
    import(&scene, "data/letters", Some(ORIGIN)).unwrap();
    let after = scene.content();
    assert!(before.iter().all(|file| after.contains(file)));
    assert_eq!(after.len(), before.len() + 1, "only the record came");
}

#[test]
fn what_is_not_of_the_set_stays_when_its_folder_is_replaced() {
    let scene = Scene::new();
    scene.letters_in("d");
    scene.write("data/letters/train.gz", b"broken");
    scene.write("data/letters/notes/mine.txt", b"mine");
    assert!(import(&scene, "d", None).unwrap().official);
    let mine = scene.path("data/letters/notes/mine.txt");
    assert_eq!(fs::read(mine).unwrap(), b"mine");
    assert!(!scene.path("data/.letters.old").exists());
}

#[test]
fn an_interrupted_import_is_undone_before_anything_is_read() {
    let scene = Scene::new();
    scene.letters_in("data/.letters.old");
    scene.letters_in("data/.letters.new");
    assert!(scene.store.verify_all(&letters()).unwrap().official);
    assert!(!scene.path("data/.letters.old").exists());
}

#[test]
fn official_files_in_their_place_stay_official_whatever_is_said_of_them() {
    let scene = Scene::new();
    scene.letters_in("data/letters");
    assert!(import(&scene, "data", Some(ORIGIN)).unwrap().official);
}

#[test]
fn a_folder_in_the_way_stops_the_import_and_everything_stays() {
    let scene = Scene::new();
    scene.letters_in("d");
    scene.write("data/letters/test.gz/inside", b"x");
    let before = scene.content();
    assert!(import(&scene, "d", None).is_err());
    assert_eq!(scene.content(), before);
}
