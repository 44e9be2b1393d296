//! Where two paths through a network meet.

use crate::trace::{self, Report};
use burn::tensor::Tensor;

/// The sum of a branch and its shortcut, of equal shapes.
pub fn add(branch: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4> {
    let report = |shape| Report::pointwise("add", shape);
    trace::layer(branch, report, |branch| kiln_kernels::add(branch, shortcut))
}

/// Maps twice, as the beginning of a branch and of its shortcut; the two must
/// meet again.
pub fn fork(maps: Tensor<4>) -> [Tensor<4>; 2] {
    kiln_kernels::fork(maps)
}

/// The channels of `maps`, then those of `more`:
/// `[batch, a, height, width]` and `[batch, b, height, width]` to
/// `[batch, a + b, height, width]`.
pub fn concat(maps: Tensor<4>, more: Tensor<4>) -> Tensor<4> {
    let added = more.dims()[1];
    let report = |[batch, channels, height, width]: [usize; 4]| {
        Report::pointwise("concat", [batch, channels + added, height, width])
    };
    trace::layer(maps, report, |maps| Tensor::cat(vec![maps, more], 1))
}
