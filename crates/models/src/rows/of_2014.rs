//! The networks of 2014.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "alexnet",
        "AlexNet",
        2014,
        (ImageNet, |task, options, device| {
            AlexNetConfig::one_tower().network(task, options, device)
        }),
    )
    .summary("one tower of five convolutions without response norm, as torchvision has it")
    .counts(61_100_840, 714_188_480)
    .options(classifier::options),
    Row::new(
        "alexnet-cifar",
        "AlexNet",
        2014,
        (Cifar, |task, options, device| {
            AlexNetConfig::cifar().network(task, options, device)
        }),
    )
    .summary("five convolutions from 11x11 on and one linear layer, for 32x32 images")
    .counts(2_472_266, 14_957_056),
    Row::new(
        "vgg11",
        "VGG",
        2014,
        (ImageNet, |task, options, device| {
            VggConfig::vgg11().network(task, options, device)
        }),
    )
    .summary("8 convolutions of 3x3 and 3 linear layers")
    .counts(132_863_336, 7_609_090_048)
    .options(vgg::options),
    Row::new(
        "vgg11_bn",
        "VGG",
        2014,
        (ImageNet, |task, options, device| {
            VggConfig::vgg11()
                .batch_norm()
                .network(task, options, device)
        }),
    )
    .summary("vgg11 with a batch norm after each convolution")
    .counts(132_868_840, 7_609_090_048)
    .options(vgg::options),
    Row::new(
        "vgg13",
        "VGG",
        2014,
        (ImageNet, |task, options, device| {
            VggConfig::vgg13().network(task, options, device)
        }),
    )
    .summary("10 convolutions of 3x3 and 3 linear layers")
    .counts(133_047_848, 11_308_466_176)
    .options(vgg::options),
    Row::new(
        "vgg13_bn",
        "VGG",
        2014,
        (ImageNet, |task, options, device| {
            VggConfig::vgg13()
                .batch_norm()
                .network(task, options, device)
        }),
    )
    .summary("vgg13 with a batch norm after each convolution")
    .counts(133_053_736, 11_308_466_176)
    .options(vgg::options),
    Row::new(
        "vgg16",
        "VGG",
        2014,
        (ImageNet, |task, options, device| {
            VggConfig::vgg16().network(task, options, device)
        }),
    )
    .summary("13 convolutions of 3x3 and 3 linear layers")
    .counts(138_357_544, 15_470_264_320)
    .options(vgg::options),
    Row::new(
        "vgg16_bn",
        "VGG",
        2014,
        (ImageNet, |task, options, device| {
            VggConfig::vgg16()
                .batch_norm()
                .network(task, options, device)
        }),
    )
    .summary("vgg16 with a batch norm after each convolution")
    .counts(138_365_992, 15_470_264_320)
    .options(vgg::options),
    Row::new(
        "vgg19",
        "VGG",
        2014,
        (ImageNet, |task, options, device| {
            VggConfig::vgg19().network(task, options, device)
        }),
    )
    .summary("16 convolutions of 3x3 and 3 linear layers")
    .counts(143_667_240, 19_632_062_464)
    .options(vgg::options),
    Row::new(
        "vgg19_bn",
        "VGG",
        2014,
        (ImageNet, |task, options, device| {
            VggConfig::vgg19()
                .batch_norm()
                .network(task, options, device)
        }),
    )
    .summary("vgg19 with a batch norm after each convolution")
    .counts(143_678_248, 19_632_062_464)
    .options(vgg::options),
    Row::new(
        "vgg11-bn-cifar",
        "VGG",
        2014,
        (Cifar, |task, options, device| {
            VggConfig::vgg11()
                .batch_norm()
                .small()
                .network(task, options, device)
        }),
    )
    .aliases(&["vgg11-cifar"])
    .summary("8 convolutions with batch norm and one linear layer, for 32x32 images")
    .counts(9_231_114, 152_769_536)
    .options(vgg::small_options),
    Row::new(
        "vgg13-bn-cifar",
        "VGG",
        2014,
        (Cifar, |task, options, device| {
            VggConfig::vgg13()
                .batch_norm()
                .small()
                .network(task, options, device)
        }),
    )
    .aliases(&["vgg13-cifar"])
    .summary("10 convolutions with batch norm and one linear layer, for 32x32 images")
    .counts(9_416_010, 228_267_008)
    .options(vgg::small_options),
    Row::new(
        "vgg16-bn-cifar",
        "VGG",
        2014,
        (Cifar, |task, options, device| {
            VggConfig::vgg16()
                .batch_norm()
                .small()
                .network(task, options, device)
        }),
    )
    .aliases(&["vgg16-cifar"])
    .summary("13 convolutions with batch norm and one linear layer, for 32x32 images")
    .counts(14_728_266, 313_201_664)
    .options(vgg::small_options),
    Row::new(
        "vgg19-bn-cifar",
        "VGG",
        2014,
        (Cifar, |task, options, device| {
            VggConfig::vgg19()
                .batch_norm()
                .small()
                .network(task, options, device)
        }),
    )
    .aliases(&["vgg19-cifar"])
    .summary("16 convolutions with batch norm and one linear layer, for 32x32 images")
    .counts(20_040_522, 398_136_320)
    .options(vgg::small_options),
    Row::new(
        "all-cnn-c",
        "Fully convolutional",
        2014,
        (Cifar, |task, options, device| {
            Ok(Network::AllCnn(AllCnn::new(task, options, device)))
        }),
    )
    .aliases(&["fcn"])
    .summary("nine convolutions and no dense layer: images of any size")
    .counts(1_369_738, 270_798_336)
    .options(|| Options {
        dropout: Some(0.5),
        init: Some(Default::default()),
        ..Options::default()
    }),
];
