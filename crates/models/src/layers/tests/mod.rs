//! The layers against numbers worked out by hand.

mod activation;
mod conv;
mod local;
mod norm;
mod pool;
mod spelled;
mod transposed;

use burn::{
    module::{Param, ParamId},
    tensor::{Device, Int, Tensor},
};

/// One map with these rows.
fn map<const W: usize, const H: usize>(rows: [[f32; W]; H]) -> Tensor<4> {
    let values = rows.concat();
    Tensor::<1>::from_floats(values.as_slice(), &Device::flex()).reshape([1, 1, H, W])
}

/// A tensor without any pattern that a mistake could hide behind.
fn wild<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let steps = Tensor::<1, Int>::arange(0..count as i64, device).float();
    (steps * 12.9898).sin().reshape(shape)
}

/// A parameter with these values.
fn param<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::new(), tensor)
}

/// A tensor's values one after the other.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("floats")
}

fn assert_close(values: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(values.len(), expected.len());
    let close = |(value, expected): (&f32, &f32)| (value - expected).abs() <= tolerance;
    assert!(
        values.iter().zip(expected).all(close),
        "{values:?} is not {expected:?}"
    );
}

fn assert_values<const D: usize, const W: usize, const H: usize>(
    tensor: Tensor<D>,
    rows: [[f32; W]; H],
    tolerance: f32,
) {
    assert_eq!(tensor.dims()[D - 2..], [H, W]);
    assert_close(&values(tensor), &rows.concat(), tolerance);
}
