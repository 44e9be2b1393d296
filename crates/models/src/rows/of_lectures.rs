//! The networks of lectures, which no paper defines.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row::of_lecture(
        "mlp-meml",
        "MLP",
        (Mnist, |task, options, device| {
            Ok(Network::Mlp(Mlp::meml(task, options, device)))
        }),
    )
    .summary("784-200-100-10 with ReLU, then tanh: the rival of cnn-meml")
    .counts(178_110, 177_800)
    .options(|| Options {
        dropout: Some(0.0),
        init: Some(Default::default()),
        ..Options::default()
    }),
    Row::of_lecture(
        "cnn-meml",
        "CNN",
        (Mnist, |task, options, device| {
            CnnConfig::MEML.network(task, options, device)
        }),
    )
    .summary("5x5 and 3x3 convolutions with 8 and 16 maps, one linear layer")
    .counts(5_386, 234_400)
    .options(cnn::options),
    Row::of_lecture(
        "cnn-ntu",
        "CNN",
        (Mnist, |task, options, device| {
            CnnConfig::NTU.network(task, options, device)
        }),
    )
    .summary("two padded 5x5 convolutions with 32 and 64 maps, 3136-1024-10")
    .counts(3_274_634, 13_883_904)
    .options(|| Options {
        hidden: Some(vec![1024]),
        padding: Some(Edges::Zeros),
        ..cnn::options()
    }),
    Row::of_lecture(
        "cnn-macau",
        "CNN",
        (Cifar, |task, options, device| {
            CnnConfig::MACAU.network(task, options, device)
        }),
    )
    .summary("2x2 convolutions with leaky ReLU, pooled to 16x16 and 4x4: any image fits")
    .counts(18_922, 2_222_464)
    .options(|| Options {
        activation: Some(Nonlinearity::LeakyRelu),
        pooling: Some(Pooling::Average),
        pool_size: None,
        ..cnn::options()
    }),
];
