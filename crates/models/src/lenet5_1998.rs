//! LeNet-5 as published in 1998, to its 60,000 trainable parameters.
//!
//! Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning
//! applied to document recognition", Proc. IEEE 86(11), 1998, section II.B,
//! table I and appendix A.
//!
//! | layer | output for 1x32x32 | parameters |
//! |---|---|---|
//! | C1 convolution 5x5, squashing | 6x28x28 | 156 |
//! | S2 average pool 2x2, times a coefficient, plus a bias, squashing | 6x14x14 | 12 |
//! | C3 convolution 5x5, the sparse table, squashing | 16x10x10 | 1,516 |
//! | S4 as S2, squashing | 16x5x5 | 32 |
//! | C5 convolution 5x5 over the whole map, squashing | 120 | 48,120 |
//! | F6, squashing | 84 | 10,164 |
//! | distance to one fixed 7x12 code per class | 10 | 0 (840 fixed) |
//!
//! The squashing function is 1.7159 tanh(2x/3).
//!
//! Differs from the paper: the output is minus half the squared distance, the
//! log-likelihood of the Gaussian that the paper reads it as, so that a softmax
//! can follow; the coefficients of the average pools begin at 1 and their
//! biases at 0, where the paper draws them; the codes are 5x7 digits of our own drawing set into 7x12; an
//! image of 28x28 is padded to 32x32 with the value 0, after normalisation the
//! mean grey, where the paper's images have their background.

use crate::{
    Refusal, Task,
    layers::{Conv, Conv2d, Linear, Pool, flatten},
    trace::{self, Report},
    window::Window,
};
use burn::{
    module::{Module, Param},
    nn::Initializer,
    tensor::{Device, Tensor, module::conv2d, ops::ConvOptions},
};

/// Table I: the maps of S2 that each map of C3 sees.
const C3_INPUTS: [&[usize]; 16] = [
    &[0, 1, 2],
    &[1, 2, 3],
    &[2, 3, 4],
    &[3, 4, 5],
    &[0, 4, 5],
    &[0, 1, 5],
    &[0, 1, 2, 3],
    &[1, 2, 3, 4],
    &[2, 3, 4, 5],
    &[0, 3, 4, 5],
    &[0, 1, 4, 5],
    &[0, 1, 2, 5],
    &[0, 1, 3, 4],
    &[1, 2, 4, 5],
    &[0, 2, 3, 5],
    &[0, 1, 2, 3, 4, 5],
];

/// Kernels of C3: the connections of table I.
const C3_KERNELS: usize = 60;

/// Rows of the digits 0 to 9, five pixels wide, the highest bit left.
const DIGITS: [[u8; 7]; 10] = [
    [
        0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110,
    ],
    [
        0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
    ],
    [
        0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111,
    ],
    [
        0b11111, 0b00010, 0b00100, 0b00110, 0b00001, 0b10001, 0b01110,
    ],
    [
        0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010,
    ],
    [
        0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110,
    ],
    [
        0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110,
    ],
    [
        0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000,
    ],
    [
        0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110,
    ],
    [
        0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100,
    ],
];

/// See the [module](self).
#[derive(Module, Debug)]
pub struct LeNet5 {
    c1: Conv2d,
    s2: ScaledPool,
    c3: SparseConv,
    s4: ScaledPool,
    c5: Linear,
    f6: Linear,
    classes: usize,
}

/// Average pooling with a trainable coefficient and bias for each map.
#[derive(Module, Debug)]
struct ScaledPool {
    pool: Pool,
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
}

/// The convolution C3 with its 60 kernels.
#[derive(Module, Debug)]
struct SparseConv {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl LeNet5 {
    /// The network for 28x28 or 32x32 images and at most ten classes.
    ///
    /// # Errors
    /// When the images have another size or there are more classes.
    pub fn new(task: &Task, device: &Device) -> Result<Self, Refusal> {
        let padding = match [task.input.height, task.input.width] {
            [28, 28] => 2,
            [32, 32] => 0,
            _ => return Err(Refusal::Input("images of 28x28 or 32x32")),
        };
        if task.classes > DIGITS.len() {
            return Err(Refusal::Classes("2 to 10"));
        }
        let channels = task.input.channels;
        let linear = |inputs, outputs| {
            let drawn = [published(inputs), published(inputs)];
            Linear::drawn([inputs, outputs], drawn, device)
        };
        Ok(Self {
            c1: Conv::new(channels, 6, 5)
                .padding(padding)
                .weights(published(channels * 25))
                .biases(published(channels * 25))
                .init(device),
            s2: ScaledPool::new(6, device),
            c3: SparseConv {
                // Appendix A: the range depends on the fan-in; 4 of the 6 maps on average.
                weight: published(4 * 25).init([C3_KERNELS, 25], device),
                bias: published(4 * 25).init([16], device),
            },
            s4: ScaledPool::new(16, device),
            c5: linear(400, 120),
            f6: linear(120, 84),
            classes: task.classes,
        })
    }

