//! Batch normalisation and dropout.

use super::{assert_close, values, wild};
use crate::layers::{BatchNorm, Dropout};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// Four values with mean 3, variance 3.5, unbiased variance 14/3.
const FOUR: [f32; 4] = [1.0, 2.0, 3.0, 6.0];

fn four(device: &Device) -> Tensor<4> {
    Tensor::<1>::from_floats(FOUR.as_slice(), device).reshape([2, 1, 1, 2])
}

#[test]
fn training_normalises_by_the_batch_and_remembers_the_unbiased_variance() {
    let device = Device::flex().autodiff();
    let norm = BatchNorm::new(1, &device);
    let normalised = values(norm.forward(four(&device)));
    let expected = FOUR.map(|x| (x - 3.0) / 3.5f32.sqrt());
    assert_close(&normalised, &expected, 1e-4);
    let remembered = |state: &burn::module::RunningState<Tensor<1>>| values(state.value_sync());
    assert_close(&remembered(&norm.running_mean), &[0.3], 1e-6);
    let variance = 0.9 + 0.1 * 14.0 / 3.0;
    assert_close(&remembered(&norm.running_var), &[variance], 1e-6);
}

#[test]
fn evaluation_normalises_by_what_was_seen() {
    let device = Device::flex().autodiff();
    let norm = BatchNorm::new(1, &device);
    let _ = norm.forward(four(&device));
    let norm = norm.valid();
    let variance: f32 = 0.9 + 0.1 * 14.0 / 3.0;
    let expected = FOUR.map(|x| (x - 0.3) / variance.sqrt());
    for _ in 0..2 {
        let normalised = values(norm.forward(four(&Device::flex())));
        assert_close(&normalised, &expected, 1e-4);
    }
}

#[test]
fn channels_are_normalised_each_for_itself() {
    let device = Device::flex().autodiff();
    let maps = wild([3, 2, 4, 4], &device);
    let shift = Tensor::<1>::from_floats([5.0, -7.0].as_slice(), &device);
    let shifted = maps.clone() + shift.reshape([1, 2, 1, 1]);
    let norm = || BatchNorm::new(2, &device);
    let (plain, shifted) = (norm().forward(maps), norm().forward(shifted));
    assert_close(&values(plain), &values(shifted), 1e-4);
}

#[test]
fn a_single_value_gives_no_nan() {
    let device = Device::flex().autodiff();
    let norm = BatchNorm::new(3, &device);
    let normalised = norm.forward(wild([1, 3, 1, 1], &device));
    assert_close(&values(normalised), &[0.0; 3], 1e-3);
    let variance = values(norm.running_var.value_sync());
    assert_close(&variance, &[0.9; 3], 1e-6);
}

#[test]
fn a_norm_of_scale_zero_gives_zero() {
    let device = Device::flex();
    let norm = BatchNorm::zero(2, &device);
    let normalised = norm.forward(wild([2, 2, 3, 3], &device));
    assert_close(&values(normalised), &[0.0; 36], 0.0);
}

#[test]
fn dropout_of_channels_drops_or_scales_each_as_a_whole() {
    let device = Device::flex().autodiff();
    let dropout = Dropout::of_channels(0.25);
    let dropped = dropout.forward(Tensor::<4>::ones([64, 100, 2, 2], &device));
    let dropped = values(dropped);
    let mut kept = 0;
    for channel in dropped.chunks(4) {
        assert!(channel.iter().all(|value| value == &channel[0]));
        let is_kept = channel[0] != 0.0;
        kept += usize::from(is_kept);
        let expected = if is_kept { 4.0 / 3.0 } else { 0.0 };
        assert!((channel[0] - expected).abs() < 1e-6);
    }
    let share = kept as f64 / 6400.0;
    assert!((share - 0.75).abs() < 0.03, "{share}");
}

#[test]
fn dropout_keeps_the_mean() {
    let device = Device::flex().autodiff();
    for probability in [0.1, 0.5, 0.9] {
        let dropped = Dropout::new(probability).forward(Tensor::<2>::ones([200, 500], &device));
        let mean = dropped.mean().into_scalar::<f32>();
        assert!((mean - 1.0).abs() < 0.05, "{probability}: {mean}");
    }
}

#[test]
fn dropout_is_the_identity_where_nothing_is_learned() {
    let plain = Device::flex();
    let learning = Device::flex().autodiff();
    for dropout in [Dropout::new(0.5), Dropout::of_channels(0.5)] {
        let maps: Tensor<4> = wild([2, 8, 3, 3], &plain);
        assert_eq!(
            dropout.forward(maps.clone()).into_data(),
            maps.clone().into_data()
        );
        let valid = dropout.valid();
        let learned: Tensor<4> = wild([2, 8, 3, 3], &learning);
        assert_eq!(valid.forward(learned).into_data(), maps.into_data());
    }
}

#[test]
fn the_gradient_flows_through_what_was_kept() {
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::ones([10, 50], &device).require_grad();
    let dropped = Dropout::new(0.5).forward(x.clone());
    let gradients = dropped.clone().sum().backward();
    let gradient = x.grad(&gradients).expect("requires one");
    assert_close(&values(gradient), &values(dropped), 0.0);
}
