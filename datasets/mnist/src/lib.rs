//! MNIST and Fashion-MNIST: 70,000 grey images of 28 x 28 pixels in ten
//! classes, in the IDX format.
//!
//! This crate knows the format and which files are the published ones; where
//! they lie and whether they are those is the store's work.

mod files;
mod idx;
mod load;

pub use files::Variant;
pub use idx::{IdxError, parse_images, parse_labels};
pub use load::{MnistError, check, load};