    /// Log-likelihood of each class, up to a constant.
    ///
    /// # Shapes
    /// `[batch, channels, 28 or 32, 28 or 32]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = squash(self.c1.forward(images)); // [batch, 6, 28, 28]
        let x = squash(self.s2.forward(x)); // [batch, 6, 14, 14]
        let x = squash(self.c3.forward(x)); // [batch, 16, 10, 10]
        let x = squash(self.s4.forward(x)); // [batch, 16, 5, 5]
        let x = squash(self.c5.forward(flatten(x))); // [batch, 120]
        let x = squash(self.f6.forward(x)); // [batch, 84]
        self.likelihood(x)
    }

    fn likelihood(&self, x: Tensor<2>) -> Tensor<2> {
        let report = |[batch, _]: [usize; 2]| Report::pointwise("distance", [batch, self.classes]);
        trace::layer(x, report, |x| {
            let codes = codes(self.classes, &x.device()); // [classes, 84]
            let difference = x.unsqueeze_dim::<3>(1) - codes.unsqueeze_dim::<3>(0);
            difference.square().sum_dim(2).squeeze_dim::<2>(2) * -0.5
        })
    }
}

impl ScaledPool {
    fn new(maps: usize, device: &Device) -> Self {
        Self {
            pool: Pool::average(2),
            weight: Initializer::Constant { value: 1.0 }.init([maps], device),
            bias: Initializer::Zeros.init([maps], device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let per_map = |param: &Param<Tensor<1>>| {
            let maps = param.val();
            let count = maps.dims()[0];
            maps.reshape([1, count, 1, 1])
        };
        let report = |shape: [usize; 4]| Report {
            weight: Some(self.weight.id),
            parameters: 2 * shape[1],
            ..Report::pointwise("scale", shape)
        };
        trace::layer(self.pool.forward(x), report, |x| {
            x * per_map(&self.weight) + per_map(&self.bias)
        })
    }
}

impl SparseConv {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let window = Window::square(5);
        let report = |[batch, _, height, width]: [usize; 4]| {
            let [height, width] = window.output([height, width]).unwrap_or([1, 1]);
            Report {
                weight: Some(self.weight.id),
                parameters: C3_KERNELS * 25 + 16,
                macs: (C3_KERNELS * 25 * height * width) as u64,
                ..Report::windowed("conv", window, [batch, 16, height, width])
            }
        };
        trace::layer(x, report, |x| self.convolve(x))
    }

    fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        let placement = placement(&x.device()); // [96, 60]
        let dense = placement.matmul(self.weight.val()).reshape([16, 6, 5, 5]);
        conv2d(
            x,
            dense,
            Some(self.bias.val()),
            ConvOptions::new([1, 1], [0, 0], [1, 1], 1),
        )
    }
}

/// Which of the 16 x 6 dense kernels each of the 60 kernels is.
fn placement(device: &Device) -> Tensor<2> {
    let mut rows = vec![0.0f32; 16 * 6 * C3_KERNELS];
    let connections = C3_INPUTS
        .iter()
        .enumerate()
        .flat_map(|(output, inputs)| inputs.iter().map(move |input| output * 6 + input));
    for (kernel, place) in connections.enumerate() {
        rows[place * C3_KERNELS + kernel] = 1.0;
    }
    Tensor::<1>::from_floats(rows.as_slice(), device).reshape([16 * 6, C3_KERNELS])
}

/// One code of 7x12 pixels for each class, -1 background and +1 ink.
fn codes(classes: usize, device: &Device) -> Tensor<2> {
    let mut codes = vec![-1.0f32; classes * 84];
    for (code, digit) in codes.chunks_exact_mut(84).zip(DIGITS) {
        for (row, bits) in digit.iter().enumerate() {
            for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                code[(row + 2) * 7 + column + 1] = 1.0;
            }
        }
    }
    Tensor::<1>::from_floats(codes.as_slice(), device).reshape([classes, 84])
}

/// The squashing function of appendix A.
fn squash<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let report = |shape| Report::pointwise("squash", shape);
    trace::layer(x, report, |x| (x * (2.0 / 3.0)).tanh() * 1.7159)
}

/// Uniform within 2.4 / fan-in, section II.B and appendix A.
fn published(fan_in: usize) -> Initializer {
    let bound = 2.4 / fan_in as f64;
    Initializer::Uniform {
        min: -bound,
        max: bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_c3_has_its_sixty_connections() {
        assert_eq!(
            C3_INPUTS.iter().map(|inputs| inputs.len()).sum::<usize>(),
            C3_KERNELS
        );
    }

    #[test]
    fn the_sparse_convolution_sees_only_its_maps() {
        let device = Device::flex();
        let placement = placement(&device).into_data();
        let values: Vec<f32> = placement.try_to_vec().expect("floats");
        for (output, inputs) in C3_INPUTS.iter().enumerate() {
            for input in 0..6 {
                let row = &values[(output * 6 + input) * C3_KERNELS..][..C3_KERNELS];
                let connected = row.iter().sum::<f32>();
                assert_eq!(connected, f32::from(u8::from(inputs.contains(&input))));
            }
        }
    }

    #[test]
    fn every_class_has_a_code_of_its_own() {
        let device = Device::flex();
        let codes: Vec<f32> = codes(10, &device).into_data().try_to_vec().expect("floats");
        for (at, code) in codes.chunks(84).enumerate() {
            assert!(
                codes
                    .chunks(84)
                    .skip(at + 1)
                    .all(|other| { code.iter().zip(other).filter(|(a, b)| a != b).count() >= 4 })
            );
        }
    }
}
