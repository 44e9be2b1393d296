//! The non-linear functions.

use super::{assert_close, assert_values, map, values, wild};
use crate::{
    layers::{Nonlinearity, Pool},
    parameters,
};
use burn::tensor::{Device, Tensor};

fn applied(function: Nonlinearity, inputs: &[f32]) -> Vec<f32> {
    let device = Device::flex();
    let x = Tensor::<1>::from_floats(inputs, &device).reshape([1, inputs.len()]);
    values::<2>(function.layer(&device).forward(x))
}

#[test]
fn the_functions_are_their_formulas() {
    let inputs = [-3.0, -0.5, 0.0, 0.5, 7.0];
    let applied = |function| applied(function, &inputs);
    let of = |function: fn(f32) -> f32| inputs.map(function);
    assert_close(&applied(Nonlinearity::Linear), &inputs, 0.0);
    assert_close(&applied(Nonlinearity::Relu), &of(|x| x.max(0.0)), 0.0);
    assert_close(
        &applied(Nonlinearity::Relu6),
        &of(|x| x.clamp(0.0, 6.0)),
        0.0,
    );
    assert_close(&applied(Nonlinearity::Tanh), &of(f32::tanh), 1e-6);
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    assert_close(&applied(Nonlinearity::Sigmoid), &of(sigmoid), 1e-6);
    let elu = |x: f32| if x > 0.0 { x } else { x.exp() - 1.0 };
    assert_close(&applied(Nonlinearity::Elu), &of(elu), 1e-6);
}

#[test]
fn leaky_relu_has_a_slope_of_a_hundredth_below_zero() {
    let values = applied(Nonlinearity::LeakyRelu, &[-3.0, 0.0, 4.0]);
    assert_close(&values, &[-0.03, 0.0, 4.0], 1e-7);
}

#[test]
fn prelu_learns_one_slope_that_starts_at_a_quarter() {
    let layer = Nonlinearity::Prelu.layer(&Device::flex());
    assert_eq!(parameters(&layer), 1);
    let values = applied(Nonlinearity::Prelu, &[-4.0, 0.0, 4.0]);
    assert_close(&values, &[-1.0, 0.0, 4.0], 1e-7);
}

#[test]
fn maxout_takes_the_larger_of_neighbouring_channels() {
    let values = applied(Nonlinearity::Maxout, &[1.0, 2.0, 5.0, -1.0, -3.0, -2.0]);
    assert_close(&values, &[2.0, 5.0, -2.0], 0.0);
    let device = Device::flex();
    let maps: Tensor<4> = wild([2, 4, 3, 3], &device);
    let largest = Nonlinearity::Maxout.layer(&device).forward(maps.clone());
    assert_eq!(largest.dims(), [2, 2, 3, 3]);
    let channel = |at: usize| maps.clone().slice([0..2, at..at + 1]);
    let expected = Tensor::cat(
        vec![
            channel(0).max_pair(channel(1)),
            channel(2).max_pair(channel(3)),
        ],
        1,
    );
    assert_eq!(largest.into_data(), expected.into_data());
}

#[test]
fn sigmoid_then_max_pooling_gives_the_worked_number() {
    let before = map([[-0.35, 1.35, 0.75], [-0.55, 0.85, 0.05], [0.75, 0.05, 1.15]]);
    let sigmoid = Nonlinearity::Sigmoid.layer(&Device::flex()).forward(before);
    let expected = [
        [0.413, 0.794, 0.679],
        [0.366, 0.701, 0.512],
        [0.679, 0.512, 0.760],
    ];
    assert_values(sigmoid.clone(), expected, 5e-4);
    assert_values(Pool::max(2).forward(sigmoid), [[0.794]], 5e-4);
}
