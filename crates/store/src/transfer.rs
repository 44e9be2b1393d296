//! One file from one mirror over HTTP: resumed where an earlier try stopped,
//! into a `.part` file that gets its name only once its SHA-256 is the
//! published one.

use crate::{
    PinnedFile, Progress, StoreError, atomic::sync_folder, digest::hash_stream, error::failed_to,
};
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use ureq::{Agent, Body, http::Response};

/// Tries per mirror, as long as each brings new bytes.
const TRIES: usize = 8;

/// Bytes per second below which a mirror is given up.
const SLOWEST: f64 = 1024.0;

/// Why one try brought no complete file.
pub(crate) enum Setback {
    /// The connection ended early; the next try can go on from here.
    Cut(String),
    /// The bytes are wrong although some stem from an earlier try.
    Stale(String),
    /// This mirror will not deliver.
    Useless(String),
    /// The trouble is on this side.
    Ours(StoreError),
}

/// A file on its way.
pub(crate) struct Job<'a> {
    pub(crate) file: &'a PinnedFile,
    pub(crate) part: PathBuf,
    /// For how long a mirror may bring next to nothing.
    pub(crate) patience: Duration,
    pub(crate) progress: &'a mut dyn Progress,
}

impl Job<'_> {
    /// Tries one mirror for as long as it brings new bytes.
    pub(crate) fn bring(&mut self, agent: &Agent, url: &str) -> Result<(), Setback> {
        let mut last = String::new();
        for _ in 0..TRIES {
            let before = self.arrived();
            match self.attempt(agent, url, before) {
                Err(Setback::Cut(cause)) if self.arrived() > before => last = cause,
                Err(Setback::Stale(cause)) => last = cause,
                outcome => return outcome,
            }
        }
        Err(Setback::Useless(last))
    }

    fn arrived(&self) -> u64 {
        fs::metadata(&self.part).map_or(0, |part| part.len())
    }

    /// One request: the rest of the file, then its hash.
    fn attempt(&mut self, agent: &Agent, url: &str, from: u64) -> Result<(), Setback> {
        let mut from = from;
        if from < self.file.bytes {
            let mut response = request(agent, url, from)?;
            if from > 0 && response.status() == 416 {
                from = 0;
                response = request(agent, url, 0)?;
            }
            from = self.continues(&response, from)?;
            self.receive(response.into_body(), from)?;
        }
        self.compare(from > 0)
    }

    /// Where the bytes of `response` go: on from `from`, or from the start.
    fn continues(&self, response: &Response<Body>, from: u64) -> Result<u64, Setback> {
        let status = response.status();
        let header = |name| response.headers().get(name)?.to_str().ok();
        if status == 206 {
            let range = header("content-range").unwrap_or_default();
            return match range
                .strip_prefix("bytes ")
                .and_then(|rest| rest.split_once('-'))
            {
                Some((start, _)) if start.parse() == Ok(from) => Ok(from),
                _ => Err(Setback::Useless(format!("sent another range ({range})"))),
            };
        }
        if status != 200 {
            return Err(Setback::Useless(format!("answered {status}")));
        }
        match header("content-length").and_then(|length| length.parse::<u64>().ok()) {
            Some(length) if length != self.file.bytes => Err(Setback::Useless(format!(
                "offers {length} bytes, expected {}",
                self.file.bytes
            ))),
            _ => Ok(0),
        }
    }

    fn receive(&mut self, body: Body, from: u64) -> Result<(), Setback> {
        // Opened, and cut to `from`, only once there is something to write.
        let mut part = None;
        let mut body = body.into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut position = from;
        let mut window = (Instant::now(), from);
        self.progress.at(position);
        while position < self.file.bytes {
            let count = match body.read(&mut buffer) {
                Ok(0) => return Err(self.cut(position, "the connection ended")),
                Ok(count) => count,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => return Err(self.cut(position, &cause.to_string())),
            };
            position += count as u64;
            if position > self.file.bytes {
                return Err(self.too_long());
            }
            let part = match &mut part {
                Some(part) => part,
                none => none.insert(self.open_part(from)?),
            };
            part.write_all(&buffer[..count])
                .map_err(|cause| self.ours("write", cause))?;
            self.progress.at(position);
            self.keep_pace(&mut window, position)?;
        }
        if let Some(part) = part {
            part.sync_all().map_err(|cause| self.ours("write", cause))?;
        }
        if matches!(body.read(&mut buffer), Ok(more) if more > 0) {
            return Err(self.too_long());
        }
        Ok(())
    }

    /// Gives up a mirror that brought next to nothing since `window` began.
    fn keep_pace(&self, window: &mut (Instant, u64), position: u64) -> Result<(), Setback> {
        let elapsed = window.0.elapsed();
        if elapsed < self.patience {
            return Ok(());
        }
        let arrived = position - window.1;
        if (arrived as f64) < SLOWEST * elapsed.as_secs_f64() {
            return Err(Setback::Useless(format!(
                "brought only {arrived} bytes in {} s",
                elapsed.as_secs()
            )));
        }
        *window = (Instant::now(), position);
        Ok(())
    }

    fn open_part(&self, from: u64) -> Result<File, Setback> {
        let open = || {
            let mut part = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&self.part)?;
            part.set_len(from)?;
            part.seek(SeekFrom::Start(from))?;
            Ok(part)
        };
        open().map_err(|cause| self.ours("create", cause))
    }

    /// Compares the hash of what arrived; wrong bytes are removed.
    fn compare(&self, resumed: bool) -> Result<(), Setback> {
        let part = File::open(&self.part).map_err(|cause| self.ours("open", cause))?;
        let (found, bytes) = hash_stream(part).map_err(|cause| self.ours("read", cause))?;
        if found == self.file.sha256 {
            return Ok(());
        }
        fs::remove_file(&self.part).map_err(|cause| self.ours("remove", cause))?;
        let cause = format!(
            "wrong bytes: SHA-256 of {bytes} bytes is {found}, expected {}",
            self.file.sha256
        );
        Err(if resumed {
            Setback::Stale(cause)
        } else {
            Setback::Useless(cause)
        })
    }

    /// Gives the complete file its name.
    pub(crate) fn keep(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(self.file.name);
        fs::rename(&self.part, &path).map_err(failed_to("write", path))?;
        sync_folder(folder);
        Ok(())
    }

    fn cut(&self, position: u64, cause: &str) -> Setback {
        Setback::Cut(format!(
            "{cause} after {position} of {} bytes",
            self.file.bytes
        ))
    }

    /// More bytes than there can be: what arrived is another file.
    fn too_long(&self) -> Setback {
        let _ = fs::remove_file(&self.part);
        Setback::Useless(format!("sent more than {} bytes", self.file.bytes))
    }

    fn ours(&self, doing: &'static str, cause: io::Error) -> Setback {
        Setback::Ours(failed_to(doing, &self.part)(cause))
    }
}

fn request(agent: &Agent, url: &str, from: u64) -> Result<Response<Body>, Setback> {
    let mut request = agent.get(url).header("Accept-Encoding", "identity");
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    request.call().map_err(|error| {
        Setback::Useless(match error {
            ureq::Error::Io(cause) => cause.to_string(),
            error => error.to_string(),
        })
    })
}
