//! The layers that networks are made of: Burn's operations, with what Burn's
//! own layers lack, and each reporting its shapes when a network is followed.

mod activation;
mod conv;
mod dropout;
mod join;
mod linear;
mod local;
mod named;
mod norm;
mod pool;
mod sequential;
mod spelled;
#[cfg(test)]
mod tests;
mod transposed;

pub use activation::{Activation, Nonlinearity, relu};
pub(crate) use conv::DEFAULT;
pub use conv::{Conv, Conv2d, Edges};
pub use dropout::Dropout;
pub use join::{add, concat, fork};
pub use linear::Linear;
pub use local::LocallyConnected;
pub use named::Named;
pub use norm::{BatchNorm, ResponseNorm};
pub use pool::{AdaptivePool, Pool, Pooling, flatten, global_average};
pub use sequential::{DenseLayer, DenseSequential, Flatten, Layer, Sequential};
pub use spelled::spelled_out;
pub use transposed::ConvTranspose2d;
