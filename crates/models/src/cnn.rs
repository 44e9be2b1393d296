//! The small convolutional networks of lectures: two convolutions, each
//! pooled, and one or two linear layers.
//!
//! | network | after conv1 and pooling | after conv2 and pooling | fc1 | fc2 | parameters |
//! |---|---|---|---|---|---|
//! | [`MEML`](CnnConfig::MEML) | 8x12x12 | 16x5x5 | 10 | | 5,386 |
//! | [`UDL`](CnnConfig::UDL) | 10x12x12 | 20x4x4 | 50 | 10 | 21,840 |
//! | [`NTU`](CnnConfig::NTU) | 32x14x14 | 64x7x7 | 1024 | 10 | 3,274,634 |
//! | [`MACAU`](CnnConfig::MACAU) | 32x16x16 | 64x4x4 | 10 | | 18,922 |
//!
//! `MEML`: the lecture on convolutional networks, Mathematics of AI
//! (Adelaide). `UDL`: S. J. D. Prince, "Understanding deep learning", MIT
//! Press 2023, notebook 10.5, <https://udlbook.github.io/udlbook/>. `NTU`: the
//! lecture "Convolutional neural networks I" (NTU). `MACAU`: the lecture on
//! convolution, CISC 7026 (Macau).
//!
//! Differs from the sources: `NTU` leaves the width of its hidden layer open,
//! here 1024; `MACAU` leaves open its channels, here 32 and 64, and the sizes
//! that it pools to, here 16x16 and 4x4.

use crate::{
    Network, Options, Refusal, Task,
    layers::{
        Activation, AdaptivePool, Conv, Conv2d, Dropout, Edges, Layer, Linear, Nonlinearity, Pool,
        Pooling, Sequential, flatten,
    },
    trace::{self, Step},
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// What comes after a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// [`Options::activation`].
    Activate,
    /// [`Options::pooling`] of windows of [`Options::pool_size`].
    Pool,
    /// [`Options::pooling`] to a square of this side.
    PoolTo(usize),
    /// [`Options::dropout`] of whole channels.
    Drop,
}

/// A convolution and what comes after it.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// Channels of the convolution.
    pub channels: usize,
    /// Side of its kernel.
    pub kernel: usize,
    /// Pixels added on each side, by [`Options::padding`].
    pub padding: usize,
    /// What comes after it.
    pub then: &'static [Then],
}

/// A network of two convolutions to be built.
#[derive(Clone, Debug)]
pub struct CnnConfig {
    /// The two convolutions.
    pub stages: [Stage; 2],
}

const fn stage(channels: usize, kernel: usize, then: &'static [Then]) -> Stage {
    Stage {
        channels,
        kernel,
        padding: 0,
        then,
    }
}

const fn same(stage: Stage) -> Stage {
    Stage {
        padding: (stage.kernel - 1) / 2,
        ..stage
    }
}

impl CnnConfig {
    /// 5x5 and 3x3, pooled after the activation.
    pub const MEML: Self = Self {
        stages: [
            stage(8, 5, &[Then::Activate, Then::Pool]),
            stage(16, 3, &[Then::Activate, Then::Pool]),
        ],
    };

    /// 5x5 twice, pooled before the activation, with dropout of channels.
    pub const UDL: Self = Self {
        stages: [
            stage(10, 5, &[Then::Pool, Then::Activate]),
            stage(20, 5, &[Then::Drop, Then::Pool, Then::Activate]),
        ],
    };

    /// 5x5 twice, as large as the image.
    pub const NTU: Self = Self {
        stages: [
            same(stage(32, 5, &[Then::Activate, Then::Pool])),
            same(stage(64, 5, &[Then::Activate, Then::Pool])),
        ],
    };

    /// 2x2 twice, pooled to fixed sizes.
    pub const MACAU: Self = Self {
        stages: [
            stage(32, 2, &[Then::Activate, Then::PoolTo(16)]),
            stage(64, 2, &[Then::Activate, Then::PoolTo(4)]),
        ],
    };

    /// The network, as one of the zoo.
    pub(crate) fn network(
        &self,
        task: &Task,
        options: &Options,
        device: &Device,
    ) -> Result<Network, Refusal> {
        self.init(task, options, device).map(Network::Cnn)
    }

    /// The network, with [`Options::activation`] (ReLU), [`Options::pooling`]
    /// (the largest), [`Options::pool_size`] (2), [`Options::padding`],
    /// [`Options::dropout`] and [`Options::hidden`] (at most one layer).
    ///
    /// # Errors
    /// When the images are too small or an option does not go with the others.
    pub fn init(&self, task: &Task, options: &Options, device: &Device) -> Result<Cnn, Refusal> {
        let activation = options.activation.unwrap_or(Nonlinearity::Relu);
        let pieces = activation.pieces();
        let edges = options.padding.unwrap_or_default();
        let [first, second] = self.stages;
        let drops = [first, second]
            .iter()
            .any(|stage| stage.then.contains(&Then::Drop));
        let conv = |inputs: usize, stage: Stage| {
            let conv = Conv::new(inputs, stage.channels * pieces, stage.kernel);
            conv.padding(stage.padding).edges(edges).init(device)
        };
        let hidden = match options.hidden.as_deref() {
            None | Some([]) => None,
            Some([units]) => Some(*units),
            Some(hidden) => {
                let count = hidden.len();
                let fault = format!("hidden holds {count} layers, but it has at most one");
                return Err(Refusal::Option(fault));
            }
        };
        let mut network = Cnn {
            conv1: conv(task.input.channels, first),
            after1: first.layers(options, device)?,
            conv2: conv(first.channels, second),
            after2: second.layers(options, device)?,
            fc1: Linear::new([1, 1], device),
            activation: hidden.map(|_| activation.layer(device)),
            // One that drops channels drops nothing else.
            dropout: match drops {
                true => None,
                false => Dropout::chosen(options),
            },
            fc2: hidden.map(|units| Linear::new([units, task.classes], device)),
        };
        let (steps, [_, inputs]) = trace::follow(task.input, device, |x| network.features(x))?;
        if edges == Edges::Reflect {
            reflects(&steps)?;
        }
        let outputs = hidden.map_or(task.classes, |units| units * pieces);
        network.fc1 = Linear::new([inputs, outputs], device);
        Ok(network)
    }
}

