//! Imports of a set that is an archive: packed, unpacked, of unknown origin.
#![allow(clippy::unwrap_used)]

mod scene;

use kiln_store::{Import, SetState};
use scene::{ORIGIN, Scene, anything, archive, boxed, says};
use std::fs;

#[test]
fn an_official_archive_is_copied_and_unpacked() {
    let scene = Scene::new();
    let packed = archive(&[("box/a.bin", b"abcd"), ("box/note.txt", b"hi")]);
    let set = boxed(&packed, &[]);
    scene.write("d/box.tar.gz", &packed);
    let source = scene
        .store
        .import(&Import {
            set: &set,
            from: &scene.path("d"),
            unofficial: None,
            check: &anything,
        })
        .unwrap();
    assert!(source.official);
    assert_eq!(source.files[0].name, "box/a.bin");
    assert_eq!(
        fs::read(scene.path("data/boxed/box/a.bin")).unwrap(),
        b"abcd"
    );
}

#[test]
fn unpacked_files_of_unknown_origin_are_an_unofficial_copy_at_most() {
    let scene = Scene::new();
    let set = boxed(&archive(&[("box/a.bin", b"abcd")]), &[]);
    scene.write("data/boxed/box/a.bin", b"abcd");
    let error = scene.store.verify_all(&set).unwrap_err();
    says(
        &error,
        &[
            "boxed/box",
            "nothing vouches for them",
            "--unofficial",
            "kiln data fetch boxed",
        ],
    );
    assert!(matches!(scene.store.state(&set), SetState::Damaged(_)));
    let import = |unofficial| {
        scene.store.import(&Import {
            set: &set,
            from: &scene.path("data/boxed/box"),
            unofficial,
            check: &anything,
        })
    };
    says(
        &import(None).unwrap_err(),
        &["unpacked files", "--unofficial"],
    );
    let source = import(Some(ORIGIN)).unwrap();
    assert!(!source.official);
    assert_eq!(source.files[0].name, "box/a.bin");
    assert!(scene.store.verify_all(&set).is_ok());
}

#[test]
fn an_archive_with_another_hash_is_no_copy() {
    let scene = Scene::new();
    let set = boxed(&archive(&[("box/a.bin", b"abcd")]), &[]);
    scene.write("d/box.tar.gz", &archive(&[("box/a.bin", b"abcX")]));
    let error = scene.store.import(&Import {
        set: &set,
        from: &scene.path("d"),
        unofficial: Some(ORIGIN),
        check: &anything,
    });
    let error = error.unwrap_err();
    says(
        &error,
        &["box.tar.gz", "not the official file", "unpacked files"],
    );
    assert!(!error.to_string().contains("--unofficial"), "{error}");
}

#[test]
fn an_official_archive_in_its_place_is_unpacked_there() {
    let scene = Scene::new();
    let packed = archive(&[("box/a.bin", b"abcd")]);
    let path = scene.write("data/boxed/box.tar.gz", &packed);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let source = scene
        .store
        .import(&Import {
            set: &boxed(&packed, &[]),
            from: &scene.path("data"),
            unofficial: None,
            check: &anything,
        })
        .unwrap();
    assert!(source.official);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(modified, std::time::UNIX_EPOCH, "the archive was copied");
}
