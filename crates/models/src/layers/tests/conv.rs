//! Convolution.

use super::{assert_close, assert_values, map, param, values};
use crate::{
    layers::{Conv, Conv2d, Edges, Sequential},
    parameters, trace,
    window::Window,
};
use burn::tensor::{Device, Tensor};
use kiln_vision::ImageSpec;

/// A convolution without a bias, of one channel, with this kernel.
fn with<const W: usize, const H: usize>(conv: Conv, kernel: [[f32; W]; H]) -> Conv2d {
    let mut conv = conv.no_bias().init(&Device::flex());
    conv.weight = param(map(kernel));
    conv
}

fn one(kernel: usize) -> Conv {
    Conv::new(1, 1, kernel)
}

#[test]
fn convolution_does_not_flip_the_kernel() {
    let kernel = [[1.0, 4.0, 1.0], [1.0, 4.0, 3.0], [3.0, 3.0, 1.0]];
    let image = map([
        [4.0, 5.0, 8.0, 7.0],
        [1.0, 8.0, 8.0, 8.0],
        [3.0, 6.0, 6.0, 4.0],
        [6.0, 5.0, 7.0, 8.0],
    ]);
    let result = with(one(3), kernel).forward(image);
    assert_values(result, [[122.0, 148.0], [126.0, 134.0]], 1e-3);
}

#[test]
fn a_kernel_counts_the_ones_under_its_ones() {
    let kernel = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]];
    let image = map([
        [1.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 1.0],
        [0.0, 0.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 0.0, 0.0],
    ]);
    let result = values(with(one(3), kernel).forward(image));
    assert_close(&result[..1], &[4.0], 0.0);
}

#[test]
fn a_signal_of_five_samples_under_two_taps_has_four_results() {
    let result = with(one(1).window(Window::new([1, 2])), [[2.0, 1.0]])
        .forward(map([[1.0, 2.0, 3.0, 4.0, 5.0]]));
    assert_values(result, [[4.0, 7.0, 10.0, 13.0]], 1e-6);
}

#[test]
fn the_bias_is_added_to_every_value() {
    let image = map([
        [0.5, -0.1, 0.2, 0.3, 0.5],
        [0.8, 0.1, -0.5, 0.5, 0.1],
        [-1.0, 0.2, 0.0, 0.3, -0.2],
        [0.7, 0.1, 0.2, -0.6, 0.3],
        [-0.4, 0.0, 0.2, 0.3, -0.3],
    ]);
    let kernel = [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]];
    let expected = [[-0.35, 1.35, 0.75], [-0.55, 0.85, 0.05], [0.75, 0.05, 1.15]];
    let bias = Tensor::<1>::from_floats([0.05].as_slice(), &Device::flex());
    let biased = |conv| {
        let mut conv = with(conv, kernel);
        conv.bias = Some(param(bias.clone()));
        conv
    };
    assert_values(biased(one(3)).forward(image.clone()), expected, 1e-6);
    let same = biased(one(3).same()).forward(image);
    assert_eq!(same.dims(), [1, 1, 5, 5]);
    let middle = same.slice([0..1, 0..1, 1..4, 1..4]);
    assert_values(middle, expected, 1e-6);
}

#[test]
fn an_image_goes_on_beyond_its_edge_in_three_ways() {
    let row = map([[1.0, 2.0, 3.0, 4.0]]);
    let sum = |edges| {
        let window = Window {
            padding: [0, 2],
            ..Window::new([1, 5])
        };
        let conv = one(1).window(window).edges(edges);
        with(conv, [[10000.0, 1000.0, 100.0, 10.0, 1.0]]).forward(row.clone())
    };
    let zeros = [[123.0, 1234.0, 12340.0, 23400.0]];
    assert_values(sum(Edges::Zeros), zeros, 1e-2);
    let reflected = [[32123.0, 21234.0, 12343.0, 23432.0]];
    assert_values(sum(Edges::Reflect), reflected, 1e-2);
    let replicated = [[11123.0, 11234.0, 12344.0, 23444.0]];
    assert_values(sum(Edges::Replicate), replicated, 1e-2);
}

#[test]
fn without_an_edge_the_map_becomes_smaller() {
    let row = map([[1.0, 2.0, 4.0, 8.0, 16.0]]);
    let window = Window {
        padding: [0, 1],
        ..Window::new([1, 3])
    };
    let conv = one(1).window(window).edges(Edges::Valid);
    let result = with(conv, [[1.0, 1.0, 1.0]]).forward(row);
    assert_values(result, [[7.0, 14.0, 28.0]], 1e-6);
}

#[test]
fn dilation_leaves_pixels_out() {
    let row = map([[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]]);
    let conv = one(1).window(Window::new([1, 3])).dilation(2);
    let result = with(conv, [[1.0, 1.0, 1.0]]).forward(row);
    assert_values(result, [[21.0, 42.0]], 1e-6);
}

#[test]
fn grouped_channels_do_not_see_each_other() {
    let device = Device::flex();
    let mut conv = Conv::new(2, 2, 1).groups(2).no_bias().init(&device);
    let weight = Tensor::<1>::from_floats([2.0, 3.0].as_slice(), &device);
    conv.weight = param(weight.reshape([2, 1, 1, 1]));
    let images = Tensor::<1>::from_floats([1.0, 10.0].as_slice(), &device).reshape([1, 2, 1, 1]);
    assert_close(&values(conv.forward(images)), &[2.0, 30.0], 1e-6);
}

#[test]
fn ten_filters_of_five_by_five_on_a_colour_image_are_760_parameters() {
    let conv = Conv::new(3, 10, 5).same().init(&Device::flex());
    assert_eq!(parameters(&conv), 760);
}

#[test]
fn a_chain_of_convolutions_has_the_worked_shapes() {
    let device = Device::flex();
    let chain = Sequential::new(vec![
        Conv::new(3, 16, 7).init(&device).into(),
        Conv::new(16, 32, 3)
            .padding(1)
            .stride(2)
            .init(&device)
            .into(),
        Conv::new(32, 64, 3).padding(1).init(&device).into(),
        Conv::new(64, 64, 1).init(&device).into(),
    ]);
    let input = ImageSpec::new(3, 256, 256);
    let followed = trace::follow(input, &device, |images| chain.forward(images));
    let (steps, _) = followed.expect("fits");
    let shapes: Vec<_> = steps.into_iter().map(|step| step.output).collect();
    let expected = [
        [16, 250, 250],
        [32, 125, 125],
        [64, 125, 125],
        [64, 125, 125],
    ];
    assert_eq!(shapes, expected);
}
