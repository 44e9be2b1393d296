//! What is wrong with the text of an augmentation.

/// Why a text is no augmentation, or not one for these images.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the sentences name")]
pub enum AugmentError {
    /// A word that stands for nothing.
    #[error(
        "there is no augmentation '{name}'{suggestion}; write none, basic, strong, or a list such as crop:4,flip of {known}"
    )]
    Unknown {
        name: String,
        suggestion: String,
        known: String,
    },
    /// Too few or too many numbers.
    #[error("'{text}' is no augmentation; write {usage}")]
    Numbers { text: String, usage: String },
    /// A number that makes no sense.
    #[error("'{text}' is no augmentation; in {usage} {number} must be {range}")]
    Range {
        text: String,
        usage: String,
        number: &'static str,
        range: String,
    },
    /// Digits are read from left to right, and signals have a direction in time.
    #[error(
        "'{operation}' mirrors images, but a mirrored digit is no digit, and a signal backwards another one; leave it out of the list"
    )]
    Mirrored { operation: String },
}
