//! Pooling.

use super::{assert_close, assert_values, map, values, wild};
use crate::layers::{AdaptivePool, Conv, Pool, Pooling, global_average};
use burn::tensor::{Device, Tensor};

const FIVE: [[f32; 5]; 5] = [
    [3.0, 3.0, 2.0, 1.0, 0.0],
    [0.0, 0.0, 1.0, 3.0, 1.0],
    [3.0, 1.0, 2.0, 2.0, 3.0],
    [2.0, 0.0, 0.0, 2.0, 2.0],
    [2.0, 0.0, 0.0, 0.0, 1.0],
];

const FOUR: [[f32; 4]; 4] = [
    [1.0, 1.0, 2.0, 4.0],
    [5.0, 6.0, 7.0, 8.0],
    [3.0, 2.0, 1.0, 0.0],
    [1.0, 2.0, 3.0, 4.0],
];

const EIGHT: [[f32; 8]; 8] = [
    [-7.0, 6.0, -1.0, 3.0, 9.0, 9.0, 6.0, -9.0],
    [3.0, -8.0, 0.0, 7.0, 10.0, 8.0, -3.0, 10.0],
    [-4.0, 2.0, -6.0, 4.0, -7.0, 5.0, 5.0, 7.0],
    [-3.0, -9.0, 1.0, 8.0, -8.0, 9.0, -1.0, -5.0],
    [-7.0, 10.0, -9.0, -5.0, 9.0, -8.0, -7.0, 10.0],
    [-5.0, 5.0, 9.0, 4.0, 10.0, -8.0, 7.0, 6.0],
    [-3.0, 8.0, 0.0, 2.0, 2.0, -3.0, -2.0, 5.0],
    [4.0, -6.0, 7.0, -3.0, 1.0, 4.0, 10.0, 0.0],
];

fn pooled(pooling: Pooling, kernel: usize) -> Pool {
    Pool::new(pooling, kernel)
}

#[test]
fn overlapping_average_pooling_gives_the_worked_means() {
    let means = pooled(Pooling::Average, 3).stride(1).forward(map(FIVE));
    let ninths = [[15.0, 15.0, 15.0], [9.0, 11.0, 16.0], [10.0, 7.0, 12.0]];
    assert_values(means.clone() * 9.0, ninths, 1e-4);
    assert_values(
        means,
        [[1.7, 1.7, 1.7], [1.0, 1.2, 1.8], [1.1, 0.8, 1.3]],
        0.05,
    );
}

#[test]
fn overlapping_max_pooling_gives_the_worked_maxima() {
    let largest = pooled(Pooling::Max, 3).stride(1).forward(map(FIVE));
    assert_values(
        largest,
        [[3.0, 3.0, 3.0], [3.0, 3.0, 3.0], [3.0, 2.0, 3.0]],
        0.0,
    );
}

#[test]
fn a_stride_in_place_of_pooling_is_that_of_the_convolution_before_it() {
    let device = Device::flex();
    let images = wild([2, 3, 9, 8], &device);
    for stride in [2, 3] {
        let conv = Conv::new(3, 4, 3);
        let whole = conv.init(&device);
        let mut strided = conv.stride(stride).init(&device);
        (strided.weight, strided.bias) = (whole.weight.clone(), whole.bias.clone());
        let taken = pooled(Pooling::Stride, stride).forward(whole.forward(images.clone()));
        let wanted = strided.forward(images.clone());
        assert_eq!(taken.dims(), wanted.dims());
        assert_close(&values(taken), &values(wanted), 1e-6);
    }
}

#[test]
fn max_pooling_of_squares_gives_the_worked_maxima() {
    let largest = Pool::max(2).forward(map(FOUR));
    assert_values(largest, [[6.0, 8.0], [3.0, 4.0]], 0.0);
    let largest = Pool::max(2).forward(map(EIGHT));
    let expected = [
        [6.0, 7.0, 10.0, 10.0],
        [2.0, 8.0, 9.0, 7.0],
        [10.0, 9.0, 10.0, 10.0],
        [8.0, 7.0, 4.0, 10.0],
    ];
    assert_values(largest, expected, 0.0);
}

#[test]
fn sum_and_l2_pooling_are_their_formulas() {
    let sums = pooled(Pooling::Sum, 2).forward(map(FOUR));
    assert_values(sums, [[13.0, 21.0], [8.0, 8.0]], 1e-5);
    let norms = pooled(Pooling::L2, 2).forward(map(FOUR));
    let squares = [[63.0, 133.0], [18.0, 26.0]];
    assert_values(norms.square(), squares, 1e-3);
}

