//! Convolution and pooling of small matrices.

use super::{assert_close, assert_map, conv, map, values};
use burn::tensor::{Device, Distribution, Tensor};
use kiln_models::{
    Window,
    layers::{Conv, Nonlinearity, Pool, Pooling},
};

/// Zeros of one channel.
fn image([height, width]: [usize; 2]) -> Tensor<4> {
    Tensor::zeros([1, 1, height, width], &Device::flex())
}

fn random(shape: [usize; 4]) -> Tensor<4> {
    let device = Device::flex();
    let _only_here = kiln_backend::seed(&device, 5);
    Tensor::random(shape, Distribution::Default, &device)
}

/// The size of an output: (N - F + 2P)/S + 1.
#[test]
fn a_convolution_has_as_many_outputs_as_the_formula_says() {
    for ([side, kernel, stride, padding], outputs) in [
        ([7, 3, 1, 0], 5),
        ([7, 3, 2, 0], 3),
        ([7, 3, 3, 1], 3),
        ([32, 5, 1, 0], 28),
        ([7, 3, 1, 1], 7),
        ([32, 5, 1, 2], 32),
    ] {
        let layer = Conv::new(1, 1, kernel).stride(stride).padding(padding);
        let layer = layer.init(&Device::flex());
        let output = layer.forward(image([side; 2])).dims();
        assert_eq!(output, [1, 1, outputs, outputs], "{side} {kernel}");
        assert_eq!((side - kernel + 2 * padding) / stride + 1, outputs);
    }
}

/// A stride that "does not fit": 7 under 3 with stride 3. The layer leaves the
/// last row and column out, as every library does, and the formula says that it
/// rounds.
#[test]
fn a_stride_that_does_not_fit_leaves_the_last_row_and_column_out() {
    let window = Window {
        stride: [3, 3],
        ..Window::square(3)
    };
    assert_eq!(
        window.formula([7, 7], 0),
        "(7 - 3 + 2*0)/3 + 1 = 2.33 -> 2 (rounded down)"
    );
    let layer = conv(Conv::new(1, 1, 3).stride(3), [[1.0; 3]; 3], 0.0);
    let mut rows = [[0.0; 7]; 7];
    rows[6] = [1.0; 7];
    for row in &mut rows {
        row[6] = 1.0;
    }
    assert_map(layer.forward(map(rows)), [[0.0; 2]; 2], 0.0);
}

/// Convolution of a signal: T samples under k taps give T - k + 1 values. A
/// slide says T - k, which is one too few: k samples under k taps give one.
#[test]
fn a_signal_under_as_many_taps_as_samples_gives_one_value() {
    for (samples, taps) in [(5, 2), (4, 4), (100, 7), (1, 1)] {
        let layer = Conv::new(1, 1, taps).window(Window::new([1, taps]));
        let output = layer.init(&Device::flex()).forward(image([1, samples]));
        assert_eq!(output.dims(), [1, 1, 1, samples - taps + 1]);
    }
}

/// A signal of five samples under two taps, by hand.
#[test]
fn one_to_five_under_two_and_one_are_four_seven_ten_thirteen() {
    let layer = Conv::new(1, 1, 2).window(Window::new([1, 2]));
    let result = conv(layer, [[2.0, 1.0]], 0.0).forward(map([[1.0, 2.0, 3.0, 4.0, 5.0]]));
    assert_map(result, [[4.0, 7.0, 10.0, 13.0]], 0.0);
}

