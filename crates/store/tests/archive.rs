//! Archives, honest and wicked. Each is pinned by its own hash here, so that
//! only the reader itself stands between it and the disk.
#![allow(clippy::unwrap_used)]

mod scene;

use kiln_store::{SetState, StoreError};
use scene::{Scene, archive, boxed, gz, says, tar_of};
use std::fs;
use tar::EntryType;

/// Verifies a set whose archive is `packed`.
fn unpack(packed: &[u8]) -> (Scene, Result<kiln_vision::Source, StoreError>) {
    let scene = Scene::new();
    scene.write("data/boxed/box.tar.gz", packed);
    let result = scene.store.verify_all(&boxed(packed, &[]));
    (scene, result)
}

#[track_caller]
fn is_refused(packed: &[u8], words: &[&str]) {
    let (scene, result) = unpack(packed);
    let before = [scene.path("data/boxed/box.tar.gz")];
    says(&result.unwrap_err(), &[&["box.tar.gz"], words].concat());
    let left: Vec<_> = scene.content().into_iter().map(|(path, _)| path).collect();
    assert_eq!(left, before, "something was left");
}

#[test]
fn an_archive_that_is_there_is_unpacked_once_and_its_files_are_official() {
    let packed = archive(&[("box/a.bin", b"abcd"), ("./box/note.txt", b"hi")]);
    let (scene, result) = unpack(&packed);
    let set = boxed(&packed, &[]);
    assert!(result.unwrap().official);
    assert_eq!(scene.store.state(&set), SetState::Official);
    fs::remove_file(scene.path("data/boxed/box.tar.gz")).unwrap();
    let verified = scene.store.verify(&set, &["a.bin"]).unwrap();
    assert_eq!(verified.files[0].read(10).unwrap(), b"abcd");
}

#[test]
fn a_packed_set_is_reported_as_unchecked() {
    let packed = archive(&[("box/a.bin", b"abcd")]);
    let scene = Scene::new();
    scene.write("data/boxed/box.tar.gz", &packed);
    assert_eq!(scene.store.state(&boxed(&packed, &[])), SetState::Unchecked);
}

#[test]
fn an_unpacked_file_that_changed_is_no_longer_trusted() {
    let packed = archive(&[("box/a.bin", b"abcd")]);
    let (scene, _) = unpack(&packed);
    scene.write("data/boxed/box/a.bin", b"abcX");
    let path = scene.path("data/boxed/box/a.bin");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let error = scene.store.verify_all(&boxed(&packed, &[])).unwrap_err();
    says(
        &error,
        &[
            "a.bin",
            "has changed since kiln unpacked it",
            "delete the folder",
            "fetch boxed",
        ],
    );
}

#[test]
fn a_deleted_folder_is_unpacked_again() {
    let packed = archive(&[("box/a.bin", b"abcd")]);
    let (scene, _) = unpack(&packed);
    fs::remove_dir_all(scene.path("data/boxed/box")).unwrap();
    assert!(scene.store.verify_all(&boxed(&packed, &[])).is_ok());
}

#[test]
fn a_missing_file_is_unpacked_again_beside_what_else_lies_there() {
    let packed = archive(&[("box/a.bin", b"abcd"), ("box/note.txt", b"hi")]);
    let (scene, _) = unpack(&packed);
    fs::remove_file(scene.path("data/boxed/box/a.bin")).unwrap();
    scene.write("data/boxed/box/stray", b"mine");
    let set = boxed(&packed, &[]);
    assert_eq!(scene.store.state(&set), SetState::Unchecked);
    scene.store.fetch(&set, &mut kiln_store::Silent).unwrap();
    assert!(scene.path("data/boxed/box/a.bin").exists());
    fs::remove_file(scene.path("data/boxed/box/a.bin")).unwrap();
    assert!(scene.store.verify_all(&set).unwrap().official);
    let stray = scene.path("data/boxed/box/stray");
    assert_eq!(fs::read(stray).unwrap(), b"mine");
}

