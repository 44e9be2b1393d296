//! The playground as browsers and others meet it: raw bytes over TCP.

use crate::{kiln, refuses, short, stderr};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A running playground, ended when the test ends.
struct Playground {
    child: Child,
    port: u16,
}

impl Playground {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(["playground", "--port", "0"])
            .args(arguments)
            .current_dir(folder)
            .env_remove("KILN_RUNS_DIR")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let port = line.strip_prefix("http://127.0.0.1:").expect(&line);
        let port = port.trim_end_matches("/\n").parse().unwrap();
        Self { child, port }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let patience = Some(Duration::from_secs(30));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    /// What comes back on a connection of its own, until it is closed.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // A server that has refused already may not read the rest.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> (u16, String) {
        parts(&self.raw(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()))
    }

    fn post(&self, path: &str, headers: &str, body: &[u8]) -> (u16, Value) {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{headers}Content-Length: {length}\r\n\r\n",
            self.port
        );
        let (status, body) = parts(&self.raw(&[head.as_bytes(), body].concat()));
        (status, serde_json::from_str(&body).unwrap())
    }

    /// It is refused with this status and a sentence with these words.
    #[track_caller]
    fn refuses(&self, bytes: impl AsRef<[u8]>, status: u16, words: &str) {
        let answer = self.raw(bytes.as_ref());
        let (found, body) = parts(&answer);
        let error: Value = serde_json::from_str(&body).unwrap();
        let error = error["error"].as_str().unwrap().to_owned();
        assert_eq!(found, status, "{answer}");
        assert!(error.contains(words), "{error}");
    }

    /// It still answers, and what it said to the terminal tells of no panic.
    fn end(mut self) {
        assert_eq!(self.get("/models").0, 200);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut text = String::new();
        let mut errors = self.child.stderr.take().unwrap();
        errors.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("playground of "), "{text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body of an answer.
#[track_caller]
fn parts(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").expect(answer);
    let status = head.strip_prefix("HTTP/1.1 ").expect(answer);
    (status[..3].parse().unwrap(), body.to_owned())
}

fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = kiln(folder.path(), &short(&[]));
    assert!(output.status.success(), "{}", stderr(&output));
    folder
}

/// Bytes that look like nothing, the same in every test.
fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..count).map(next).collect()
}