impl Stage {
    fn layers(&self, options: &Options, device: &Device) -> Result<Sequential, Refusal> {
        let activation = options.activation.unwrap_or(Nonlinearity::Relu);
        let pooling = options.pooling.unwrap_or(Pooling::Max);
        let layer = |then: &Then| -> Result<Layer, Refusal> {
            Ok(match *then {
                Then::Activate => activation.layer(device).into(),
                Then::Pool => Pool::halving(options).into(),
                Then::PoolTo(side) => adaptive(pooling, side)?.into(),
                Then::Drop => Dropout::of_channels(options.dropout.unwrap_or(0.0)).into(),
            })
        };
        let layers = self.then.iter().map(layer).collect::<Result<_, _>>()?;
        Ok(Sequential::new(layers))
    }
}

fn adaptive(pooling: Pooling, side: usize) -> Result<AdaptivePool, Refusal> {
    match pooling {
        Pooling::Max => Ok(AdaptivePool::max([side; 2])),
        Pooling::Average => Ok(AdaptivePool::average([side; 2])),
        _ => Err(Refusal::Option(
            "pooling must be max or average, as it pools to a fixed size".to_owned(),
        )),
    }
}

/// A mirrored edge is narrower than the image.
fn reflects(steps: &[Step]) -> Result<(), Refusal> {
    let too_wide = |step: &&Step| {
        let sides = step.input.iter().skip(1);
        let padding = step.window.map_or([0, 0], |window| window.padding);
        sides.zip(padding).any(|(side, edge)| edge >= *side)
    };
    match steps.iter().find(too_wide) {
        None => Ok(()),
        Some(step) => Err(Refusal::Option(format!(
            "padding cannot be reflect, as a map of {}x{} is too small to mirror",
            step.input[1], step.input[2]
        ))),
    }
}

/// See the [module](self).
#[derive(Module, Debug)]
pub struct Cnn {
    conv1: Conv2d,
    after1: Sequential,
    conv2: Conv2d,
    after2: Sequential,
    fc1: Linear,
    activation: Option<Activation>,
    dropout: Option<Dropout>,
    fc2: Option<Linear>,
}

impl Cnn {
    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.features(images);
        match (&self.activation, &self.fc2) {
            (Some(activation), Some(fc2)) => {
                let x = activation.forward(self.fc1.forward(x));
                fc2.forward(Dropout::maybe(&self.dropout, x))
            }
            _ => self.fc1.forward(Dropout::maybe(&self.dropout, x)),
        }
    }

    /// Path of the layer that gives the class scores.
    pub fn head(&self) -> String {
        match self.fc2 {
            Some(_) => "fc2".to_owned(),
            None => "fc1".to_owned(),
        }
    }

    fn features(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.after1.forward(self.conv1.forward(images)); // [batch, 8, 12, 12]
        let x = self.after2.forward(self.conv2.forward(x)); // [batch, 16, 5, 5]
        flatten(x) // [batch, 16 * 5 * 5]
    }
}

/// What can be chosen of all of them.
pub(crate) fn options() -> Options {
    Options {
        activation: Some(Nonlinearity::Relu),
        pooling: Some(Pooling::Max),
        pool_size: Some(2),
        dropout: Some(0.0),
        init: Some(Default::default()),
        ..Options::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_vision::ImageSpec;

    fn refusal(config: &CnnConfig, side: usize, options: Options) -> Option<String> {
        let task = Task {
            input: ImageSpec::new(1, side, side),
            classes: 10,
        };
        match config.init(&task, &options, &Device::flex()) {
            Err(Refusal::Option(fault)) => Some(fault),
            _ => None,
        }
    }

    #[test]
    fn what_goes_not_together_is_refused() {
        let sum = Options {
            pooling: Some(Pooling::Sum),
            ..Options::default()
        };
        assert!(refusal(&CnnConfig::MACAU, 28, sum.clone()).is_some());
        assert!(refusal(&CnnConfig::NTU, 28, sum).is_none());
        let deep = Options {
            hidden: Some(vec![8, 8]),
            ..Options::default()
        };
        assert!(refusal(&CnnConfig::NTU, 28, deep).is_some());
        let mirrored = || Options {
            padding: Some(Edges::Reflect),
            ..Options::default()
        };
        assert!(refusal(&CnnConfig::NTU, 5, mirrored()).is_some());
        assert!(refusal(&CnnConfig::NTU, 6, mirrored()).is_none());
    }
}
