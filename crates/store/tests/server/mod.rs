//! A web server on the loopback that behaves as badly as told, and what the
//! tests of downloads share; no test of its own.
#![allow(dead_code)]

use crate::scene::{Scene, TEST, TRAIN, gz, letters_from};
use kiln_store::{PinnedSet, SetState, Silent, StoreError};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// How the next request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The file, honouring `Range`.
    File(Vec<u8>),
    /// The file from its start, whatever `Range` says.
    WholeFile(Vec<u8>),
    /// The first bytes of the file (after the start of `Range`), then a closed
    /// connection.
    Cut(Vec<u8>, usize),
    /// The bytes without a length, until the connection closes.
    Endless(Vec<u8>),
    /// An error code with a page.
    Status(u16),
    /// A range that was not asked for.
    WrongRange(Vec<u8>),
}

pub struct Server {
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// A server that gives these answers in turn, then the last one for ever.
    pub fn new(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/files/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        thread::spawn(move || {
            for (count, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = read_request(&stream);
                let line = request.first().cloned().unwrap_or_default();
                let from = request.iter().find_map(|line| {
                    let line = line.to_ascii_lowercase();
                    line.strip_prefix("range: bytes=")?
                        .strip_suffix('-')?
                        .parse()
                        .ok()
                });
                log.lock().unwrap().push(match from {
                    Some(from) => format!("{line} from {from}"),
                    None => line,
                });
                let answer = answers.get(count).or(answers.last()).unwrap();
                let _ = reply(&mut stream, answer, from);
            }
        });
        Self { address, requests }
    }

    /// What was asked for so far, such as `GET /files/a HTTP/1.1 from 3`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Vec<String> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect()
}

fn reply(stream: &mut TcpStream, answer: &Answer, from: Option<usize>) -> std::io::Result<()> {
    let (status, extra, length, body): (u16, String, Option<usize>, &[u8]) = match answer {
        Answer::File(file) => match from {
            Some(from) if from < file.len() => (
                206,
                range(from, file.len()),
                Some(file.len() - from),
                &file[from..],
            ),
            Some(_) => (416, String::new(), Some(0), b""),
            None => (200, String::new(), Some(file.len()), file),
        },
        Answer::WholeFile(file) => (200, String::new(), Some(file.len()), file),
        Answer::Cut(file, count) => match from {
            Some(from) => {
                let end = (from + count).min(file.len());
                (
                    206,
                    range(from, file.len()),
                    Some(file.len() - from),
                    &file[from..end],
                )
            }
            None => (200, String::new(), Some(file.len()), &file[..*count]),
        },
        Answer::Endless(body) => (200, String::new(), None, body),
        Answer::Status(status) => (*status, String::new(), Some(14), b"<html></html>\n"),
        Answer::WrongRange(file) => (206, range(0, file.len()), Some(file.len()), file),
    };
    let length = length.map_or(String::new(), |length| {
        format!("Content-Length: {length}\r\n")
    });
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\nConnection: close\r\n{extra}{length}\r\n"
    )?;
    stream.write_all(body)
}

fn range(from: usize, length: usize) -> String {
    format!("Content-Range: bytes {from}-{}/{length}\r\n", length - 1)
}

pub fn fetch(scene: &Scene, set: &PinnedSet) -> Result<(), StoreError> {
    scene.store.fetch(set, &mut Silent)
}

/// A scene in which only `train.gz` is missing, and the set with these mirrors.
pub fn one_missing(mirrors: &[&Server]) -> (Scene, PinnedSet) {
    let scene = Scene::new();
    scene.write("data/letters/test.gz", &gz(TEST));
    let addresses: Vec<_> = mirrors
        .iter()
        .map(|mirror| mirror.address.clone())
        .collect();
    (scene, letters_from(&addresses))
}

pub fn good() -> Answer {
    Answer::File(gz(TRAIN))
}

#[track_caller]
pub fn is_complete(scene: &Scene, set: &PinnedSet) {
    assert_eq!(scene.store.state(set), SetState::Official);
    assert_eq!(
        fs::read(scene.path("data/letters/train.gz")).unwrap(),
        gz(TRAIN)
    );
    assert!(!scene.path("data/letters/train.gz.part").exists());
}
