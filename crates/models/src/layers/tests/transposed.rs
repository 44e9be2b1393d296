//! Transposed convolution.

use super::{assert_close, assert_values, map, param, values, wild};
use crate::{
    layers::{Conv, ConvTranspose2d},
    parameters, trace,
};
use burn::tensor::{Device, Tensor};
use kiln_vision::ImageSpec;

/// A layer without a bias.
fn plain(channels: [usize; 2], kernel: usize) -> ConvTranspose2d {
    let device = Device::flex();
    let mut layer = ConvTranspose2d::new(channels, kernel, &device);
    layer.bias = param(Tensor::zeros([channels[1]], &device));
    layer
}

#[test]
fn every_value_puts_its_multiple_of_the_kernel_onto_the_output() {
    let mut layer = plain([1, 1], 2).stride(2);
    layer.weight = param(map([[1.0, 2.0], [3.0, 4.0]]));
    let expected = [
        [1.0, 2.0, 10.0, 20.0],
        [3.0, 4.0, 30.0, 40.0],
        [0.0, 0.0, -1.0, -2.0],
        [0.0, 0.0, -3.0, -4.0],
    ];
    let result = layer.forward(map([[1.0, 10.0], [0.0, -1.0]]));
    assert_values(result, expected, 1e-5);
}

#[test]
fn overlapping_kernels_add_up() {
    let mut layer = plain([1, 1], 3).stride(2);
    layer.weight = param(Tensor::ones([1, 1, 3, 3], &Device::flex()));
    let row = values(layer.forward(map([[1.0, 10.0, 100.0]])));
    assert_close(
        &row[..7],
        &[1.0, 1.0, 11.0, 10.0, 110.0, 100.0, 100.0],
        1e-5,
    );
}

/// <conv(x), y> = <x, transposed(y)>, with the same weights.
#[test]
fn it_is_the_transpose_of_the_convolution() {
    let device = Device::flex();
    for (kernel, stride, padding) in [(2, 2, 0), (3, 1, 1), (4, 2, 1), (3, 3, 0), (5, 2, 2)] {
        let conv = Conv::new(2, 3, kernel).stride(stride).padding(padding);
        let conv = conv.no_bias().init(&device);
        let mut layer = plain([3, 2], kernel).stride(stride).padding(padding);
        layer.weight = conv.weight.clone();
        let y = wild([1, 3, 4, 4], &device);
        let back = layer.forward(y.clone());
        let x = wild(back.dims(), &device);
        let left = (conv.forward(x.clone()) * y).sum().into_scalar::<f32>();
        let right = (x * back).sum().into_scalar::<f32>();
        assert!((left - right).abs() < 1e-3, "{left} is not {right}");
    }
}

#[test]
fn its_report_is_what_it_does() {
    let device = Device::flex();
    for (kernel, stride, padding) in [
        (1, 2, 0),
        (2, 2, 0),
        (3, 2, 1),
        (4, 2, 1),
        (5, 2, 0),
        (3, 1, 1),
    ] {
        let mut layer = plain([1, 1], kernel).stride(stride).padding(padding);
        let input = ImageSpec::new(1, 6, 7);
        let followed = trace::follow(input, &device, |x| layer.forward(x));
        let (steps, shape) = followed.expect("fits");
        let step = &steps[0];
        let ones = Tensor::<4>::ones([1, 1, 6, 7], &device);
        layer.weight = param(Tensor::ones([1, 1, kernel, kernel], &device));
        let result = layer.forward(ones);
        assert_eq!(result.dims(), shape);
        // With ones everywhere a value is the number of values it sees.
        let [tall, wide] = step.receptive_field;
        let seen = result.max().into_scalar::<f32>();
        assert_eq!(f64::from(seen), tall * wide, "{kernel} by {stride}");
        assert_eq!(step.jump, [1.0 / stride as f64; 2]);
        assert_eq!(step.parameters, parameters(&layer));
        assert_eq!(step.macs, (kernel * kernel * 6 * 7) as u64);
    }
}

#[test]
fn its_first_weights_are_drawn_by_pytorchs_count() {
    let device = Device::flex();
    let layer = ConvTranspose2d::new([64, 32], 4, &device);
    let bound = 1.0 / (32.0f32 * 16.0).sqrt();
    let largest = layer.weight.val().abs().max().into_scalar::<f32>();
    assert!((0.99 * bound..=bound).contains(&largest), "{largest}");
    assert_eq!(layer.weight.dims(), [64, 32, 4, 4]);
}
