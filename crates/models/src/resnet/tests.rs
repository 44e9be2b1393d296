//! Shortcuts of residual networks.

use super::*;
use kiln_vision::ImageSpec;

#[test]
fn images_of_one_row_or_column_keep_their_shortcut() {
    let device = Device::flex();
    for [height, width] in [[1, 1], [1, 32], [32, 1], [3, 7]] {
        let task = Task {
            input: ImageSpec::new(3, height, width),
            classes: 4,
        };
        let network = ResNetConfig::cifar(20).init(&task, &cifar_options(), &device);
        let images = Tensor::ones([2, 3, height, width], &device);
        assert_eq!(network.forward(images).dims(), [2, 4]);
    }
}

#[test]
fn a_plain_network_has_the_same_weights_and_adds_nothing() {
    let device = Device::flex();
    let task = Task {
        input: ImageSpec::CIFAR,
        classes: 10,
    };
    let of = |shortcut| {
        let options = Options {
            shortcut: Some(shortcut),
            last_norm: Some(LastNorm::Zero),
            ..cifar_options()
        };
        let network = ResNetConfig::cifar(20).network(&task, &options, &device);
        let kinds = network.steps(task.input).expect("fits").into_iter();
        let adds = kinds.filter(|step| step.kind == "add").count();
        (crate::parameters(&network), adds, network)
    };
    let (plain, residual) = (of(Shortcut::None), of(Shortcut::Pad));
    assert_eq!((plain.0, plain.1), (residual.0, 0));
    assert_eq!((plain.0, residual.1), (269_722, 9));
    // An image comes through, also where a residual branch begins as zero.
    let images = Tensor::<1, burn::tensor::Int>::arange(0..2 * 3072, &device);
    let images = images.float().sin().reshape([2, 3, 32, 32]);
    let scores: Vec<f32> = plain.2.forward(images).into_data().iter().collect();
    assert!((scores[0] - scores[10]).abs() > 1e-6, "{scores:?}");
}

#[test]
fn the_pad_shortcut_takes_every_second_pixel_between_channels_of_zeros() {
    let device = Device::flex();
    let maps = Tensor::<1, burn::tensor::Int>::arange(0..32, &device);
    let maps = maps.float().reshape([1, 2, 4, 4]);
    let padded = padded(maps, [1, 4, 2, 2]);
    let values: Vec<f32> = padded.into_data().iter().collect();
    let expected = [
        [0.0; 4],
        [0.0, 2.0, 8.0, 10.0],
        [16.0, 18.0, 24.0, 26.0],
        [0.0; 4],
    ];
    assert_eq!(values, expected.concat());
}
