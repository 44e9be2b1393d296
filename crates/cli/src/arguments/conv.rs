//! Flags of `conv`.

use clap::{Args, ValueEnum};
use kiln_lab::{Extent, Matrix, Padding, PoolChoice, parse_number};
use kiln_models::layers::Nonlinearity;

/// How the example is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConvFormat {
    /// For people: the first sums, and matrices
    Text,
    /// For programs: every sum
    Json,
}

/// Functions of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Function {
    /// 1/(1 + exp(-x))
    Sigmoid,
    /// The hyperbolic tangent
    Tanh,
    /// max(0, x)
    Relu,
    /// x above 0, x/100 below
    LeakyRelu,
    /// x above 0, exp(x) - 1 below
    Elu,
}

impl From<Function> for Nonlinearity {
    fn from(function: Function) -> Self {
        match function {
            Function::Sigmoid => Self::Sigmoid,
            Function::Tanh => Self::Tanh,
            Function::Relu => Self::Relu,
            Function::LeakyRelu => Self::LeakyRelu,
            Function::Elu => Self::Elu,
        }
    }
}

/// Flags of `conv`.
#[derive(Args)]
#[command(
    after_help = "A matrix is written as '1 2; 3 4'. Convolution, activation and pooling are computed in this order, in float32 by the layers of the networks. An input and a kernel of one row each are one-dimensional: sizes and padding are along the row alone. Windows that would hang over the edge are left away. A sum has no rounding errors of float32: 0.1 + 0.2 - 0.3 is 0. Text shows numbers with six significant digits; JSON has whole numbers as such and others with the seven digits that float32 carries.\n\nExample: kiln conv --input '4 5 8 7; 1 8 8 8; 3 6 6 4; 6 5 7 8' --kernel '1 4 1; 1 4 3; 3 3 1'\nExample: kiln conv --input '1 2 3 4 5' --kernel '2 1' --true-convolution\nExample: kiln conv --input '1 1 2 4; 5 6 7 8; 3 2 1 0; 1 2 3 4' --pool max:2"
)]
pub struct ConvArguments {
    /// The input
    #[arg(long, value_name = "MATRIX", allow_hyphen_values = true)]
    pub input: Matrix,
    /// The kernel; without it there is no convolution
    #[arg(long, value_name = "MATRIX", allow_hyphen_values = true)]
    pub kernel: Option<Matrix>,
    /// Added to every value of the convolution [default: 0]
    #[arg(long, value_name = "B", requires = "kernel", allow_hyphen_values = true, value_parser = parse_number)]
    pub bias: Option<f32>,
    /// Steps of the kernel from one position to the next [default: 1]
    #[arg(
        long,
        value_name = "N|HxW",
        requires = "kernel",
        allow_negative_numbers = true
    )]
    pub stride: Option<Extent>,
    /// Zeros around the input: none (valid), as many as keep the size at stride 1 (same; the kernel is odd), or so many on each side [default: valid]
    #[arg(
        long,
        value_name = "same|valid|N|HxW",
        requires = "kernel",
        allow_negative_numbers = true
    )]
    pub padding: Option<Padding>,
    /// Distance between the kernel's elements [default: 1]
    #[arg(
        long,
        value_name = "N|HxW",
        requires = "kernel",
        allow_negative_numbers = true
    )]
    pub dilation: Option<Extent>,
    /// Flip the kernel, as mathematics does and networks do not
    #[arg(long, requires = "kernel")]
    pub true_convolution: bool,
    /// A function of every value after the convolution
    #[arg(long, value_enum, value_name = "NAME")]
    pub activation: Option<Function>,
    /// Pooling at the end: max, average, sum or l2 of N x N values, with the stride N or the one behind a second colon
    #[arg(long, value_name = "NAME:N[:STRIDE]")]
    pub pool: Option<PoolChoice>,
    /// How to write the example
    #[arg(long, value_enum, default_value = "text")]
    pub format: ConvFormat,
}
