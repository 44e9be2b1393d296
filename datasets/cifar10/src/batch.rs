//! A batch: records of a label and an image, from bytes in memory; no files
//! here.

use kiln_vision::ImageSpec;

/// Images in every published batch.
pub(crate) const IMAGES: usize = 10_000;
/// A label and the red, green and blue planes, row by row.
pub(crate) const RECORD: usize = 1 + ImageSpec::CIFAR.len();

/// Why bytes are not a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the sentences name")]
pub enum BatchError {
    /// Not a whole number of records, or none.
    #[error("has {0} bytes, which is not a number of records of {RECORD} bytes")]
    Length(usize),
    /// Records, but not as many as in a published batch.
    #[error("has {found} bytes, expected {expected}")]
    Count { expected: usize, found: usize },
    /// A label that is no class.
    #[error("gives image {index} the label {label}, but the classes are 0 to 9")]
    Label { index: usize, label: u8 },
}

/// Appends the images of a batch to `pixels`, each as channel, row, column,
/// and their classes to `labels`.
///
/// # Errors
/// When the bytes are not whole records with labels from 0 to 9; nothing is
/// appended then.
pub fn parse_batch(
    bytes: &[u8],
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u16>,
) -> Result<(), BatchError> {
    let (records, rest) = bytes.as_chunks::<RECORD>();
    if records.is_empty() || !rest.is_empty() {
        return Err(BatchError::Length(bytes.len()));
    }
    if let Some(index) = records.iter().position(|record| record[0] > 9) {
        let label = records[index][0];
        return Err(BatchError::Label { index, label });
    }
    for record in records {
        labels.push(u16::from(record[0]));
        pixels.extend_from_slice(&record[1..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(label: u8) -> Vec<u8> {
        let mut record = vec![label];
        for plane in [10, 20, 30] {
            record.extend([plane; 1024]);
        }
        record
    }

    fn parse(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u16>), BatchError> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        parse_batch(bytes, &mut pixels, &mut labels)?;
        Ok((pixels, labels))
    }

    #[test]
    fn labels_and_planes_are_taken_apart() {
        let bytes = [record(3), record(9)].concat();
        let planes = record(0)[1..].to_vec();
        assert_eq!(
            parse(&bytes),
            Ok(([planes.clone(), planes].concat(), vec![3, 9]))
        );
    }

    #[test]
    fn anything_but_whole_records_is_refused() {
        for length in [0, 1, RECORD - 1, RECORD + 1] {
            assert_eq!(parse(&vec![0; length]), Err(BatchError::Length(length)));
        }
    }

    #[test]
    fn a_label_above_nine_is_refused_before_anything_is_appended() {
        let bytes = [record(3), record(10)].concat();
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        let error = parse_batch(&bytes, &mut pixels, &mut labels);
        assert_eq!(
            error,
            Err(BatchError::Label {
                index: 1,
                label: 10
            })
        );
        assert!(pixels.is_empty() && labels.is_empty());
    }
}