#[test]
fn the_page_the_runs_and_what_they_say_of_an_image() {
    let folder = trained();
    let playground = Playground::start(folder.path(), &[]);
    let (status, page) = playground.get("/");
    assert_eq!(status, 200);
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    // Nothing is fetched from elsewhere.
    let own = page.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(page.matches("://").count(), own);

    let (status, models) = playground.get("/models");
    assert_eq!(status, 200);
    let models: Value = serde_json::from_str(&models).unwrap();
    assert_eq!(models.as_array().unwrap().len(), 1);
    let card = &models[0];
    assert_eq!(
        (&card["model"], &card["dataset"]),
        (&"mlp".into(), &"digits".into())
    );
    assert_eq!(card["input"], "1x28x28");
    assert!(card["run"].as_str().unwrap().ends_with("-mlp-digits"));
    assert!(card["val_accuracy"].as_f64().unwrap() > 0.0);
    let layers = card["layers"].as_array().unwrap();

    let pixels = noise(784, 7);
    let (status, all) = playground.post("/classify?run=0", "", &pixels);
    assert_eq!(status, 200, "{all}");
    let sum: f64 = (all["probabilities"].as_array().unwrap().iter())
        .map(|share| share.as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    assert_eq!(all["layers"].as_array().unwrap().len(), layers.len());
    for (maps, card) in all["layers"].as_array().unwrap().iter().zip(layers) {
        for key in ["name", "kind", "shape"] {
            assert_eq!(maps[key], card[key]);
        }
        let bytes = maps["maps"].as_str().unwrap().len() / 4 * 3;
        let count = maps["count"].as_u64().unwrap() as usize;
        assert!((count..count + 3).contains(&bytes), "{maps}");
        assert!(maps["min"].as_f64() <= maps["max"].as_f64());
    }
    let (_, none) = playground.post("/classify?run=0&layers=", "", &pixels);
    assert_eq!(none["layers"], Value::Array(Vec::new()));
    assert_eq!(none["probabilities"], all["probabilities"]);
    let (_, some) = playground.post("/classify?layers=2,1&run=0", "", &pixels);
    assert_eq!(some["layers"][0], all["layers"][2]);
    playground.end();
}

#[test]
fn two_runs_answer_each_for_itself() {
    let folder = trained();
    let shapes = "train mlp --dataset shapes --epochs 1 --limit-train 64 --limit-val 16";
    let shapes: Vec<_> = shapes.split(' ').collect();
    assert!(kiln(folder.path(), &shapes).status.success());
    let runs = crate::stdout(&kiln(folder.path(), &["runs", "list", "--format", "json"]));
    let runs: Value = serde_json::from_str(&runs).unwrap();
    let name = |at: usize| runs[at]["run"].as_str().unwrap();
    let playground = Playground::start(folder.path(), &[name(0), name(1)]);
    let models: Value = serde_json::from_str(&playground.get("/models").1).unwrap();
    assert_eq!(models[0]["input"], "1x28x28");
    assert_eq!(models[1]["input"], "3x32x32");
    for (run, length) in [(0, 784), (1, 3072)] {
        let path = format!("/classify?run={run}&layers=0");
        assert_eq!(playground.post(&path, "", &noise(length, 1)).0, 200);
        let (status, answer) = playground.post(&path, "", &noise(length + 1, 1));
        assert_eq!(status, 400);
        let words = format!("has {length} bytes");
        assert!(answer["error"].to_string().contains(&words), "{answer}");
    }
    playground.end();
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let folder = trained();
    let playground = Playground::start(folder.path(), &["latest"]);
    for path in [
        "/no",
        "/../../etc/passwd",
        "/%2e%2e/run.json",
        "//",
        "/models/",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        playground.refuses(request, 404, "the page is at /");
    }
    let line = |line: &str| format!("{line}\r\nHost: localhost\r\n\r\n");
    playground.refuses(line("DELETE / HTTP/1.1"), 405, "takes GET alone");
    playground.refuses(line("GET /classify HTTP/1.1"), 405, "takes POST alone");
    assert!(
        playground
            .raw(line("GET /classify HTTP/1.1").as_bytes())
            .contains("\r\nAllow: POST\r\n")
    );
    playground.refuses(line("GET / HTTP/3.7"), 505, "HTTP/1.1");
    playground.refuses(line("GET /"), 400, "no HTTP request");
    playground.refuses("GET / HTTP/1.1\r\n\r\n", 400, "Host is missing");
    playground.refuses("GET / HTT", 400, "ends within its head");
    let headers = |headers: &str| {
        format!("POST /classify?run=0 HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
    };
    playground.refuses(
        headers("Transfer-Encoding: chunked\r\n"),
        501,
        "Content-Length",
    );
    playground.refuses(headers("Content-Length: +7\r\n"), 400, "no number");
    playground.refuses(
        headers("Content-Length: 99999999999999999999\r\n"),
        413,
        "1048576 bytes",
    );
    playground.refuses(headers("Content-Length: 1048577\r\n"), 413, "1048576 bytes");
    let twice = "Content-Length: 1\r\nContent-Length: 2\r\n";
    playground.refuses(headers(twice), 400, "comes twice");
    playground.refuses(
        headers("Content-Length: 784\r\n"),
        400,
        "after 0 of 784 bytes",
    );
    playground.refuses(
        headers(&format!("X: {}\r\n", "x".repeat(9000))),
        431,
        "8 KiB",
    );
    playground.refuses(headers(&"X: x\r\n".repeat(65)), 431, "64 lines");
    let pixels = [0; 784];
    for (query, words) in [
        ("", "does not say which run=N"),
        ("?run=", "'' is no number"),
        ("?run=-1", "'-1' is no number"),
        ("?run=1", "there is no run 1"),
        ("?run=0&layers=0,x", "'x' is no number"),
        ("?run=0&layers=99", "not 99"),
        ("?run=0&layers=0,0,0,0,0,0,0,0,0,0", "more layers"),
        ("?run=0&model=mlp", "'model=mlp' is neither"),
        ("?run=0&layers=1,", "'' is no number"),
    ] {
        let (status, answer) = playground.post(&format!("/classify{query}"), "", &pixels);
        assert_eq!(status, 400, "{query}: {answer}");
        assert!(answer["error"].to_string().contains(words), "{answer}");
    }
    playground.end();
}

#[test]
fn other_sites_may_not_ask() {
    let folder = trained();
    let playground = Playground::start(folder.path(), &[]);
    for host in "evil.example localhost.evil.example:8300 10.0.0.1 [::2]:80 ".split(' ') {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        playground.refuses(request, 403, "localhost, 127.0.0.1 and [::1] alone");
    }
    for host in ["LOCALHOST:9", "127.0.0.1", "[::1]:8300", "[::1]"] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(parts(&playground.raw(request.as_bytes())).0, 200, "{host}");
    }
    let own = format!("Origin: http://127.0.0.1:{}\r\n", playground.port);
    let (status, _) = playground.post("/classify?run=0", &own, &[0; 784]);
    assert_eq!(status, 200);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let origin = format!("Origin: {origin}\r\n");
        let (status, answer) = playground.post("/classify?run=0", &origin, &[0; 784]);
        assert_eq!(status, 403, "{answer}");
    }
    playground.end();
}

