//! TensorBoard's event files: scalars by tag and step, as TensorFlow writes
//! them and TensorBoard reads them.
//!
//! A file is a chain of records (`record`), each of them an `Event` message
//! (`message`). This crate knows nothing of trainings.

mod message;
mod record;

use message::Event;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// An event file that is being written.
///
/// Every writer makes a file of its own. TensorBoard reads all files of a folder
/// in the order of their names, which is that of their seconds.
pub struct EventWriter {
    file: BufWriter<File>,
    path: PathBuf,
}

impl EventWriter {
    /// Makes `events.out.tfevents.SECONDS.HOST` in `folder`, which exists; a
    /// second file of the same second gets a number at the end.
    ///
    /// # Errors
    /// When the file cannot be made or written.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let now = now();
        let host = plain(&host());
        let stem = format!("events.out.tfevents.{:010}.{host}", now as u64);
        let mut number = 0;
        let (path, file) = loop {
            let name = match number {
                0 => stem.clone(),
                number => format!("{stem}.{number}"),
            };
            let path = folder.join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        };
        let mut writer = Self {
            file: BufWriter::new(file),
            path,
        };
        writer.write(&Event::version(now))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds the value of `tag` at `step`, which came about `wall_time` seconds
    /// after the beginning of 1970.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f32, wall_time: f64) -> io::Result<()> {
        self.write(&Event::scalar(tag, step, value, wall_time))
    }

    /// Hands everything to the system, so that TensorBoard sees it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        self.file.write_all(&record::framed(&event.encoded()))
    }
}

/// Seconds since the beginning of 1970.
pub fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// The machine's name, where the system tells it without a call of its own; it
/// is no more than a part of the file's name.
fn host() -> String {
    let variable = |name| std::env::var(name).ok();
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| variable("HOSTNAME"))
        .or_else(|| variable("COMPUTERNAME"))
        .unwrap_or_default()
}

/// `name` as a part of a file's name.
fn plain(name: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || "-_.".contains(c) {
        true => c,
        false => '-',
    };
    let name: String = name.trim().chars().map(plain).collect();
    match name.trim_matches('.') {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_writer_has_a_file_of_its_own_that_opens_with_the_version() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = EventWriter::create(dir.path()).unwrap();
        first.scalar("train/loss", 7, 0.5, 2.0).unwrap();
        first.flush().unwrap();
        let old = std::fs::read(first.path()).unwrap();
        let second = EventWriter::create(dir.path()).unwrap();
        assert_ne!(first.path(), second.path());
        assert_eq!(std::fs::read(first.path()).unwrap(), old);
        for writer in [&first, &second] {
            let name = writer.path().file_name().unwrap().to_string_lossy();
            assert!(name.starts_with("events.out.tfevents."), "{name}");
            let bytes = std::fs::read(writer.path()).unwrap();
            let text = bytes.windows(13).any(|part| part == b"brain.Event:2");
            assert!(text, "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(EventWriter::create(&dir.path().join("no")).is_err());
    }

    #[test]
    fn a_host_is_fit_for_a_files_name() {
        assert_eq!(plain("lab 7/é\n"), "lab-7--");
        assert_eq!(plain("node.example.org"), "node.example.org");
        assert_eq!(plain(" \n"), "localhost");
    }
}
