//! The arithmetic of values in full: `output[0][0] = 1*4 + 4*5 = 24`. What
//! stands behind the last sign is what the layer gave.

use super::matrix::{Matrix, shown};
use kiln_models::{
    Window,
    layers::{Nonlinearity, Pooling},
};

/// In brackets where it is negative.
fn bracketed(value: f32) -> String {
    match value < 0.0 {
        true => format!("({})", shown(value)),
        false => shown(value),
    }
}

/// A line for each value of the output, row by row.
fn lines(output: &Matrix, arithmetic: impl Fn([usize; 2]) -> String) -> Vec<String> {
    let [_, columns] = output.shape();
    let values = output.rows().flatten().enumerate();
    let lines = values.map(|(at, value)| {
        let [row, column] = [at / columns, at % columns];
        let left = arithmetic([row, column]);
        format!("output[{row}][{column}] = {left} = {}", shown(*value))
    });
    lines.collect()
}

/// The positions of the kernel's elements on the input: `None` before it.
fn taps(window: Window, [row, column]: [usize; 2]) -> impl Iterator<Item = [Option<usize>; 2]> {
    let place = move |axis: usize, at: usize, element: usize| {
        let place = at * window.stride[axis] + element * window.dilation[axis];
        place.checked_sub(window.padding[axis])
    };
    let [rows, columns] = window.kernel;
    (0..rows).flat_map(move |y| (0..columns).map(move |x| [place(0, row, y), place(1, column, x)]))
}

/// What is multiplied for one value: weights with the input below them.
fn factors(
    input: &Matrix,
    kernel: &Matrix,
    window: Window,
    at: [usize; 2],
) -> impl Iterator<Item = [f32; 2]> {
    let weights = kernel.rows().flatten();
    // Beyond its edge the input goes on with zeros.
    let value = |place| input.get(place).unwrap_or(0.0);
    let values = taps(window, at).map(value);
    weights.copied().zip(values).map(Into::into)
}

/// Weight times value, value by value, plus the bias.
pub(super) fn spelled_convolution(
    input: &Matrix,
    kernel: &Matrix,
    bias: f32,
    window: Window,
    output: &Matrix,
) -> Vec<String> {
    lines(output, |at| {
        let products =
            factors(input, kernel, window, at).map(|factors| factors.map(bracketed).join("*"));
        let bias = Some(bias).filter(|bias| *bias != 0.0).map(bracketed);
        products.chain(bias).collect::<Vec<_>>().join(" + ")
    })
}

/// The sum of the terms of one value without their signs.
pub(super) fn size_of_convolution(
    input: &Matrix,
    kernel: &Matrix,
    bias: f32,
    window: Window,
    at: [usize; 2],
) -> f64 {
    let products = factors(input, kernel, window, at)
        .map(|[weight, value]| (f64::from(weight) * f64::from(value)).abs());
    products.sum::<f64>() + f64::from(bias).abs()
}

/// The same of a sum or mean of a window.
pub(super) fn size_of_pooling(
    pooling: Pooling,
    input: &Matrix,
    window: Window,
    at: [usize; 2],
) -> f64 {
    let values = taps(window, at).filter_map(|place| input.get(place));
    let sum: f64 = values.map(|value| f64::from(value).abs()).sum();
    match pooling {
        Pooling::Average => sum / window.kernel.iter().product::<usize>() as f64,
        _ => sum,
    }
}

/// The values of each window and how they become one.
pub(super) fn spelled_pooling(
    pooling: Pooling,
    input: &Matrix,
    window: Window,
    output: &Matrix,
) -> Vec<String> {
    lines(output, |at| {
        let values = taps(window, at).filter_map(|place| input.get(place));
        let joined =
            |sign: &str, text: fn(f32) -> String| values.map(text).collect::<Vec<_>>().join(sign);
        match pooling {
            Pooling::Max => format!("max({})", joined(", ", shown)),
            Pooling::Average => format!(
                "({})/{}",
                joined(" + ", bracketed),
                window.kernel.iter().product::<usize>()
            ),
            Pooling::L2 => {
                let squares = joined(" + ", |value| format!("{}^2", bracketed(value)));
                // As the layer has it, for a gradient that is finite.
                format!("sqrt({squares} + 1e-12)")
            }
            // One value under the window is itself.
            Pooling::Sum | Pooling::Gaussian | Pooling::Stride => joined(" + ", bracketed),
        }
    })
}

/// The function of each value.
pub(super) fn spelled_activation(
    function: Nonlinearity,
    input: &Matrix,
    output: &Matrix,
) -> Vec<String> {
    let name = formula(function).split('(').next().unwrap_or_default();
    lines(output, |[row, column]| {
        let value = input.get([Some(row), Some(column)]).unwrap_or(0.0);
        format!("{name}({})", shown(value))
    })
}

/// The name of a pooling in a sentence.
pub(super) fn name(pooling: Pooling) -> &'static str {
    match pooling {
        Pooling::Max => "max",
        Pooling::Average => "average",
        Pooling::Sum => "sum",
        Pooling::L2 => "L2",
        Pooling::Gaussian => "Gaussian",
        Pooling::Stride => "stride",
    }
}

/// What a function computes of each value.
pub(super) fn formula(function: Nonlinearity) -> &'static str {
    match function {
        Nonlinearity::Linear => "identity(x) = x",
        Nonlinearity::Sigmoid => "sigmoid(x) = 1/(1 + exp(-x))",
        Nonlinearity::Tanh => "tanh(x)",
        Nonlinearity::Relu => "relu(x) = max(0, x)",
        Nonlinearity::Relu6 => "relu6(x) = min(max(0, x), 6)",
        Nonlinearity::LeakyRelu => "leaky_relu(x) = max(x, x/100)",
        Nonlinearity::Prelu => "prelu(x) = max(x, x/4)",
        Nonlinearity::Elu => "elu(x) = x above 0, exp(x) - 1 below",
        Nonlinearity::Maxout => "maxout(x, y) = max(x, y)",
    }
}
