//! The frame around each record of a TFRecord file: its length and two
//! checksums (TensorFlow, `tensorflow/core/lib/io/record_writer.h`).

/// What is added to a rotated checksum, so that the checksum of bytes that
/// hold checksums is a good one too (`tensorflow/core/lib/hash/crc32c.h`).
const MASK: u32 = 0xa282_ead8;

/// `data` as a record: its length as 8 bytes, their checksum, the data, their
/// checksum; all numbers little-endian.
pub fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend_from_slice(&length);
    record.extend_from_slice(&checksum(&length).to_le_bytes());
    record.extend_from_slice(data);
    record.extend_from_slice(&checksum(data).to_le_bytes());
    record
}

/// The masked CRC-32C.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksum of "123456789" is that of every CRC-32C (RFC 3720, and the
    /// catalogue of Greg Cook); the other number is ((c >> 15) | (c << 17)) +
    /// 0xa282ead8 of it, worked out elsewhere.
    #[test]
    fn a_checksum_is_rotated_and_moved() {
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(checksum(b"123456789"), 0xc78a_b0e5);
    }

    #[test]
    fn a_record_is_its_data_and_sixteen_bytes() {
        let record = framed(b"abc");
        assert_eq!(record.len(), 19);
        assert_eq!(record[..8], 3u64.to_le_bytes());
        assert_eq!(record[8..12], checksum(&record[..8]).to_le_bytes());
        assert_eq!(&record[12..15], b"abc");
        assert_eq!(record[15..], checksum(b"abc").to_le_bytes());
    }
}
