//! Whether a JPEG file is all there. The decoder paints the missing rest of a
//! file in grey and says nothing, so the end is looked for here.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The two bytes that every JPEG file begins with.
const START: [u8; 2] = [0xff, 0xd8];

/// Whether the file at `path` is a JPEG that stops before its end marker.
///
/// # Errors
/// When the file system refuses.
pub(super) fn is_cut_short(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start)?;
    if start != START {
        return Ok(false);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(!has_end(&bytes))
}

/// Whether what follows the first two bytes has an end marker behind the
/// beginning of its first scan. Earlier ones belong to embedded thumbnails.
fn has_end(mut bytes: &[u8]) -> bool {
    loop {
        match *bytes {
            // Fill bytes between two segments.
            [0xff, 0xff, ..] => bytes = &bytes[1..],
            [0xff, 0xda, ref scan @ ..] => {
                return scan.windows(2).any(|pair| pair == [0xff, 0xd9]);
            }
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                match bytes.get(2 + length..) {
                    Some(rest) => bytes = rest,
                    None => return false,
                }
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_looked_for_behind_the_first_scan() {
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xd9];
        let scan = [0xff, 0xff, 0xda, 0, 2, 1, 2, 3];
        let end = [0xff, 0xd9];
        assert!(has_end(&[&thumbnail[..], &scan, &end].concat()));
        assert!(has_end(&[&scan[..], &end, b"appended"].concat()));
        assert!(!has_end(&[&thumbnail[..], &scan].concat()));
        assert!(!has_end(&thumbnail));
        assert!(!has_end(&[0xff, 0xe1, 0, 200, 0xff, 0xd9]));
        assert!(!has_end(&[]));
    }
}