/// What networks call convolution is cross-correlation: 122 = 1*4 + 4*5 + ...
/// True convolution flips the kernel, and gives other numbers.
#[test]
fn networks_correlate_and_a_flipped_kernel_convolves() {
    let x = [
        [4.0, 5.0, 8.0, 7.0],
        [1.0, 8.0, 8.0, 8.0],
        [3.0, 6.0, 6.0, 4.0],
        [6.0, 5.0, 7.0, 8.0],
    ];
    let w = [[1.0, 4.0, 1.0], [1.0, 4.0, 3.0], [3.0, 3.0, 1.0]];
    let result = conv(Conv::new(1, 1, 3), w, 0.0).forward(map(x));
    assert_map(result, [[122.0, 148.0], [126.0, 134.0]], 0.0);
    let mut flipped = w;
    flipped.reverse();
    flipped.iter_mut().for_each(|row| row.reverse());
    let result = conv(Conv::new(1, 1, 3), flipped, 0.0).forward(map(x));
    assert_map(result, [[119.0, 148.0], [121.0, 143.0]], 0.0);
}

/// The animated example of ones and zeros; the lecture shows the first value.
#[test]
fn a_cross_of_ones_on_ones_and_zeros_starts_with_four() {
    let x = [
        [1.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 1.0],
        [0.0, 0.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 0.0, 0.0],
    ];
    let w = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]];
    let result = conv(Conv::new(1, 1, 3), w, 0.0).forward(map(x));
    let expected = [[4.0, 2.0, 4.0], [2.0, 4.0, 3.0], [2.0, 3.0, 4.0]];
    assert_map(result, expected, 0.0);
}

const FIVE: [[f32; 5]; 5] = [
    [0.5, -0.1, 0.2, 0.3, 0.5],
    [0.8, 0.1, -0.5, 0.5, 0.1],
    [-1.0, 0.2, 0.0, 0.3, -0.2],
    [0.7, 0.1, 0.2, -0.6, 0.3],
    [-0.4, 0.0, 0.2, 0.3, -0.3],
];
const KERNEL: [[f32; 3]; 3] = [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]];

/// A whole layer by hand: convolution with a bias of 0.05, sigmoid, max
/// pooling.
#[test]
fn convolution_sigmoid_and_pooling_end_with_0_794() {
    let maps = conv(Conv::new(1, 1, 3), KERNEL, 0.05).forward(map(FIVE));
    let expected = [[-0.35, 1.35, 0.75], [-0.55, 0.85, 0.05], [0.75, 0.05, 1.15]];
    assert_map(maps.clone(), expected, 1e-6);
    let maps = Nonlinearity::Sigmoid.layer(&Device::flex()).forward(maps);
    let expected = [
        [0.413, 0.794, 0.679],
        [0.366, 0.701, 0.512],
        [0.679, 0.512, 0.760],
    ];
    assert_map(maps.clone(), expected, 5e-4);
    assert_map(Pool::max(2).forward(maps), [[0.794_129_6]], 1e-6);
}

/// The same with padding "same": 5x5 stays 5x5, and two windows of 2x2 fit
/// beside and below each other.
#[test]
fn the_same_layer_with_same_padding_pools_to_two_by_two() {
    let maps = conv(Conv::new(1, 1, 3).same(), KERNEL, 0.05).forward(map(FIVE));
    let expected = [
        [0.75, 1.65, -0.15, 0.75, 0.95],
        [-0.45, -0.35, 1.35, 0.75, 1.15],
        [1.85, -0.55, 0.85, 0.05, 0.15],
        [-1.05, 0.75, 0.05, 1.15, -0.75],
        [0.85, 0.15, -0.05, -0.35, 0.65],
    ];
    assert_map(maps.clone(), expected, 1e-6);
    let maps = Nonlinearity::Sigmoid.layer(&Device::flex()).forward(maps);
    assert_close(&values(maps.clone())[..2], &[0.679, 0.839], 5e-4);
    let pooled = [[0.8389, 0.7941], [0.8641, 0.7595]];
    assert_map(Pool::max(2).forward(maps), pooled, 5e-5);
}

