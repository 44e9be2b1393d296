//! The networks from 2016 on.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "preact_resnet18",
        "ResNet",
        2016,
        (Cifar, |task, _, device| {
            Ok(PreActResNetConfig::new([2, 2, 2, 2]).network(task, device))
        }),
    )
    .summary("18 layers with batch norm and ReLU before each convolution")
    .counts(11_171_146, 555_422_720),
    Row::new(
        "wide_resnet50_2",
        "ResNet",
        2016,
        (ImageNet, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 4, 6, 3])
                .bottleneck()
                .groups(1, 128)
                .network(task, options, device))
        }),
    )
    .summary("resnet50 with 3x3 convolutions twice as wide")
    .counts(68_883_240, 11_398_021_120)
    .options(resnet::options),
    Row::new(
        "densenet121",
        "DenseNet",
        2016,
        (ImageNet, |task, options, device| {
            let config = DenseNetConfig::imagenet(32, &[6, 12, 24, 16]);
            Ok(config.network(task, options, device))
        }),
    )
    .summary("58 dense layers in 4 blocks, each adds 32 maps to all before it")
    .counts(7_978_856, 2_834_161_664)
    .options(densenet::options),
    Row::new(
        "densenet161",
        "DenseNet",
        2016,
        (ImageNet, |task, options, device| {
            let config = DenseNetConfig::imagenet(48, &[6, 12, 36, 24]);
            Ok(config.network(task, options, device))
        }),
    )
    .summary("78 dense layers in 4 blocks, each adds 48 maps")
    .counts(28_681_000, 7_727_907_072)
    .options(densenet::options),
    Row::new(
        "densenet169",
        "DenseNet",
        2016,
        (ImageNet, |task, options, device| {
            let config = DenseNetConfig::imagenet(32, &[6, 12, 32, 32]);
            Ok(config.network(task, options, device))
        }),
    )
    .summary("82 dense layers in 4 blocks, each adds 32 maps")
    .counts(14_149_480, 3_359_843_328)
    .options(densenet::options),
    Row::new(
        "densenet201",
        "DenseNet",
        2016,
        (ImageNet, |task, options, device| {
            let config = DenseNetConfig::imagenet(32, &[6, 12, 48, 32]);
            Ok(config.network(task, options, device))
        }),
    )
    .summary("98 dense layers in 4 blocks, each adds 32 maps")
    .counts(20_013_928, 4_291_365_888)
    .options(densenet::options),
    Row::new(
        "densenet-bc-100-12",
        "DenseNet",
        2016,
        (Cifar, |task, options, device| {
            Ok(DenseNetConfig::cifar(12, 100).network(task, options, device))
        }),
    )
    .aliases(&["densenet-bc-100"])
    .summary("the paper's CIFAR network: 48 dense layers in 3 blocks, growth 12")
    .counts(769_162, 287_929_692)
    .options(densenet::options),
    Row::new(
        "densenet-bc-40-12",
        "DenseNet",
        2016,
        (Cifar, |task, options, device| {
            Ok(DenseNetConfig::cifar(12, 40).network(task, options, device))
        }),
    )
    .aliases(&["densenet-bc-40"])
    .summary("the same with 18 dense layers")
    .counts(176_122, 72_365_352)
    .options(densenet::options),
    Row::new(
        "resnext50_32x4d",
        "ResNeXt",
        2016,
        (ImageNet, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 4, 6, 3])
                .bottleneck()
                .groups(32, 4)
                .network(task, options, device))
        }),
    )
    .summary("resnet50 with 3x3 convolutions in 32 groups of 4 channels")
    .counts(25_028_904, 4_230_479_872)
    .options(resnet::options),
    Row::new(
        "resnext101_32x8d",
        "ResNeXt",
        2016,
        (ImageNet, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 4, 23, 3])
                .bottleneck()
                .groups(32, 8)
                .network(task, options, device))
        }),
    )
    .summary("resnet101 with 3x3 convolutions in 32 groups of 8 channels")
    .counts(88_791_336, 16_414_015_488)
    .options(resnet::options),
    Row::new(
        "resnext29",
        "ResNeXt",
        2016,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 3, 3])
                .bottleneck()
                .groups(32, 4)
                .pointwise()
                .network(task, options, device))
        }),
    )
    .aliases(&["resnext29-32x4d"])
    .summary("9 bottlenecks of 32 groups of 4 channels, for small images")
    .counts(4_774_218, 772_483_072)
    .options(resnet::options),
    Row::new(
        "squeezenet1_1",
        "SqueezeNet",
        2016,
        (ImageNet, |task, options, device| {
            Ok(SqueezeNetConfig::new().network(task, options, device))
        }),
    )
    .summary("fire modules of 1x1 and 3x3 convolutions: a fiftieth of AlexNet's parameters")
    .counts(1_235_496, 349_151_936)
    .options(classifier::options),
    Row::new(
        "resnet9",
        "ResNet",
        2018,
        (Cifar, |task, _, device| {
            Ok(Network::ResNet9(ResNet9::new(task, device)))
        }),
    )
    .summary("8 convolutions with two residual parts, made to be trained fast")
    .counts(6_573_120, 379_261_952),
    Row::new(
        "mobilenet_v2",
        "MobileNetV2",
        2018,
        (ImageNet, |task, options, device| {
            Ok(MobileNetV2Config::imagenet().network(task, options, device))
        }),
    )
    .summary("inverted residuals of depthwise convolutions, for small devices")
    .counts(3_504_872, 300_774_272)
    .options(mobilenet_v2::options),
    Row::new(
        "mobilenet_v2-cifar",
        "MobileNetV2",
        2018,
        (Cifar, |task, options, device| {
            Ok(MobileNetV2Config::cifar().network(task, options, device))
        }),
    )
    .summary("mobilenet_v2 with stride 1 in the stem and the second stage, for 32x32 images")
    .counts(2_236_682, 87_976_448)
    .options(mobilenet_v2::options),
    Row::new(
        "cnn-udl",
        "CNN",
        2023,
        (Mnist, |task, options, device| {
            CnnConfig::UDL.network(task, options, device)
        }),
    )
    .summary("two 5x5 convolutions pooled before ReLU, dropout of channels, 320-50-10")
    .counts(21_840, 480_500)
    .options(|| Options {
        hidden: Some(vec![50]),
        dropout: Some(0.5),
        ..cnn::options()
    }),
];
