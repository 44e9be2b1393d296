//! Built-in sets drawn by code: handwritten digits, coloured shapes, and signals
//! as images of height 1.
//!
//! They need no download and no licence, and every image is a function of the
//! seed, the part and its index alone: asking for more images only appends to
//! the fewer, on any number of threads. They resemble MNIST and CIFAR-10 in
//! shape and purpose, not in content: no number measured on them says anything
//! about those data sets.

mod difficulty;
mod digit;
mod field;
mod geometry;
mod handwriting;
mod ink;
mod outline;
mod random;
mod set;
mod shape;
mod signal;
mod stroke;

pub use set::{
    DEFAULT_TEST, DEFAULT_TRAIN, DIGIT_CLASSES, SEED, SHAPE_CLASSES, SIGNAL_CLASSES, digits,
    shapes, signals,
};
