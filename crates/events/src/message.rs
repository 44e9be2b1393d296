//! The few fields of TensorBoard's messages that a scalar needs, in protocol
//! buffers' encoding (protobuf.dev, "Encoding"). Field numbers are those of
//! TensorFlow's `tensorflow/core/util/event.proto` and
//! `tensorflow/core/framework/summary.proto`.

/// `Event.wall_time`, a double.
const WALL_TIME: u8 = 1;
/// `Event.step`, an int64.
const STEP: u8 = 2;
/// `Event.file_version`, a string.
const FILE_VERSION: u8 = 3;
/// `Event.summary`, a message.
const SUMMARY: u8 = 5;
/// `Summary.value`, a message that may be repeated.
const VALUE: u8 = 1;
/// `Summary.Value.tag`, a string.
const TAG: u8 = 1;
/// `Summary.Value.simple_value`, a float.
const SIMPLE_VALUE: u8 = 2;

/// What the first event of a file says.
const VERSION: &str = "brain.Event:2";

/// How the bytes of a field are laid out.
#[repr(u8)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// An `Event` message.
pub struct Event(Message);

impl Event {
    /// The event that opens a file.
    pub fn version(wall_time: f64) -> Self {
        let mut event = Message::default();
        event.double(WALL_TIME, wall_time);
        event.bytes(FILE_VERSION, VERSION.as_bytes());
        Self(event)
    }

    /// The value of `tag` at `step`.
    pub fn scalar(tag: &str, step: u64, value: f32, wall_time: f64) -> Self {
        let mut one = Message::default();
        one.bytes(TAG, tag.as_bytes());
        one.float(SIMPLE_VALUE, value);
        let mut summary = Message::default();
        summary.bytes(VALUE, &one.0);
        let mut event = Message::default();
        event.double(WALL_TIME, wall_time);
        event.varint(STEP, step);
        event.bytes(SUMMARY, &summary.0);
        Self(event)
    }

    /// The message's bytes.
    pub fn encoded(&self) -> Vec<u8> {
        self.0.0.clone()
    }
}

/// The fields of a message, one after the other.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn key(&mut self, field: u8, wire: Wire) {
        // Every field number here is below 16, so a key is one byte.
        self.0.push((field << 3) | wire as u8);
    }

    fn double(&mut self, field: u8, value: f64) {
        self.key(field, Wire::Fixed64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn float(&mut self, field: u8, value: f32) {
        self.key(field, Wire::Fixed32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn varint(&mut self, field: u8, value: u64) {
        self.key(field, Wire::Varint);
        self.number(value);
    }

    fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.key(field, Wire::Bytes);
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more
    /// follow.
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_has_the_bytes_that_the_definition_gives() {
        let mut expected = vec![0x09]; // wall_time: field 1, 8 bytes
        expected.extend_from_slice(&1.5f64.to_le_bytes());
        expected.extend_from_slice(&[0x10, 0xac, 0x02]); // step: field 2, 300
        expected.extend_from_slice(&[0x2a, 13]); // summary: field 5, 13 bytes
        expected.extend_from_slice(&[0x0a, 11]); // value: field 1, 11 bytes
        expected.extend_from_slice(&[0x0a, 4]); // tag: field 1, 4 bytes
        expected.extend_from_slice(b"loss");
        expected.push(0x15); // simple_value: field 2, 4 bytes
        expected.extend_from_slice(&0.25f32.to_le_bytes());
        assert_eq!(Event::scalar("loss", 300, 0.25, 1.5).encoded(), expected);
    }

    #[test]
    fn a_file_opens_with_its_version() {
        let bytes = Event::version(0.0).encoded();
        assert_eq!(bytes[9..11], [0x1a, 13]);
        assert_eq!(&bytes[11..], b"brain.Event:2");
    }
}
