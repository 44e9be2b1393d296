//! The IDX format of images and labels, from bytes in memory; no files here.

use kiln_vision::ImageSpec;

const IMAGES: u32 = 0x0000_0803;
const LABELS: u32 = 0x0000_0801;
const IMAGE_HEADER: u64 = 16;
const LABEL_HEADER: u64 = 8;

/// More images than this are not believed: they would not fit into memory.
const MOST: u64 = 1_000_000;

/// Why bytes are not images or labels in the IDX format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the sentences name")]
pub enum IdxError {
    /// Too short for a header.
    #[error("is too short for an IDX header: {found} of {expected} bytes")]
    Header { expected: u64, found: u64 },
    /// Another kind of file.
    #[error("is no IDX file of {what}: it begins with {found:#010x}, expected {expected:#010x}")]
    Magic {
        what: &'static str,
        expected: u32,
        found: u32,
    },
    /// Images of another size.
    #[error("holds images of {rows}x{columns} pixels, expected {}x{}", ImageSpec::MNIST.height, ImageSpec::MNIST.width)]
    Size { rows: u32, columns: u32 },
    /// No or too many images.
    #[error("announces {0} items, expected 1 to {MOST}")]
    Count(u64),
    /// Fewer bytes than announced.
    #[error("is truncated: {found} of the {expected} bytes that its header announces")]
    Truncated { expected: u64, found: u64 },
    /// More bytes than announced.
    #[error("goes on after the {expected} bytes that its header announces")]
    Trailing { expected: u64 },
    /// A label that is no class.
    #[error("gives item {index} the label {label}, but the classes are 0 to 9")]
    Label { index: usize, label: u8 },
}

/// The pixels of all images, one image after the other, row by row.
///
/// # Errors
/// When the bytes are anything but an IDX file of 28x28 images, complete.
pub fn parse_images(bytes: &[u8]) -> Result<&[u8], IdxError> {
    body(bytes, image_bytes(bytes)?, IMAGE_HEADER)
}

/// The labels, one byte each, from 0 to 9.
///
/// # Errors
/// When the bytes are anything but an IDX file of such labels, complete.
pub fn parse_labels(bytes: &[u8]) -> Result<&[u8], IdxError> {
    let labels = body(bytes, label_bytes(bytes)?, LABEL_HEADER)?;
    match labels.iter().position(|&label| label > 9) {
        Some(index) => Err(IdxError::Label {
            index,
            label: labels[index],
        }),
        None => Ok(labels),
    }
}

/// Length of the whole file that a header of images announces.
pub(crate) fn image_bytes(header: &[u8]) -> Result<u64, IdxError> {
    let count = count(header, (IMAGES, "images"), IMAGE_HEADER)?;
    let spec = ImageSpec::MNIST;
    let (rows, columns) = (word(header, 2), word(header, 3));
    if (rows as usize, columns as usize) != (spec.height, spec.width) {
        return Err(IdxError::Size { rows, columns });
    }
    Ok(IMAGE_HEADER + count * spec.len() as u64)
}

/// Length of the whole file that a header of labels announces.
pub(crate) fn label_bytes(header: &[u8]) -> Result<u64, IdxError> {
    Ok(LABEL_HEADER + count(header, (LABELS, "labels"), LABEL_HEADER)?)
}

fn count(bytes: &[u8], (magic, what): (u32, &'static str), header: u64) -> Result<u64, IdxError> {
    let found = bytes.len() as u64;
    if found < 4 || found < header && word(bytes, 0) == magic {
        return Err(IdxError::Header {
            expected: header,
            found,
        });
    }
    if word(bytes, 0) != magic {
        return Err(IdxError::Magic {
            what,
            expected: magic,
            found: word(bytes, 0),
        });
    }
    match u64::from(word(bytes, 1)) {
        count @ 1..=MOST => Ok(count),
        count => Err(IdxError::Count(count)),
    }
}

fn word(bytes: &[u8], index: usize) -> u32 {
    let word = &bytes[4 * index..][..4];
    u32::from_be_bytes([word[0], word[1], word[2], word[3]])
}

fn body(bytes: &[u8], expected: u64, header: u64) -> Result<&[u8], IdxError> {
    let found = bytes.len() as u64;
    match found.cmp(&expected) {
        std::cmp::Ordering::Less => Err(IdxError::Truncated { expected, found }),
        std::cmp::Ordering::Greater => Err(IdxError::Trailing { expected }),
        std::cmp::Ordering::Equal => Ok(&bytes[header as usize..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(count: u32, rows: u32, columns: u32, body: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [IMAGES, count, rows, columns] {
            bytes.extend(word.to_be_bytes());
        }
        bytes.extend((0..body).map(|index| index as u8));
        bytes
    }

    fn labels(count: u32, body: &[u8]) -> Vec<u8> {
        [&LABELS.to_be_bytes(), &count.to_be_bytes(), body].concat()
    }

    #[test]
    fn images_and_labels_are_what_follows_the_header() {
        let bytes = images(2, 28, 28, 2 * 784);
        assert_eq!(parse_images(&bytes), Ok(&bytes[16..]));
        assert_eq!(parse_labels(&labels(3, &[9, 0, 4])), Ok(&[9, 0, 4][..]));
    }

    #[test]
    fn images_of_another_size_are_refused() {
        for (rows, columns) in [(28, 29), (0, 28), (u32::MAX, u32::MAX)] {
            let bytes = images(1, rows, columns, 784);
            assert_eq!(parse_images(&bytes), Err(IdxError::Size { rows, columns }));
        }
    }

    #[test]
    fn images_are_not_taken_for_labels() {
        let bytes = images(1, 28, 28, 784);
        let error = parse_labels(&bytes).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("0x00000803") && text.contains("labels")));
        assert!(parse_images(&labels(1, &[0])).is_err());
        assert!(parse_images(b"<html>").is_err_and(|error| error.to_string().contains("no IDX")));
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = images(2, 28, 28, 2 * 784);
        for length in [0, 3, 4, 15, 16, 17, 784, bytes.len() - 1] {
            assert!(parse_images(&bytes[..length]).is_err(), "{length}");
        }
        let bytes = labels(2, &[1, 2]);
        for length in 0..bytes.len() {
            assert!(parse_labels(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(
            parse_images(&images(1, 28, 28, 785)),
            Err(IdxError::Trailing { expected: 800 })
        );
        assert_eq!(
            parse_labels(&labels(1, &[1, 2])),
            Err(IdxError::Trailing { expected: 9 })
        );
    }

    #[test]
    fn a_count_beyond_belief_is_refused() {
        assert_eq!(parse_images(&images(0, 28, 28, 0)), Err(IdxError::Count(0)));
        let most = u64::from(u32::MAX);
        assert_eq!(
            image_bytes(&images(u32::MAX, 28, 28, 0)),
            Err(IdxError::Count(most))
        );
    }

    #[test]
    fn a_label_above_nine_is_refused() {
        assert_eq!(
            parse_labels(&labels(3, &[1, 2, 10])),
            Err(IdxError::Label {
                index: 2,
                label: 10
            })
        );
    }
}
