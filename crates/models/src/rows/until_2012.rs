//! The networks until 2012.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "softmax",
        "MLP",
        1958,
        (Mnist, |task, options, device| {
            Ok(Network::Mlp(Mlp::new(task, options, device)))
        }),
    )
    .aliases(&["logistic"])
    .summary("softmax regression, 784-10: one linear layer and no hidden one")
    .counts(7_850, 7_840),
    Row::new(
        "mlp",
        "MLP",
        1986,
        (Mnist, |task, options, device| {
            Ok(Network::Mlp(Mlp::new(task, options, device)))
        }),
    )
    .aliases(&["mlpnet"])
    .summary("MLPNet, 784-256-84-10 with ReLU: the baseline without convolution")
    .counts(223_398, 223_048)
    .options(|| Options {
        hidden: Some(vec![256, 84]),
        activation: Some(Nonlinearity::Relu),
        dropout: Some(0.0),
        init: Some(Default::default()),
        ..Options::default()
    }),
    Row::new(
        "locally-connected",
        "Local connections",
        1989,
        (Mnist, |task, options, device| {
            let network = LocallyConnectedNetwork::new(task, options, Sharing::Local, device)?;
            Ok(Network::LocallyConnected(network))
        }),
    )
    .aliases(&["cnn-unshared"])
    .summary("two locally connected layers: convolution without weight sharing")
    .counts(63_690, 62_560)
    .options(|| Options {
        dropout: Some(0.0),
        init: Some(Default::default()),
        ..Options::default()
    }),
    Row::new(
        "cnn-shared",
        "Local connections",
        1989,
        (Mnist, |task, options, device| {
            let network = LocallyConnectedNetwork::new(task, options, Sharing::Shared, device)?;
            Ok(Network::LocallyConnected(network))
        }),
    )
    .summary("locally-connected with weight sharing: the same connections as a CNN")
    .counts(5_142, 62_560)
    .options(|| Options {
        dropout: Some(0.0),
        init: Some(Default::default()),
        ..Options::default()
    }),
    Row::new(
        "signal",
        "1-D CNN",
        1989,
        (Mnist, |task, options, device| {
            SignalNetwork::new(task, options, device).map(Network::Signal)
        }),
    )
    .aliases(&["cnn-1d"])
    .summary("1-D convolutions over a signal of any length, pooled over time")
    .counts(23_946, 715_456)
    .options(|| Options {
        pooling: Some(Pooling::Average),
        dropout: Some(0.0),
        init: Some(Default::default()),
        ..Options::default()
    }),
    Row::new(
        "lenet5-1998",
        "LeNet",
        1998,
        (Mnist, |task, _, device| {
            LeNet5::new(task, device).map(Network::LeNet5)
        }),
    )
    .aliases(&["lenet-1998"])
    .summary("LeNet-5 as published: tanh, trainable average pooling, RBF output")
    .counts(60_000, 325_680)
    .options(Options::default),
    Row::new(
        "lenet",
        "LeNet",
        1998,
        (Mnist, |task, options, device| {
            Ok(Network::LeNet(LeNet::new(task, options, device)?))
        }),
    )
    .aliases(&["lenet5"])
    .summary("LeNet-5 as it is used today: ReLU and max pooling")
    .counts(61_706, 416_520)
    .options(|| Options {
        activation: Some(Nonlinearity::Relu),
        pooling: Some(Pooling::Max),
        pool_size: Some(2),
        dropout: Some(0.0),
        init: Some(Default::default()),
        ..Options::default()
    }),
    Row::new(
        "one-hidden",
        "MLP",
        1998,
        (Mnist, |task, options, device| {
            Ok(Network::Mlp(Mlp::new(task, options, device)))
        }),
    )
    .summary("784-300-10 with ReLU: one hidden layer")
    .counts(238_510, 238_200)
    .options(|| Options {
        hidden: Some(vec![300]),
        activation: Some(Nonlinearity::Relu),
        dropout: Some(0.0),
        init: Some(Default::default()),
        ..Options::default()
    }),
    Row::new(
        "alexnet-2012",
        "AlexNet",
        2012,
        (ImageNet, |task, options, device| {
            AlexNetConfig::original().network(task, options, device)
        }),
    )
    .summary("the original: two groups of channels and local response normalization")
    .counts(60_965_224, 724_406_816)
    .options(classifier::options),
];
