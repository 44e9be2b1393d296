//! SHA-256 of streams, and copies that are hashed on the way.

use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    io::{self, Read, Write},
};

const CHUNK: usize = 1 << 16;

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Copies all of `from` to `to`; the SHA-256 of what went over, and its length.
pub(crate) fn copy_hashed(
    mut from: impl Read,
    mut to: impl Write,
) -> Result<(String, u64), CopyError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok((hex(&hasher.finalize()), bytes)),
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(CopyError::Read(cause)),
        };
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(CopyError::Write)?;
        bytes += count as u64;
    }
}

/// The SHA-256 and length of all that `from` yields.
pub(crate) fn hash_stream(from: impl Read) -> io::Result<(String, u64)> {
    copy_hashed(from, io::sink()).map_err(|error| match error {
        CopyError::Read(cause) | CopyError::Write(cause) => cause,
    })
}

/// On which side a copy failed.
#[derive(Debug)]
pub(crate) enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_published_example_has_its_published_hash() {
        assert_eq!(sha256_hex(b"abc"), ABC);
    }

    #[test]
    fn a_copy_is_hashed_on_the_way() {
        let mut copy = Vec::new();
        let (hash, bytes) = copy_hashed(&b"abc"[..], &mut copy).unwrap();
        assert_eq!(
            (hash.as_str(), bytes, copy.as_slice()),
            (ABC, 3, &b"abc"[..])
        );
    }
}
