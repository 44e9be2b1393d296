//! One file from the first mirror that delivers it.

use crate::{
    PinnedFile, PinnedSet, Progress, StoreError,
    transfer::{Job, Setback},
};
use std::{path::Path, time::Duration};
use ureq::Agent;

/// The variables that name a proxy; the first that is set counts.
const PROXIES: [&str; 6] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

/// How long to wait for a mirror.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the connection.
    pub(crate) connect: Duration,
    /// For the next byte, and for more than next to nothing.
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
    refuse_proxy(&|name| std::env::var(name).ok())?;
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
        patience: patience.idle,
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
        causes: causes.join(", "),
    })
}

/// Refuses a proxy that would be passed by in silence: whoever needs it would
/// find no mirror, and whoever hides behind it would be seen.
fn refuse_proxy(variable: &dyn Fn(&str) -> Option<String>) -> Result<(), StoreError> {
    let set = PROXIES.into_iter().find_map(|name| {
        let value = variable(name).filter(|value| !value.is_empty())?;
        Some((name, value))
    });
    match set {
        Some((variable, value)) => match value.split_once("://") {
            Some((kind, _)) if !["http", "https"].contains(&kind.to_lowercase().as_str()) => {
                Err(StoreError::Proxy {
                    variable,
                    kind: kind.to_owned(),
                })
            }
            _ => Ok(()),
        },
        None => Ok(()),
    }
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
        net::{TcpListener, TcpStream},
    };

    /// The error when the only mirror sends `abc` of 99 bytes and then does
    /// this, and what arrived.
    fn error_of<T: Send + 'static>(
        then: impl FnOnce(&mut TcpStream, &TcpListener) -> T + Send + 'static,
    ) -> (StoreError, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc").unwrap();
            let kept = then(&mut stream, &listener);
            (stream, kept)
        });
        let set = PinnedSet {
            folder: "letters",
            files: &[],
            mirrors: Box::leak(Box::new([&*address.leak()])),
            layout: None,
        };
        let file = PinnedFile {
            name: "a",
            bytes: 99,
            sha256: "",
            plain: None,
        };
        let dir = tempfile::tempdir().unwrap();
        let patience = Patience {
            connect: Duration::from_millis(300),
            idle: Duration::from_millis(300),
        };
        let error = download(&set, &file, dir.path(), (patience, &mut Silent)).unwrap_err();
        server.join().unwrap();
        (error, fs::read(dir.path().join("a.part")).unwrap())
    }

    #[test]
    fn a_mirror_that_falls_silent_is_given_up() {
        let (error, part) = error_of(|_, listener| listener.accept().unwrap());
        assert!(error.to_string().contains("timeout"), "{error}");
        assert_eq!(part, b"abc");
    }

    #[test]
    fn a_mirror_that_trickles_is_given_up_and_what_came_is_kept() {
        let (error, part) = error_of(|stream, _| {
            while stream.write_all(b"d").is_ok() {
                std::thread::sleep(Duration::from_millis(30));
            }
        });
        assert!(error.to_string().contains("brought only"), "{error}");
        assert!(part.starts_with(b"abcd") && part.len() < 99);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused() {
        let with = |name: &'static str, value: &'static str| {
            refuse_proxy(&move |asked| (asked == name).then(|| value.to_owned()))
        };
        let error = with("ALL_PROXY", "socks5://me:secret@host:1080").unwrap_err();
        let sentence = error.to_string();
        assert!(
            sentence.contains("ALL_PROXY") && sentence.contains("'socks5'"),
            "{sentence}"
        );
        assert!(!sentence.contains("secret"), "{sentence}");
        assert!(with("https_proxy", "socks4://host").is_err());
        for value in ["", "http://host:80", "HTTPS://host", "host:80"] {
            assert!(with("https_proxy", value).is_ok(), "{value}");
        }
    }
}
