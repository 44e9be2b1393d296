//! A tiny data set and a data folder in a temporary place, for the tests of
//! the store; no test of its own.
#![allow(dead_code)]

use flate2::{Compression, write::GzEncoder};
use kiln_store::{
    Layout, Member, PinnedFile, PinnedPlain, PinnedSet, Size, Store, StoreError, VerifiedFile,
    sha256_hex,
};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub const TRAIN: &[u8] = b"the training letters";
pub const TEST: &[u8] = b"the test letters, longer";
pub const ORIGIN: &str = "typed in by hand";

pub struct Scene {
    pub dir: TempDir,
    pub store: Store,
}

impl Scene {
    pub fn new() -> Self {
        Self::with(false)
    }

    pub fn offline() -> Self {
        Self::with(true)
    }

    fn with(offline: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::locate(Some(&dir.path().join("data")), offline).unwrap();
        Self { dir, store }
    }

    /// Writes a file, given its path from the top of the scene.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The two files of `letters`, under `folder`.
    pub fn letters_in(&self, folder: &str) {
        self.write(&format!("{folder}/train.gz"), &gz(TRAIN));
        self.write(&format!("{folder}/test.gz"), &gz(TEST));
    }

    /// All files under the scene with their bytes, but for locks and records
    /// of hashes.
    pub fn content(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        walk(self.dir.path(), &mut found);
        found.retain(|(path, _)| {
            let name = path.file_name().unwrap().to_string_lossy();
            !name.ends_with(".lock") && name != ".kiln-verified.json"
        });
        found.sort();
        found
    }
}

fn walk(dir: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn text(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A set of two compressed files.
pub fn letters() -> PinnedSet {
    letters_from(&[])
}

pub fn letters_from(mirrors: &[String]) -> PinnedSet {
    let file = |name, plain: &[u8]| PinnedFile {
        name,
        bytes: gz(plain).len() as u64,
        sha256: text(sha256_hex(&gz(plain))),
        plain: Some(PinnedPlain {
            bytes: plain.len() as u64,
            sha256: text(sha256_hex(plain)),
        }),
    };
    PinnedSet {
        folder: "letters",
        files: Box::leak(Box::new([file("train.gz", TRAIN), file("test.gz", TEST)])),
        mirrors: addresses(mirrors),
        layout: None,
    }
}

pub fn addresses(mirrors: &[String]) -> &'static [&'static str] {
    let mirrors: Vec<_> = mirrors.iter().map(|mirror| text(mirror.clone())).collect();
    Box::leak(mirrors.into_boxed_slice())
}

/// A set that is the given archive of `box/a.bin` (4 bytes) and, if it likes,
/// `box/note.txt` (at most 10 bytes).
pub fn boxed(archive: &[u8], mirrors: &[String]) -> PinnedSet {
    let file = PinnedFile {
        name: "box.tar.gz",
        bytes: archive.len() as u64,
        sha256: text(sha256_hex(archive)),
        plain: None,
    };
    PinnedSet {
        folder: "boxed",
        files: Box::leak(Box::new([file])),
        mirrors: addresses(mirrors),
        layout: Some(Layout {
            folder: "box",
            members: &[
                Member {
                    name: "a.bin",
                    size: Size::Exactly(4),
                },
                Member {
                    name: "note.txt",
                    size: Size::AtMost(10),
                },
            ],
        }),
    }
}

/// A `.tar.gz` of files; names are written as they are, however wicked.
pub fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    gz(&tar_of(files, tar::EntryType::Regular))
}

pub fn tar_of(files: &[(&str, &[u8])], kind: tar::EntryType) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        if kind != tar::EntryType::Regular {
            header.set_link_name("/etc/passwd").unwrap();
            header.set_size(0);
        }
        header.set_cksum();
        let body: &[u8] = if kind == tar::EntryType::Regular {
            bytes
        } else {
            b""
        };
        builder.append(&header, body).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Asserts that `error` is one line that holds all of `words`.
#[track_caller]
pub fn says(error: &StoreError, words: &[&str]) {
    let sentence = error.to_string();
    assert!(!sentence.contains('\n'), "{sentence}");
    for word in words {
        assert!(sentence.contains(word), "'{word}' is not in: {sentence}");
    }
}

pub fn anything(_: &[VerifiedFile]) -> Result<(), String> {
    Ok(())
}
