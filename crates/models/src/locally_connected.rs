//! Locally connected layers, and the same network with shared weights.
//!
//! Y. LeCun, "Generalization and network design strategies", Technical report
//! CRG-TR-89-4, University of Toronto, 1989: Net-3 has local connections, Net-4
//! and Net-5 share weights,
//! <http://yann.lecun.com/exdb/publis/pdf/lecun-89.pdf>. I. Goodfellow, Y.
//! Bengio, A. Courville, "Deep learning", 2016, section 9.5, calls the first
//! unshared convolution, <https://www.deeplearningbook.org/contents/convnets.html>.
//!
//! | layer | output for 1x28x28 | parameters, local | parameters, shared |
//! |---|---|---|---|
//! | layer1 5x5, stride 2, ReLU | 6x12x12 | 22,464 | 156 |
//! | layer2 5x5, stride 2, ReLU | 16x4x4 | 38,656 | 2,416 |
//! | fc | 10 | 2,570 | 2,570 |
//!
//! Both have the same units, connections and multiply-accumulates, and their
//! first weights come from the same distribution: they differ in nothing but
//! whether positions share weights.
//!
//! Differs from the paper: MNIST's images instead of 16x16 ones, more maps, ReLU
//! instead of tanh; the shared network's biases are shared too.

use crate::{
    Options, Task,
    layers::{Conv, Conv2d, Dropout, Linear, LocallyConnected, flatten, relu},
    trace,
    window::{Misfit, Window},
};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

/// Whether the positions of a map share their weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// One kernel for all positions: a convolution.
    Shared,
    /// A kernel for each position: local connections.
    Local,
}

/// Of both layers.
const WINDOW: Window = Window {
    stride: [2, 2],
    ..Window::square(5)
};

/// See the [module](self).
#[derive(Module, Debug)]
pub struct LocallyConnectedNetwork {
    layer1: Connections,
    layer2: Connections,
    dropout: Option<Dropout>,
    fc: Linear,
}

#[derive(Module, Debug)]
enum Connections {
    Shared(Conv2d),
    Local(LocallyConnected),
}

impl LocallyConnectedNetwork {
    /// The network for images of one size, with [`Options::dropout`] before its
    /// last layer.
    ///
    /// # Errors
    /// When the images are smaller than 13x13.
    pub fn new(
        task: &Task,
        options: &Options,
        sharing: Sharing,
        device: &Device,
    ) -> Result<Self, Misfit> {
        let maps = [task.input.height, task.input.width];
        let layer1 = Connections::new([task.input.channels, 6], sharing, maps, device)?;
        let maps = WINDOW.output(maps).unwrap_or([1, 1]);
        let mut network = Self {
            layer1,
            layer2: Connections::new([6, 16], sharing, maps, device)?,
            dropout: Dropout::chosen(options),
            fc: Linear::new([1, 1], device),
        };
        let (_, [_, inputs]) = trace::follow(task.input, device, |x| network.features(x))?;
        network.fc = Linear::new([inputs, task.classes], device);
        Ok(network)
    }

    /// Class scores before the softmax.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.features(images);
        self.fc.forward(Dropout::maybe(&self.dropout, x))
    }

    fn features(&self, images: Tensor<4>) -> Tensor<2> {
        let x = relu(self.layer1.forward(images)); // [batch, 6, 12, 12]
        flatten(relu(self.layer2.forward(x))) // [batch, 16 * 4 * 4]
    }
}

impl Connections {
    fn new(
        [inputs, outputs]: [usize; 2],
        sharing: Sharing,
        maps: [usize; 2],
        device: &Device,
    ) -> Result<Self, Misfit> {
        Ok(match sharing {
            Sharing::Shared => {
                let conv = Conv::new(inputs, outputs, WINDOW.kernel[0]);
                Self::Shared(conv.window(WINDOW).init(device))
            }
            Sharing::Local => {
                let layer = LocallyConnected::new([inputs, outputs], WINDOW, maps, device)?;
                Self::Local(layer)
            }
        })
    }

    fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Shared(layer) => layer.forward(maps),
            Self::Local(layer) => layer.forward(maps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build;

    #[test]
    fn with_and_without_sharing_every_layer_has_the_same_connections() {
        let input = kiln_vision::ImageSpec::MNIST;
        let task = Task { input, classes: 10 };
        let layers = |name| {
            let network = build(name, &task, &Options::default(), &Device::flex());
            let steps = network.expect("builds").steps(input).expect("fits");
            let layer = |step: crate::Step| (step.output, step.macs, step.receptive_field);
            steps.into_iter().map(layer).collect::<Vec<_>>()
        };
        assert_eq!(layers("locally-connected"), layers("cnn-shared"));
    }

    #[test]
    fn images_below_thirteen_pixels_are_refused() {
        let task = Task {
            input: kiln_vision::ImageSpec::new(1, 12, 12),
            classes: 10,
        };
        for name in ["locally-connected", "cnn-shared"] {
            let refused = build(name, &task, &Options::default(), &Device::flex()).err();
            let message = refused.map(|error| error.to_string()).unwrap_or_default();
            assert!(message.ends_with("it takes is 13x13"), "{message}");
        }
    }
}