#[test]
fn a_wrong_archive_comes_with_advice_that_helps() {
    let packed = archive(&[("box/a.bin", b"abcd")]);
    let scene = Scene::new();
    scene.write("data/boxed/box.tar.gz", &[&packed[..], b"x"].concat());
    let set = boxed(&packed, &[]);
    let error = scene.store.verify_all(&set).unwrap_err();
    says(&error, &["too long", "kiln data fetch boxed"]);
    assert!(!error.to_string().contains("--unofficial"), "{error}");
    let SetState::Damaged(reason) = scene.store.state(&set) else {
        panic!("not damaged");
    };
    assert!(reason.contains("too long") && !reason.contains("kiln data"));
}

#[test]
fn absolute_paths_are_refused() {
    is_refused(
        &archive(&[("/tmp/kiln-a.bin", b"abcd")]),
        &["absolute path"],
    );
    assert!(!std::path::Path::new("/tmp/kiln-a.bin").exists());
}

#[test]
fn paths_that_climb_out_are_refused() {
    is_refused(&archive(&[("box/../../a.bin", b"abcd")]), &["'..'"]);
    is_refused(&archive(&[("../box/a.bin", b"abcd")]), &["'..'"]);
}

#[test]
fn links_are_refused() {
    let symlink = gz(&tar_of(&[("box/a.bin", b"")], EntryType::Symlink));
    is_refused(&symlink, &["link 'box/a.bin'"]);
    let hardlink = gz(&tar_of(&[("box/a.bin", b"")], EntryType::Link));
    is_refused(&hardlink, &["link 'box/a.bin'"]);
}

#[test]
fn devices_and_pipes_are_refused() {
    let pipe = gz(&tar_of(&[("box/a.bin", b"")], EntryType::Fifo));
    is_refused(&pipe, &["does not belong there"]);
}

#[test]
fn files_that_do_not_belong_there_are_refused() {
    is_refused(
        &archive(&[("box/a.bin", b"abcd"), ("box/run.sh", b"x")]),
        &["box/run.sh"],
    );
    is_refused(&archive(&[("a.bin", b"abcd")]), &["does not belong there"]);
}

#[test]
fn a_file_of_another_size_is_refused() {
    is_refused(
        &archive(&[("box/a.bin", b"abcde")]),
        &["5 bytes", "not its size"],
    );
    is_refused(
        &archive(&[("box/a.bin", b"abc")]),
        &["3 bytes", "not its size"],
    );
    let long = archive(&[("box/a.bin", b"abcd"), ("box/note.txt", b"eleven byte")]);
    is_refused(&long, &["note.txt", "11 bytes"]);
}

#[test]
fn a_size_that_is_a_lie_is_refused_before_anything_is_read() {
    let mut tar = tar_of(&[("box/a.bin", b"abcd")], EntryType::Regular);
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes().copy_from_slice(&tar[..512]);
    header.set_size(1 << 32);
    header.set_cksum();
    tar[..512].copy_from_slice(header.as_bytes());
    is_refused(&gz(&tar), &["4294967296 bytes"]);
}

#[test]
fn the_same_file_twice_is_refused() {
    is_refused(
        &archive(&[("box/a.bin", b"abcd"), ("box/a.bin", b"efgh")]),
        &["twice"],
    );
}

#[test]
fn an_archive_without_a_needed_file_is_refused() {
    is_refused(
        &archive(&[("box/note.txt", b"hi")]),
        &["does not hold 'box/a.bin'"],
    );
}

#[test]
fn a_truncated_archive_is_refused() {
    let packed = archive(&[("box/a.bin", b"abcd")]);
    is_refused(&packed[..packed.len() / 2], &["cut off or broken"]);
    is_refused(&packed[..packed.len() - 4], &["cut off or broken"]);
    is_refused(b"not compressed at all", &["cut off or broken"]);
}

#[test]
fn an_archive_that_never_ends_is_stopped() {
    let mut tar = tar_of(&[("box/a.bin", b"abcd")], EntryType::Regular);
    tar.resize(tar.len() + (4 << 20), 0);
    is_refused(&gz(&tar), &["more than the data set"]);
    // A name that goes on for megabytes is read by the tar reader itself.
    let mut long = tar::Header::new_gnu();
    long.set_entry_type(EntryType::GNULongName);
    long.set_size(4 << 20);
    long.set_cksum();
    let name = [long.as_bytes().as_slice(), &vec![b'a'; 4 << 20]].concat();
    is_refused(&gz(&[name, tar].concat()), &["more than the data set"]);
}
