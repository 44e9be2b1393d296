//! The worked numbers of five lectures on convolutional networks, each computed
//! by the layers, losses and optimizers that networks are made of and trained
//! with. Where a lecture rounds or errs, the true number is asserted and the
//! comment says so.
//!
//! Layers and formulas have their own tests in their crates; here stands what a
//! reader of the lectures can follow on paper.

/// Convolution and pooling of small matrices.
mod convolution;
/// Parameters, connections, shapes.
mod counting;
/// Losses and descent.
mod learning;

use burn::{
    module::Param,
    tensor::{Device, Tensor},
};
use kiln_models::layers::{Conv, Conv2d};

/// One map with these rows.
fn map<const W: usize, const H: usize>(rows: [[f32; W]; H]) -> Tensor<4> {
    let values = rows.concat();
    Tensor::<1>::from_floats(values.as_slice(), &Device::flex()).reshape([1, 1, H, W])
}

/// A convolution of one channel with this kernel and bias.
fn conv<const W: usize, const H: usize>(conv: Conv, kernel: [[f32; W]; H], bias: f32) -> Conv2d {
    let mut conv = conv.init(&Device::flex());
    conv.weight = Param::from_tensor(map(kernel));
    conv.bias = Some(Param::from_tensor(Tensor::from_floats(
        [bias],
        &Device::flex(),
    )));
    conv
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[track_caller]
fn assert_close(values: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(values.len(), expected.len());
    let close = |(value, expected): (&f32, &f32)| (value - expected).abs() <= tolerance;
    assert!(
        values.iter().zip(expected).all(close),
        "{values:?} is not {expected:?}"
    );
}

#[track_caller]
fn assert_map<const W: usize, const H: usize>(
    tensor: Tensor<4>,
    rows: [[f32; W]; H],
    tolerance: f32,
) {
    assert_eq!(tensor.dims(), [1, 1, H, W]);
    assert_close(&values(tensor), &rows.concat(), tolerance);
}
