//! Downloads that were interrupted, and how they are taken up again.
#![cfg(feature = "download")]
#![allow(clippy::unwrap_used)]

mod scene;
mod server;

use scene::{TRAIN, gz};
use server::{Answer, Server, fetch, good, is_complete, one_missing};

#[test]
fn a_cut_connection_is_taken_up_where_it_ended() {
    let server = Server::new(vec![
        Answer::Cut(gz(TRAIN), 9),
        Answer::Cut(gz(TRAIN), 2),
        good(),
    ]);
    let (scene, set) = one_missing(&[&server]);
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    let requests = server.requests();
    assert!(
        requests[1].ends_with("from 9") && requests[2].ends_with("from 11"),
        "{requests:?}"
    );
}

#[test]
fn a_part_of_an_earlier_run_is_completed() {
    let server = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&server]);
    scene.write("data/letters/train.gz.part", &gz(TRAIN)[..5]);
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    assert_eq!(server.requests(), ["GET /files/train.gz HTTP/1.1 from 5"]);
}

#[test]
fn a_part_that_is_complete_needs_no_request() {
    let server = Server::new(vec![Answer::Status(500)]);
    let (scene, set) = one_missing(&[&server]);
    scene.write("data/letters/train.gz.part", &gz(TRAIN));
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    assert!(server.requests().is_empty());
}

#[test]
fn a_part_with_wrong_bytes_is_thrown_away_and_the_mirror_asked_again() {
    let server = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&server]);
    scene.write("data/letters/train.gz.part", b"wrong");
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_part_that_is_too_long_is_thrown_away() {
    let server = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&server]);
    scene.write("data/letters/train.gz.part", &[0; 5000]);
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
}

#[test]
fn a_server_that_ignores_ranges_is_read_from_the_start() {
    let server = Server::new(vec![Answer::WholeFile(gz(TRAIN))]);
    let (scene, set) = one_missing(&[&server]);
    scene.write("data/letters/train.gz.part", b"anything");
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
}

#[test]
fn a_server_that_refuses_the_range_is_asked_for_everything() {
    let server = Server::new(vec![Answer::Status(416), good()]);
    let (scene, set) = one_missing(&[&server]);
    scene.write("data/letters/train.gz.part", b"anything");
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    assert_eq!(server.requests()[1], "GET /files/train.gz HTTP/1.1");
}

#[test]
fn a_second_mirror_goes_on_where_the_first_gave_up() {
    let first = Server::new(vec![Answer::Cut(gz(TRAIN), 7), Answer::Status(503)]);
    let second = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&first, &second]);
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    assert!(second.requests()[0].ends_with("from 7"));
}

#[test]
fn a_part_is_kept_until_other_bytes_arrive() {
    let first = Server::new(vec![Answer::Endless(Vec::new())]);
    let second = Server::new(vec![good()]);
    let (scene, set) = one_missing(&[&first, &second]);
    scene.write("data/letters/train.gz.part", &gz(TRAIN)[..5]);
    fetch(&scene, &set).unwrap();
    is_complete(&scene, &set);
    assert!(second.requests()[0].ends_with("from 5"));
}
