//! Fast operations for flex, Burn's CPU backend: each takes and gives Burn's
//! tensors, computes with our own code on flex and with Burn's own operation
//! on every other backend. It knows no layer and no network.
//!
//! The environment variable `KILN_KERNELS` chooses the vectors that are computed
//! with: `avx512`, `avx2`, `neon` or `portable`. Without it, and where the
//! machine lacks what it names, they are the widest there are.
//!
//! The tests hold every operation to its definition in f64 and to Burn's own,
//! for each of these vectors, and `just sanitize-kernels` runs them with the
//! address sanitizer.

mod conv;
mod convolution;
mod cross_entropy;
mod flex;
mod fork;
mod level;
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
mod update;
mod weights;

/// Raised when an operation gives other bits than before on the same vectors:
/// stored results of another revision are only nearly repeated.
pub const REVISION: u32 = 1;

pub use convolution::conv2d;
pub use cross_entropy::cross_entropy;
pub use fork::fork;
pub use level::vectors;
pub use linear::linear;
pub use mark::{Anchor, Marks, anchor, mark, passed};
pub use memory::keep_buffers;
pub use normalisation::{Normalised, batch_norm, batch_norm_train};
pub use place::{on_flex, work_on};
pub use pointwise::{add, relu, relu6};
pub use pooling::{global_average, max_pool2d};
pub use update::{AdamStep, SgdStep, adam, in_place, sgd};
pub use weights::{blend, soft_threshold, squares_on_flex};