#[test]
fn nothing_that_is_sent_brings_it_down() {
    let folder = trained();
    let playground = Playground::start(folder.path(), &[]);
    // Half-open connections, more of them than are served at a time: the next
    // one waits until their time is over.
    let _held: Vec<_> = (0..40)
        .map(|at| {
            let mut stream = playground.connect();
            let half: &[u8] = match at % 3 {
                0 => b"",
                1 => b"POST /classify?run=0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 784\r\n\r\n123",
                _ => b"GET / HTTP/1.1\r\nHo",
            };
            stream.write_all(half).unwrap();
            stream
        })
        .collect();
    for seed in 0..60 {
        let count = [1, 9, 300, 9000, 70_000][seed as usize % 5];
        let answer = playground.raw(&noise(count, seed));
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    // A good request with each of its bytes changed in turn.
    let good = b"POST /classify?run=0&layers=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
    for at in 0..good.len() {
        let mut bytes = good.to_vec();
        bytes[at] = noise(1, at as u64)[0];
        let answer = playground.raw(&bytes);
        assert!(answer.is_empty() || parts(&answer).0 >= 400, "{answer}");
        let cut = playground.raw(&good[..at]);
        assert!(cut.is_empty() || parts(&cut).0 == 400, "{cut}");
    }
    playground.end();
}

#[test]
fn a_connection_serves_requests_one_after_the_other() {
    let folder = trained();
    let playground = Playground::start(folder.path(), &[]);
    let request = "GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Two at once, and the second in two pieces; the body of a third waits for a word.
    let mut stream = playground.connect();
    stream
        .write_all(format!("{request}{}", &request[..20]).as_bytes())
        .unwrap();
    stream.write_all(&request.as_bytes()[20..]).unwrap();
    let head = "POST /classify?run=0&layers= HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 784\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&[9; 784]).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 100 Continue").count(), 1);
    assert_eq!(answers.matches("Connection: keep-alive").count(), 2);
    playground.end();
}

#[test]
fn it_ends_when_asked_and_says_why_it_cannot_begin() {
    let folder = trained();
    let at = folder.path();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refuses(
        at,
        &["playground", "--port", &port],
        2,
        &["is in use", "--port 0"],
    );
    refuses(
        at,
        &["playground", "--host", "192.0.2.1"],
        2,
        &["no address of this machine", "--host"],
    );
    refuses(at, &["playground", "nothing"], 2, &["no run 'nothing'"]);
    refuses(at, &["playground", "--port", "70000"], 2, &["--port"]);
    refuses(at, &["playground", "--host", "everywhere"], 2, &["--host"]);
    refuses(
        at,
        &["playground", "latest", "latest", "latest"],
        2,
        &["latest"],
    );
    #[cfg(unix)]
    {
        let mut playground = Playground::start(at, &[]);
        let id = playground.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(playground.child.wait().unwrap().code(), Some(0));
    }
}