/// Overlapping pooling, 3x3 with stride 1. The lecture rounds the means to one
/// decimal; they are ninths: 1.7 is 15/9, and 0.8 is 7/9.
#[test]
fn overlapping_windows_have_means_in_ninths_and_maxima() {
    let x = map([
        [3.0, 3.0, 2.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 3.0, 1.0],
        [3.0, 1.0, 2.0, 2.0, 3.0],
        [2.0, 0.0, 0.0, 2.0, 2.0],
        [2.0, 0.0, 0.0, 0.0, 1.0],
    ]);
    let pooled = |pooling| Pool::new(pooling, 3).stride(1).forward(x.clone());
    let ninths = [[15.0, 15.0, 15.0], [9.0, 11.0, 16.0], [10.0, 7.0, 12.0]];
    assert_map(pooled(Pooling::Average) * 9.0, ninths, 1e-5);
    let rounded = [[1.7, 1.7, 1.7], [1.0, 1.2, 1.8], [1.1, 0.8, 1.3]];
    let tenths = (pooled(Pooling::Average) * 10.0).round() / 10.0;
    assert_map(tenths, rounded, 1e-6);
    let largest = [[3.0, 3.0, 3.0], [3.0, 3.0, 3.0], [3.0, 2.0, 3.0]];
    assert_map(pooled(Pooling::Max), largest, 0.0);
}

/// Max pooling of 2x2 squares, a small and a large example.
#[test]
fn squares_of_four_have_their_maxima() {
    let small = map([
        [1.0, 1.0, 2.0, 4.0],
        [5.0, 6.0, 7.0, 8.0],
        [3.0, 2.0, 1.0, 0.0],
        [1.0, 2.0, 3.0, 4.0],
    ]);
    assert_map(Pool::max(2).forward(small), [[6.0, 8.0], [3.0, 4.0]], 0.0);
    let large = map([
        [-7.0, 6.0, -1.0, 3.0, 9.0, 9.0, 6.0, -9.0],
        [3.0, -8.0, 0.0, 7.0, 10.0, 8.0, -3.0, 10.0],
        [-4.0, 2.0, -6.0, 4.0, -7.0, 5.0, 5.0, 7.0],
        [-3.0, -9.0, 1.0, 8.0, -8.0, 9.0, -1.0, -5.0],
        [-7.0, 10.0, -9.0, -5.0, 9.0, -8.0, -7.0, 10.0],
        [-5.0, 5.0, 9.0, 4.0, 10.0, -8.0, 7.0, 6.0],
        [-3.0, 8.0, 0.0, 2.0, 2.0, -3.0, -2.0, 5.0],
        [4.0, -6.0, 7.0, -3.0, 1.0, 4.0, 10.0, 0.0],
    ]);
    let expected = [
        [6.0, 7.0, 10.0, 10.0],
        [2.0, 8.0, 9.0, 7.0],
        [10.0, 9.0, 10.0, 10.0],
        [8.0, 7.0, 4.0, 10.0],
    ];
    assert_map(Pool::max(2).forward(large), expected, 0.0);
}

/// Four convolutions on images of 3x256x256. The lecture has a batch of 100,
/// which no layer looks at; here it is one of 2.
#[test]
fn four_convolutions_give_the_shapes_of_the_lecture() {
    let device = Device::flex();
    let mut x = random([2, 3, 256, 256]);
    for (layer, [channels, side]) in [
        (Conv::new(3, 16, 7), [16, 250]),
        (Conv::new(16, 32, 3).padding(1).stride(2), [32, 125]),
        (Conv::new(32, 64, 3).padding(1), [64, 125]),
        (Conv::new(64, 64, 1), [64, 125]),
    ] {
        x = layer.init(&device).forward(x);
        assert_eq!(x.dims(), [2, channels, side, side]);
    }
}

/// Three hand-made kernels on one digit: three maps, then pooled.
#[test]
fn three_kernels_on_a_digit_give_three_maps() {
    let maps = Conv::new(1, 3, 3).init(&Device::flex());
    let maps = maps.forward(random([1, 1, 28, 28]));
    assert_eq!(maps.dims(), [1, 3, 26, 26]);
    assert_eq!(Pool::max(2).forward(maps).dims(), [1, 3, 13, 13]);
}
