//! The kernels against Burn's own operations and against their definitions in
//! f64, on drawn sizes and layouts; the same bits for every number of threads;
//! and all of it again for every instruction set of this machine.
//!
//! An error is measured relative to the largest absolute value of what is
//! expected, because sums of hundreds of products with mixed signs have no
//! small relative error in each of their values.
#![allow(clippy::unwrap_used)]

mod convolution;
mod definition;
mod draw;
mod layers;
mod levels;
mod normalisation;
mod pooling;
mod threads;
