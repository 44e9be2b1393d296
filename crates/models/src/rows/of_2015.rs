//! The networks of 2015.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "resnet18",
        "ResNet",
        2015,
        (ImageNet, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[2, 2, 2, 2]).network(task, options, device))
        }),
    )
    .summary("18 layers in 8 basic blocks")
    .counts(11_689_512, 1_814_073_344)
    .options(resnet::options),
    Row::new(
        "resnet34",
        "ResNet",
        2015,
        (ImageNet, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 4, 6, 3]).network(task, options, device))
        }),
    )
    .summary("34 layers in 16 basic blocks")
    .counts(21_797_672, 3_663_761_408)
    .options(resnet::options),
    Row::new(
        "resnet50",
        "ResNet",
        2015,
        (ImageNet, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 4, 6, 3])
                .bottleneck()
                .network(task, options, device))
        }),
    )
    .summary("50 layers in 16 bottlenecks")
    .counts(25_557_032, 4_089_184_256)
    .options(resnet::options),
    Row::new(
        "resnet101",
        "ResNet",
        2015,
        (ImageNet, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 4, 23, 3])
                .bottleneck()
                .network(task, options, device))
        }),
    )
    .summary("101 layers in 33 bottlenecks")
    .counts(44_549_160, 7_801_405_440)
    .options(resnet::options),
    Row::new(
        "resnet152",
        "ResNet",
        2015,
        (ImageNet, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 8, 36, 3])
                .bottleneck()
                .network(task, options, device))
        }),
    )
    .summary("152 layers in 50 bottlenecks")
    .counts(60_192_808, 11_513_626_624)
    .options(resnet::options),
    Row::new(
        "resnet20",
        "ResNet",
        2015,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::cifar(20).network(task, options, device))
        }),
    )
    .aliases(&["resnet20-cifar"])
    .summary("the paper's CIFAR network of 3 stages with 16, 32 and 64 channels")
    .counts(269_722, 40_551_040)
    .options(resnet::cifar_options),
    Row::new(
        "resnet32",
        "ResNet",
        2015,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::cifar(32).network(task, options, device))
        }),
    )
    .aliases(&["resnet32-cifar"])
    .summary("as resnet20, with 5 blocks in each of the 3 stages")
    .counts(464_154, 68_862_592)
    .options(resnet::cifar_options),
    Row::new(
        "resnet44",
        "ResNet",
        2015,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::cifar(44).network(task, options, device))
        }),
    )
    .aliases(&["resnet44-cifar"])
    .summary("as resnet20, with 7 blocks in each of the 3 stages")
    .counts(658_586, 97_174_144)
    .options(resnet::cifar_options),
    Row::new(
        "resnet56",
        "ResNet",
        2015,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::cifar(56).network(task, options, device))
        }),
    )
    .aliases(&["resnet56-cifar"])
    .summary("as resnet20, with 9 blocks in each of the 3 stages")
    .counts(853_018, 125_485_696)
    .options(resnet::cifar_options),
    Row::new(
        "resnet110",
        "ResNet",
        2015,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::cifar(110).network(task, options, device))
        }),
    )
    .aliases(&["resnet110-cifar"])
    .summary("as resnet20, with 18 blocks in each of the 3 stages")
    .counts(1_727_962, 252_887_680)
    .options(resnet::cifar_options),
    Row::new(
        "resnet18-cifar",
        "ResNet",
        2015,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[2, 2, 2, 2])
                .small()
                .network(task, options, device))
        }),
    )
    .summary("resnet18 for small images: 3x3 stem, no max pool")
    .counts(11_173_962, 555_422_720)
    .options(resnet::options),
    Row::new(
        "resnet34-cifar",
        "ResNet",
        2015,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 4, 6, 3])
                .small()
                .network(task, options, device))
        }),
    )
    .summary("resnet34 for small images: 3x3 stem, no max pool")
    .counts(21_282_122, 1_159_402_496)
    .options(resnet::options),
    Row::new(
        "resnet50-cifar",
        "ResNet",
        2015,
        (Cifar, |task, options, device| {
            Ok(ResNetConfig::imagenet(&[3, 4, 6, 3])
                .bottleneck()
                .small()
                .network(task, options, device))
        }),
    )
    .summary("resnet50 for small images: 3x3 stem, no max pool")
    .counts(23_520_842, 1_297_829_888)
    .options(resnet::options),
    Row::new(
        "encoder-decoder",
        "Encoder-decoder",
        2015,
        (Cifar, |task, _, device| {
            Ok(Network::EncoderDecoder(EncoderDecoder::new(task, device)))
        }),
    )
    .summary("down by pooling, up by transposed convolution: scores for every pixel")
    .counts(134_634, 14_843_904),
];