#[test]
fn padding_adds_zeros_to_a_sum_and_no_maximum() {
    let all = map([[-1.0, -2.0], [-3.0, -4.0]]);
    let sums = pooled(Pooling::Sum, 2).padding(1).forward(all.clone());
    assert_values(sums, [[-1.0, -2.0], [-3.0, -4.0]], 1e-6);
    let largest = Pool::max(2).padding(1).forward(all);
    assert_values(largest, [[-1.0, -2.0], [-3.0, -4.0]], 0.0);
}

#[test]
fn a_window_over_the_edge_pools_what_there_is() {
    let three = map([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
    let over = |pooling| pooled(pooling, 2).ceil().forward(three.clone());
    assert_values(over(Pooling::Max), [[5.0, 6.0], [8.0, 9.0]], 0.0);
    assert_values(over(Pooling::Average), [[3.0, 4.5], [7.5, 9.0]], 1e-5);
    assert_values(over(Pooling::Sum), [[12.0, 9.0], [15.0, 9.0]], 1e-5);
    let squares = [[46.0, 45.0], [113.0, 81.0]];
    assert_values(over(Pooling::L2).square(), squares, 1e-3);
    // The weights of a window of two by two are a quarter each.
    let means = [[3.0, 2.25], [3.75, 2.25]];
    assert_values(over(Pooling::Gaussian), means, 1e-5);
}

#[test]
fn gaussian_weights_sum_to_one_and_are_symmetric() {
    let constant = Tensor::<4>::full([2, 3, 7, 7], 0.7, &Device::flex());
    let same = pooled(Pooling::Gaussian, 3).stride(2).forward(constant);
    assert_eq!(same.dims(), [2, 3, 3, 3]);
    assert_close(&values(same), &[0.7; 2 * 3 * 9], 1e-6);
    // One pixel in the middle shows the weights themselves.
    let mut one = [[0.0; 5]; 5];
    one[2][2] = 1.0;
    let weights = values(pooled(Pooling::Gaussian, 3).stride(1).forward(map(one)));
    let sum: f32 = weights.iter().sum();
    assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    for at in 0..9 {
        let [row, column] = [at / 3, at % 3];
        for mirrored in [
            3 * row + 2 - column,
            3 * (2 - row) + column,
            3 * column + row,
        ] {
            assert!((weights[at] - weights[mirrored]).abs() < 1e-7);
        }
    }
    // A standard deviation of 1.5: one pixel away exp(-1 / 4.5).
    let ratio = weights[1] / weights[4];
    assert!((ratio - (-1.0f32 / 4.5).exp()).abs() < 1e-5, "{ratio}");
}

#[test]
fn gaussian_pooling_keeps_channels_apart() {
    let device = Device::flex();
    let maps = Tensor::cat(
        vec![
            Tensor::<4>::ones([1, 1, 4, 4], &device),
            Tensor::<4>::zeros([1, 1, 4, 4], &device),
        ],
        1,
    );
    let pooled = values(Pool::new(Pooling::Gaussian, 2).forward(maps));
    assert_close(&pooled, &[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], 1e-6);
}

/// PyTorch's rule: part i of n begins at floor(i * side / n) and ends before
/// ceil((i + 1) * side / n).
fn parts(
    map: &[f32],
    [height, width]: [usize; 2],
    [rows, columns]: [usize; 2],
    of: fn(&[f32]) -> f32,
) -> Vec<f32> {
    let range =
        |at: usize, parts: usize, side: usize| at * side / parts..((at + 1) * side).div_ceil(parts);
    let mut pooled = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let mut part = Vec::new();
            for y in range(row, rows, height) {
                for x in range(column, columns, width) {
                    part.push(map[y * width + x]);
                }
            }
            pooled.push(of(&part));
        }
    }
    pooled
}

#[test]
fn adaptive_pooling_is_that_of_a_plain_loop() {
    for (side, output) in [
        ([7, 7], [3, 3]),
        ([5, 8], [3, 2]),
        ([4, 9], [4, 4]),
        ([2, 3], [3, 5]),
        ([6, 6], [1, 1]),
    ] {
        let map = wild([1, 1, side[0], side[1]], &Device::flex());
        let plain = values(map.clone());
        let largest = |part: &[f32]| part.iter().copied().fold(f32::MIN, f32::max);
        let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
        let pooled = values(AdaptivePool::max(output).forward(map.clone()));
        assert_close(&pooled, &parts(&plain, side, output, largest), 0.0);
        let pooled = values(AdaptivePool::average(output).forward(map));
        assert_close(&pooled, &parts(&plain, side, output, mean), 1e-6);
    }
}

#[test]
fn the_global_average_is_one_value_for_each_channel() {
    let maps = Tensor::cat(vec![map(FOUR), map(FOUR) * 2.0], 1);
    let means = values(global_average(maps));
    assert_close(&means, &[50.0 / 16.0, 100.0 / 16.0], 1e-5);
}
