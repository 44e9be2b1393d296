//! CIFAR-10: 60,000 colour images of 32 x 32 pixels in ten classes, in the
//! binary batches of the published archive.
//!
//! This crate knows the format and which archive is the published one; where
//! it lies, whether it is that one and how it is unpacked is the store's work.

mod batch;
mod load;

pub use batch::{BatchError, parse_batch};
pub use load::{CIFAR10, CLASSES, Cifar10Error, check, load};
