//! Downloads from a server on the loopback: whole, wrong, refused.
#![cfg(feature = "download")]
#![allow(clippy::unwrap_used)]

mod scene;
mod server;

use kiln_store::{Import, Progress};
use scene::{ORIGIN, Scene, TRAIN, anything, archive, boxed, gz, letters_from, says};
use server::{Answer, Server, fetch, good, is_complete, one_missing};
use std::fs;

#[test]
fn only_what_is_missing_is_downloaded() {
    let server = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&server]);
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    fetch(&scene, &set).unwrap();
    assert_eq!(server.requests(), ["GET /files/train.gz HTTP/1.1"]);
}

#[test]
fn progress_is_told_from_start_to_finish() {
    #[derive(Default)]
    struct Heard(Vec<String>);
    impl Progress for Heard {
        fn start(&mut self, file: &str, total: u64) {
            self.0.push(format!("{file} {total}"));
        }
        fn at(&mut self, position: u64) {
            self.0.push(position.to_string());
        }
        fn finish(&mut self) {
            self.0.push("done".to_owned());
        }
    }
    let server = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&server]);
    let mut heard = Heard::default();
    scene.store.fetch(&set, &mut heard).unwrap();
    let total = gz(TRAIN).len().to_string();
    assert_eq!(heard.0.first().unwrap(), &format!("train.gz {total}"));
    assert_eq!(heard.0[heard.0.len() - 2..], [total, "done".to_owned()]);
}

#[test]
fn mirrors_are_asked_in_order_until_one_delivers() {
    let bad = [
        Server::new(vec![Answer::Status(404)]),
        Server::new(vec![Answer::Status(503)]),
        Server::new(vec![Answer::WrongRange(gz(TRAIN))]),
    ];
    let good = Server::new(vec![good()]);
    let unasked = Server::new(vec![Answer::Status(500)]);
    let (scene, set) = one_missing(&[&bad[0], &bad[1], &bad[2], &good, &unasked]);
    scene.write("data/letters/train.gz.part", &gz(TRAIN)[..3]);
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    assert!(bad.iter().all(|server| server.requests().len() == 1));
    assert!(unasked.requests().is_empty());
}

#[test]
fn when_all_mirrors_fail_each_cause_is_named() {
    let mut wrong = gz(TRAIN);
    wrong[12] ^= 1;
    let servers = [
        Server::new(vec![Answer::Status(404)]),
        Server::new(vec![Answer::File(b"<html>please log in</html>".to_vec())]),
        Server::new(vec![Answer::File(wrong)]),
        Server::new(vec![Answer::Endless(vec![0; 5000])]),
        Server::new(vec![Answer::Endless(b"short".to_vec())]),
    ];
    let (scene, mut set) = one_missing(&servers.iter().collect::<Vec<_>>());
    let nobody = "http://127.0.0.1:1/".to_owned();
    let all: Vec<_> = set
        .mirrors
        .iter()
        .map(|mirror| (*mirror).to_owned())
        .chain([nobody])
        .collect();
    set.mirrors = scene::addresses(&all);
    let error = fetch(&scene, &set).unwrap_err();
    let words = [
        "train.gz",
        "404",
        "offers 26 bytes",
        "wrong bytes: SHA-256",
        "sent more than",
    ];
    says(&error, &words);
    says(
        &error,
        &[
            "the connection ended after 5",
            "127.0.0.1:1: ",
            "kiln data import DIR",
        ],
    );
    assert!(!scene.path("data/letters/train.gz").exists());
}

#[test]
fn a_fetch_that_brought_nothing_leaves_no_folder() {
    let server = Server::new(vec![Answer::Status(404)]);
    let scene = Scene::new();
    assert!(fetch(&scene, &letters_from(std::slice::from_ref(&server.address))).is_err());
    assert!(!scene.path("data/letters").exists());
}

#[test]
fn wrong_bytes_leave_nothing_behind() {
    let mut wrong = gz(TRAIN);
    wrong[12] ^= 1;
    let server = Server::new(vec![Answer::File(wrong)]);
    let (scene, set) = one_missing(&[&server]);
    assert!(fetch(&scene, &set).is_err());
    assert!(!scene.path("data/letters/train.gz.part").exists());
}

#[test]
fn offline_is_said_at_once_unless_everything_is_there() {
    let server = Server::new(vec![good()]);
    let scene = Scene::offline();
    let set = letters_from(std::slice::from_ref(&server.address));
    let error = fetch(&scene, &set).unwrap_err();
    says(
        &error,
        &["train.gz", "letters", "offline", "kiln data import DIR"],
    );
    assert!(server.requests().is_empty() && scene.content().is_empty());
    scene.letters_in("data/letters");
    fetch(&scene, &set).unwrap();
}

#[test]
fn what_is_there_is_checked_and_never_replaced() {
    let server = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&server]);
    scene.write("data/letters/test.gz", b"mine");
    says(&fetch(&scene, &set).unwrap_err(), &["test.gz", "delete it"]);
    assert_eq!(
        fs::read(scene.path("data/letters/test.gz")).unwrap(),
        b"mine"
    );
}

#[test]
fn an_unofficial_copy_is_not_replaced() {
    let server = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&server]);
    scene.write("data/letters/train", b"mine");
    let import = Import {
        set: &set,
        from: &scene.path("data/letters"),
        unofficial: Some(ORIGIN),
        check: &anything,
    };
    scene.store.import(&import).unwrap();
    let error = fetch(&scene, &set).unwrap_err();
    says(
        &error,
        &["unofficial copy of letters", ORIGIN, "delete that folder"],
    );
    assert!(server.requests().is_empty());
}

#[test]
fn an_archive_is_downloaded_unpacked_and_not_downloaded_again() {
    let packed = archive(&[("box/a.bin", b"abcd")]);
    let server = Server::new(vec![Answer::File(packed.clone())]);
    let scene = Scene::new();
    let set = boxed(&packed, std::slice::from_ref(&server.address));
    fetch(&scene, &set).unwrap();
    assert_eq!(
        fs::read(scene.path("data/boxed/box/a.bin")).unwrap(),
        b"abcd"
    );
    fs::remove_file(scene.path("data/boxed/box.tar.gz")).unwrap();
    fetch(&scene, &set).unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn files_of_unknown_origin_stop_the_download_of_an_archive() {
    let packed = archive(&[("box/a.bin", b"abcd")]);
    let scene = Scene::new();
    scene.write("data/boxed/box/a.bin", b"mine");
    let error = fetch(&scene, &boxed(&packed, &[])).unwrap_err();
    says(&error, &["nothing vouches for them", "--unofficial"]);
    assert_eq!(
        fs::read(scene.path("data/boxed/box/a.bin")).unwrap(),
        b"mine"
    );
}

#[test]
fn what_another_process_brought_meanwhile_is_not_downloaded() {
    let server = Server::new(vec![Answer::Status(500)]);
    let (scene, set) = one_missing(&[&server]);
    let lock = fs::File::create(scene.path("data/.letters.lock")).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| fetch(&scene, &set));
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(!fetching.is_finished());
        scene.write("data/letters/train.gz", &gz(TRAIN));
        lock.unlock().unwrap();
        fetching.join().unwrap().unwrap();
    });
    assert!(server.requests().is_empty());
}
