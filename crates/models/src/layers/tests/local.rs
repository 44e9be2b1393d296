//! Local connections.

use super::{assert_close, param, values, wild};
use crate::{
    layers::{Conv, LocallyConnected},
    parameters, trace,
    window::Window,
};
use burn::tensor::{Device, Tensor};
use kiln_vision::ImageSpec;

fn windows() -> [Window; 3] {
    let five = Window::square(5);
    [
        Window {
            stride: [2, 2],
            ..five
        },
        Window {
            padding: [1, 2],
            ..Window::new([3, 4])
        },
        Window {
            stride: [1, 2],
            dilation: [2, 1],
            ..Window::square(3)
        },
    ]
}

#[test]
fn with_equal_weights_everywhere_it_is_the_convolution() {
    let device = Device::flex();
    let images = wild([2, 3, 9, 8], &device);
    for window in windows() {
        let conv = Conv::new(3, 4, 1).window(window).init(&device);
        let mut local =
            LocallyConnected::new([3, 4], window, [9, 8], &device).expect("fits the maps");
        let [positions, seen, outputs] = local.weight.dims();
        let kernels = conv.weight.val().reshape([1, outputs, seen]);
        let kernels = kernels.swap_dims(1, 2);
        local.weight = param(kernels.repeat_dim(0, positions));
        let bias = conv.bias.as_ref().expect("has a bias").val();
        let zeros = Tensor::zeros(local.bias.dims(), &device);
        local.bias = param(zeros + bias.reshape([outputs, 1, 1]));
        let (result, expected) = (local.forward(images.clone()), conv.forward(images.clone()));
        assert_eq!(result.dims(), expected.dims());
        assert_close(&values(result), &values(expected), 1e-5);
    }
}

#[test]
fn a_weight_works_at_its_own_position_only() {
    let device = Device::flex();
    let window = Window {
        stride: [2, 2],
        ..Window::square(2)
    };
    let mut local = LocallyConnected::new([1, 1], window, [4, 6], &device).expect("fits the maps");
    // Row by row the positions multiply the sum of their window by 0 to 5.
    let factors = Tensor::<1, burn::tensor::Int>::arange(0..6, &device).float();
    local.weight = param(factors.reshape([6, 1, 1]).repeat_dim(1, 4));
    local.bias = param(wild([1, 2, 3], &device));
    let result = local.forward(Tensor::ones([1, 1, 4, 6], &device));
    let without_bias = result.reshape([1, 2, 3]) - local.bias.val();
    assert_close(
        &values(without_bias),
        &[0.0, 4.0, 8.0, 12.0, 16.0, 20.0],
        1e-5,
    );
}

#[test]
fn its_report_is_what_it_has() {
    let device = Device::flex();
    let input = ImageSpec::new(3, 9, 8);
    for window in windows() {
        let local = LocallyConnected::new([3, 4], window, [9, 8], &device).expect("fits the maps");
        let conv = Conv::new(3, 4, 1).window(window).init(&device);
        let step = |forward: &dyn Fn(Tensor<4>) -> Tensor<4>| {
            let (mut steps, shape) = trace::follow(input, &device, forward).expect("fits");
            (steps.remove(0), shape)
        };
        let (own, shape) = step(&|x| local.forward(x));
        let (shared, expected) = step(&|x| conv.forward(x));
        assert_eq!(shape, expected);
        assert_eq!(own.parameters, parameters(&local));
        let positions = shape[2] * shape[3];
        assert_eq!(own.parameters, shared.parameters * positions);
        assert_eq!(own.macs, shared.macs);
        assert_eq!(own.receptive_field, shared.receptive_field);
        assert_eq!(own.jump, shared.jump);
    }
}

#[test]
fn a_window_larger_than_the_maps_is_refused() {
    let layer = LocallyConnected::new([1, 1], Window::square(5), [4, 9], &Device::flex());
    let message = layer.err().map(|misfit| misfit.to_string());
    let message = message.unwrap_or_default();
    assert!(message.starts_with("locally connected 5x5"), "{message}");
}
