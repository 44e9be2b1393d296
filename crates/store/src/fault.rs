//! What can be wrong with a file that is there.

use std::fmt;

/// What is wrong with a file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what the sentences name")]
pub enum Fault {
    /// A folder or a device in the file's place.
    NotAFile,
    /// No byte in it.
    Empty,
    /// Shorter than it must be.
    Truncated { expected: u64, found: u64 },
    /// Longer than it must be.
    TooLong { expected: u64, found: u64 },
    /// Another file of the set under this file's name.
    Swapped { other: String },
    /// Other bytes than it must have.
    Hash {
        what: &'static str,
        expected: String,
        found: String,
    },
    /// It cannot be decompressed.
    Compression { cause: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => write!(f, "is not a file"),
            Self::Empty => write!(f, "is empty"),
            Self::Truncated { expected, found } => {
                write!(f, "is truncated: it has {found} of {expected} bytes")
            }
            Self::TooLong { expected, found } => {
                write!(f, "is too long: it has {found} bytes, expected {expected}")
            }
            Self::Swapped { other } => {
                write!(f, "holds the bytes of '{other}' (files were swapped)")
            }
            Self::Hash {
                what,
                expected,
                found,
            } => write!(f, "{what}: its SHA-256 is {found}, expected {expected}"),
            Self::Compression { cause } => write!(f, "cannot be decompressed ({cause})"),
        }
    }
}
