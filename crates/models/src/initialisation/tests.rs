//! First weights against their formulas.

use super::*;
use crate::{
    layers::{Activation, BatchNorm, Conv, Conv2d, Linear, LocallyConnected, Nonlinearity},
    window::Window,
};
use burn::tensor::Device;

#[derive(Module, Debug)]
struct Layers {
    conv: Conv2d,
    norm: BatchNorm,
    activation: Activation,
    local: LocallyConnected,
    fc: Linear,
}

/// Units of the fully connected layer: inputs and outputs.
const FC: [usize; 2] = [400, 300];

fn drawn(scheme: Scheme) -> Layers {
    let device = Device::flex();
    device.seed(7);
    let local = LocallyConnected::new([8, 32], Window::square(5), [12, 12], &device);
    scheme.apply(Layers {
        conv: Conv::new(64, 128, 3).init(&device),
        norm: BatchNorm::new(2, &device),
        activation: Nonlinearity::Prelu.layer(&device),
        local: local.expect("fits"),
        fc: Linear::new(FC, &device),
    })
}

fn values<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f32> {
    param.val().into_data().try_to_vec().expect("floats")
}

fn bias(param: &Option<Param<Tensor<1>>>) -> Vec<f32> {
    values(param.as_ref().expect("has a bias"))
}

fn assert_deviation<const D: usize>(weight: &Param<Tensor<D>>, expected: f64) {
    let values = values(weight);
    let count = values.len() as f64;
    let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
    let square = |x: &f32| (f64::from(*x) - mean).powi(2);
    let deviation = (values.iter().map(square).sum::<f64>() / count).sqrt();
    let ratio = deviation / expected;
    assert!(
        (0.95..1.05).contains(&ratio),
        "{deviation} is not {expected}"
    );
    assert!(mean.abs() < 0.05 * expected, "the mean is {mean}");
}

const SCHEMES: [Scheme; 6] = [
    Scheme::Glorot,
    Scheme::He,
    Scheme::Lecun,
    Scheme::Orthogonal,
    Scheme::Small,
    Scheme::Large,
];

#[test]
fn biases_are_zero_and_nothing_else_changes() {
    for scheme in SCHEMES {
        let layers = drawn(scheme);
        assert!(bias(&layers.conv.bias).iter().all(|bias| *bias == 0.0));
        assert!(bias(&layers.fc.bias).iter().all(|bias| *bias == 0.0));
        assert!(values(&layers.local.bias).iter().all(|bias| *bias == 0.0));
        assert_eq!(values(&layers.norm.weight), [1.0, 1.0]);
        let slope = Tensor::<2>::full([1, 1], -1.0, &Device::flex());
        let slope = layers.activation.forward(slope).into_scalar::<f32>();
        assert_eq!(slope, -0.25);
    }
}

#[test]
fn the_networks_own_biases_stay_by_default() {
    let layers = drawn(Scheme::Default);
    assert!(bias(&layers.fc.bias).iter().any(|bias| *bias != 0.0));
    assert_deviation(&layers.fc.weight, (1.0f64 / (3.0 * 400.0)).sqrt());
}

#[test]
fn glorots_variance_is_two_by_inputs_and_outputs() {
    let layers = drawn(Scheme::Glorot);
    assert_deviation(&layers.fc.weight, (2.0f64 / 700.0).sqrt());
    let largest = layers.fc.weight.val().abs().max().into_scalar::<f32>();
    assert!(largest <= (6.0f32 / 700.0).sqrt(), "{largest} is too large");
    assert_deviation(&layers.conv.weight, (2.0f64 / (9.0 * 192.0)).sqrt());
}

#[test]
fn hes_variance_is_two_by_inputs() {
    let layers = drawn(Scheme::He);
    assert_deviation(&layers.fc.weight, (2.0f64 / 400.0).sqrt());
    assert_deviation(&layers.conv.weight, (2.0f64 / (9.0 * 64.0)).sqrt());
    assert_deviation(&layers.local.weight, (2.0f64 / (25.0 * 8.0)).sqrt());
}

#[test]
fn lecuns_variance_is_one_by_inputs() {
    let layers = drawn(Scheme::Lecun);
    assert_deviation(&layers.fc.weight, (1.0f64 / 400.0).sqrt());
    assert_deviation(&layers.conv.weight, (1.0f64 / (9.0 * 64.0)).sqrt());
    assert_deviation(&layers.local.weight, (1.0f64 / (25.0 * 8.0)).sqrt());
}

#[test]
fn a_fixed_deviation_is_that_of_every_layer() {
    for (scheme, deviation) in [(Scheme::Small, 0.01), (Scheme::Large, 1.0)] {
        let layers = drawn(scheme);
        assert_deviation(&layers.fc.weight, deviation);
        assert_deviation(&layers.conv.weight, deviation);
        assert_deviation(&layers.local.weight, deviation);
    }
}

/// Whether the rows of a matrix are orthonormal.
fn assert_orthonormal(rows: Tensor<2>) {
    let [count, _] = rows.dims();
    let products = rows.clone().matmul(rows.transpose());
    let difference = products - Tensor::eye(count, &Device::flex());
    let largest = difference.abs().max().into_scalar::<f32>();
    assert!(largest < 1e-4, "{largest}");
}

#[test]
fn orthogonal_rows_or_columns_are_of_length_one() {
    let layers = drawn(Scheme::Orthogonal);
    assert_orthonormal(layers.fc.weight.val().transpose());
    assert_orthonormal(layers.conv.weight.val().reshape([128, 64 * 9]));
}

#[test]
fn every_position_of_local_connections_is_orthogonal_for_itself() {
    let weight = drawn(Scheme::Orthogonal).local.weight.val();
    let [positions, inputs, outputs] = weight.dims();
    for position in [0, 1, positions - 1] {
        let own = weight.clone().narrow(0, position, 1);
        assert_orthonormal(own.reshape([inputs, outputs]).transpose());
    }
    let first = weight.clone().narrow(0, 0, 1).into_data();
    assert_ne!(first, weight.narrow(0, 1, 1).into_data());
}

#[test]
fn redrawn_weights_are_not_drawn_before_they_are_looked_at() {
    for scheme in SCHEMES {
        let layers = drawn(scheme);
        assert!(!layers.fc.weight.is_initialized());
        assert!(!layers.conv.weight.is_initialized());
        assert!(!layers.local.weight.is_initialized());
    }
}
