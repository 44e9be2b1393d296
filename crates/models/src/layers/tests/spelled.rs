//! Layers spelled out in fewer operations compute what they compute otherwise.

use super::{values, wild};
use crate::layers::{AdaptivePool, Nonlinearity, ResponseNorm, spelled_out};
use burn::tensor::{Device, Tensor};

/// Both ways within rounding of values of this size.
fn assert_same(layer: impl Fn(Tensor<4>) -> Tensor<4>, shape: [usize; 4]) {
    let maps = || wild(shape, &Device::flex()) * 20.0;
    let (plain, spelled) = (layer(maps()), spelled_out(|| layer(maps())));
    assert_eq!(plain.dims(), spelled.dims());
    for (plain, spelled) in values(plain).into_iter().zip(values(spelled)) {
        assert!((plain - spelled).abs() < 1e-5, "{plain} {spelled}");
    }
}

#[test]
fn every_nonlinearity() {
    let all = [
        Nonlinearity::Linear,
        Nonlinearity::Sigmoid,
        Nonlinearity::Tanh,
        Nonlinearity::Relu,
        Nonlinearity::Relu6,
        Nonlinearity::LeakyRelu,
        Nonlinearity::Prelu,
        Nonlinearity::Elu,
        Nonlinearity::Maxout,
    ];
    for function in all {
        let layer = function.layer(&Device::flex());
        assert_same(|maps| layer.forward(maps), [2, 4, 3, 5]);
    }
}

#[test]
fn adaptive_pools_with_parts_of_one_size_and_without() {
    for output in [[1, 1], [2, 3], [4, 6], [3, 4]] {
        for pool in [AdaptivePool::average(output), AdaptivePool::max(output)] {
            assert_same(|maps| pool.forward(maps), [2, 3, 4, 6]);
        }
    }
}

#[test]
fn the_response_norm_with_many_channels_and_with_few() {
    for channels in [1, 3, 16] {
        let norm = ResponseNorm::new();
        assert_same(|maps| norm.forward(maps), [2, channels, 3, 3]);
    }
}
