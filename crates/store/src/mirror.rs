//! One file from the first mirror that delivers it.

use crate::{
    PinnedFile, PinnedSet, Progress, StoreError,
    transfer::{Job, Setback},
};
use std::{path::Path, time::Duration};
use ureq::Agent;

/// How long to wait for a mirror.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the connection.
    pub(crate) connect: Duration,
    /// For the next byte.
    pub(crate) idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(30),
        }
    }
}

/// Downloads `file` of `set` into `folder`.
pub(crate) fn download(
    set: &PinnedSet,
    file: &PinnedFile,
    folder: &Path,
    (patience, progress): (Patience, &mut dyn Progress),
) -> Result<(), StoreError> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.idle))
        .timeout_per_read(Some(patience.idle))
        .user_agent(concat!("kiln/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let part = folder.join(format!("{}.part", file.name));
    let mut job = Job {
        file,
        part,
        progress,
    };
    let mut causes = Vec::new();
    job.progress.start(file.name, file.bytes);
    for mirror in set.mirrors {
        let outcome = job.bring(&agent, &format!("{mirror}{}", file.name));
        match outcome {
            Ok(()) => {
                job.progress.finish();
                return job.keep(folder);
            }
            Err(Setback::Ours(error)) => {
                job.progress.finish();
                return Err(error);
            }
            Err(Setback::Cut(cause) | Setback::Stale(cause) | Setback::Useless(cause)) => {
                causes.push(format!("{}: {cause}", host(mirror)));
            }
        }
    }
    job.progress.finish();
    Err(StoreError::Mirrors {
        set: set.folder,
        file: file.name,
        causes: causes.join("; "),
    })
}

fn host(mirror: &str) -> &str {
    let rest = mirror.split_once("://").map_or(mirror, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Silent;
    use std::{
        fs,
        io::{Read, Write},
        net::TcpListener,
    };

    #[test]
    fn a_mirror_that_falls_silent_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").unwrap();
            let again = listener.accept().unwrap();
            (stream, again)
        });
        let set = PinnedSet {
            folder: "letters",
            files: &[],
            mirrors: Box::leak(Box::new([&*address.leak()])),
            layout: None,
        };
        let file = PinnedFile {
            name: "a",
            bytes: 9,
            sha256: "",
            plain: None,
        };
        let dir = tempfile::tempdir().unwrap();
        let patience = Patience {
            connect: Duration::from_millis(300),
            idle: Duration::from_millis(300),
        };
        let error = download(&set, &file, dir.path(), (patience, &mut Silent)).unwrap_err();
        assert!(error.to_string().contains("timeout"), "{error}");
        assert_eq!(fs::read(dir.path().join("a.part")).unwrap(), b"abc");
        server.join().unwrap();
    }
}
