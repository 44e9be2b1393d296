//! Fast operations for flex, Burn's CPU backend: each takes and gives Burn's
//! tensors, computes with our own code on flex and with Burn's own operation
//! on every other backend. It knows no layer, no network and no optimizer.

mod conv;
mod convolution;
mod flex;
mod fork;
mod linear;
mod mark;
mod matrix;
mod memory;
mod normalisation;
mod place;
mod pointwise;
mod pooling;
mod reduce;
mod simd;
mod tile;
mod track;

pub use convolution::conv2d;
pub use fork::fork;
pub use linear::linear;
pub use mark::{Anchor, Marks, anchor, mark, passed};
pub use normalisation::{Normalised, batch_norm, batch_norm_train};
pub use place::on_flex;
pub use pointwise::{add, relu};
pub use pooling::{global_average, max_pool2d};
