//! Worked examples: convolution, activation and pooling of small matrices by
//! the layers that networks are made of, with the arithmetic of every value
//! spelled out beside what the layer gave.

mod choices;
mod matrix;
mod spelled;
#[cfg(test)]
mod tests;

pub use choices::{Extent, Padding, PoolChoice};
pub use matrix::{Matrix, parse_number};

use crate::LabError;
use burn::{
    module::{Param, ParamId},
    tensor::{Device, Tensor},
};
use kiln_models::{
    Window,
    layers::{Conv, Nonlinearity, Pool, Pooling},
};
use matrix::shown;
use serde::Serialize;
use spelled::{
    size_of_convolution, size_of_pooling, spelled_activation, spelled_convolution, spelled_pooling,
};

/// Terms of all sums that are spelled out.
const MOST_TERMS: usize = 1_000_000;

/// What is to be computed, in this order. An input and a kernel of one row
/// each are one-dimensional: padding and sizes are along the row alone.
#[derive(Clone, Debug)]
pub struct WorkedExample {
    /// The image, or signal.
    pub input: Matrix,
    /// The convolution.
    pub convolution: Option<WorkedConvolution>,
    /// The non-linear function of every value; not maxout, which takes two.
    pub activation: Option<Nonlinearity>,
    /// The pooling.
    pub pool: Option<PoolChoice>,
}

/// A convolution under one kernel.
#[derive(Clone, Debug)]
pub struct WorkedConvolution {
    /// The kernel.
    pub kernel: Matrix,
    /// Added to every value.
    pub bias: f32,
    /// Steps from one position to the next.
    pub stride: Extent,
    /// Zeros around the input.
    pub padding: Padding,
    /// Distance between the kernel's elements.
    pub dilation: Extent,
    /// Whether the kernel is flipped, as in mathematics; networks do not.
    pub flip: bool,
}

impl WorkedConvolution {
    /// Stride 1, no padding, no bias, not flipped.
    pub fn new(kernel: Matrix) -> Self {
        Self {
            kernel,
            bias: 0.0,
            stride: Extent::Every(1),
            padding: Padding::By(Extent::Every(0)),
            dilation: Extent::Every(1),
            flip: false,
        }
    }
}

/// One operation, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct WorkedStep {
    /// What was done: `convolution 3x3`.
    pub operation: String,
    /// The kernel as it lay on the input: flipped, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<Matrix>,
    /// The arithmetic of the output's height and width, where a window slides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[String; 2]>,
    /// Rows and columns at the end of the input that no window reaches.
    pub left_over: [usize; 2],
    /// Rows and columns of the output.
    pub shape: [usize; 2],
    /// What the layer gave, sums without float32's rounding errors.
    pub output: Matrix,
    /// The arithmetic of every value of the output, row by row.
    pub sums: Vec<String>,
}

/// The steps of an example and its last output.
#[derive(Clone, Debug, Serialize)]
pub struct Worked {
    /// The output of the last step.
    pub output: Matrix,
    /// Its rows and columns.
    pub shape: [usize; 2],
    /// One operation after the other.
    pub steps: Vec<WorkedStep>,
}

impl WorkedExample {
    /// Computes the example in float32 on the CPU.
    ///
    /// # Errors
    /// When there is nothing to do, a window does not fit, or a number leaves
    /// the range of float32.
    pub fn work(&self) -> Result<Worked, LabError> {
        let device = kiln_backend::host();
        let one_row = |matrix: &Matrix| matrix.shape()[0] == 1;
        let kernel = self.convolution.as_ref().map(|conv| &conv.kernel);
        let flat = one_row(&self.input) && kernel.is_none_or(one_row);
        let mut steps: Vec<WorkedStep> = Vec::new();
        let mut output = self.input.clone();
        if let Some(convolution) = &self.convolution {
            let step = convolution.step(&output, flat, &device)?;
            output = step.output.clone();
            steps.push(step);
        }
        if let Some(function) = self.activation {
            let step = activated(function, &output, &device)?;
            output = step.output.clone();
            steps.push(step);
        }
        if let Some(pool) = &self.pool {
            let step = pool.step(&output, flat, &device)?;
            output = step.output.clone();
            steps.push(step);
        }
        if steps.is_empty() {
            return Err(LabError::usage(
                "there is nothing to compute; give a kernel, an activation or a pooling",
            ));
        }
        Ok(Worked {
            shape: output.shape(),
            output,
            steps,
        })
    }
}

impl WorkedConvolution {
    fn window(&self, flat: bool) -> Result<Window, LabError> {
        let window = Window {
            stride: self.stride.positive(flat, "the stride")?,
            dilation: self.dilation.positive(flat, "the dilation")?,
            ..Window::new(self.kernel.shape())
        };
        let padding = match self.padding {
            Padding::By(padding) => padding.sides(flat, 0),
            Padding::Same => {
                let spans = [0, 1].map(|axis| window.span(axis));
                if spans.iter().any(|span| span.is_multiple_of(2)) {
                    return Err(LabError::usage(format!(
                        "padding 'same' puts equally many zeros on either side, so the kernel must span an odd number of rows and columns, not {}x{}",
                        spans[0], spans[1]
                    )));
                }
                spans.map(|span| (span - 1) / 2)
            }
        };
        Ok(Window { padding, ..window })
    }

    fn step(&self, input: &Matrix, flat: bool, device: &Device) -> Result<WorkedStep, LabError> {
        let window = self.window(flat)?;
        check("convolution", window, input)?;
        let kernel = match self.flip {
            true => self.kernel.flipped(),
            false => self.kernel.clone(),
        };
        let mut layer = Conv::new(1, 1, 1).window(window).init(device);
        layer.weight = param(kernel.tensor(device));
        layer.bias = Some(param(Tensor::from_floats([self.bias], device)));
        let output = Matrix::of(layer.forward(input.tensor(device)))
            .settled(|at| size_of_convolution(input, &kernel, self.bias, window, at));
        let name = match self.flip {
            true => "true convolution",
            false => "convolution",
        };
        let sums = spelled_convolution(input, &kernel, self.bias, window, &output);
        let mut operation = described(name, window);
        if self.bias != 0.0 {
            operation += &format!(", bias {}", shown(self.bias));
        }
        let step = step(operation, sums, output)?;
        Ok(WorkedStep {
            kernel: Some(kernel),
            ..step.under(window, input)
        })
    }
}

impl PoolChoice {
    fn step(&self, input: &Matrix, flat: bool, device: &Device) -> Result<WorkedStep, LabError> {
        let size = self.size.positive(flat, "the size of the pooling")?;
        let window = Window {
            stride: self.stride.positive(flat, "the stride of the pooling")?,
            ..Window::new(size)
        };
        let name = format!("{} pooling", spelled::name(self.pooling));
        check(&name, window, input)?;
        let layer = Pool::new(self.pooling, 1).window(window);
        let mut output = Matrix::of(layer.forward(input.tensor(device)));
        if matches!(self.pooling, Pooling::Average | Pooling::Sum) {
            output = output.settled(|at| size_of_pooling(self.pooling, input, window, at));
        }
        let sums = spelled_pooling(self.pooling, input, window, &output);
        Ok(step(described(&name, window), sums, output)?.under(window, input))
    }
}

fn activated(
    function: Nonlinearity,
    input: &Matrix,
    device: &Device,
) -> Result<WorkedStep, LabError> {
    let output = Matrix::of(function.layer(device).forward(input.tensor(device)));
    let sums = spelled_activation(function, input, &output);
    step(spelled::formula(function).to_owned(), sums, output)
}

fn step(operation: String, sums: Vec<String>, output: Matrix) -> Result<WorkedStep, LabError> {
    if output.rows().flatten().any(|value| !value.is_finite()) {
        return Err(LabError::usage(format!(
            "the numbers are too large: a value of {operation} is beyond the range of float32, which ends at 3.4e38"
        )));
    }
    Ok(WorkedStep {
        operation,
        kernel: None,
        size: None,
        left_over: [0, 0],
        shape: output.shape(),
        output,
        sums,
    })
}

impl WorkedStep {
    /// The step of a window that slid over `input`.
    fn under(self, window: Window, input: &Matrix) -> Self {
        let input = input.shape();
        let left_over = [0, 1].map(|axis| {
            let begin = (self.shape[axis] - 1) * window.stride[axis];
            let end = (begin + window.span(axis)).saturating_sub(window.padding[axis]);
            input[axis].saturating_sub(end)
        });
        Self {
            size: Some([0, 1].map(|axis| window.formula(input, axis))),
            left_over,
            ..self
        }
    }
}

/// Refuses a window that does not fit, and more sums than one can look at.
fn check(what: &str, window: Window, input: &Matrix) -> Result<(), LabError> {
    let input = input.shape();
    if let Some(misfit) = window.misfit(what, input) {
        return Err(LabError::usage(misfit));
    }
    let [rows, columns] = window.output(input).unwrap_or_default();
    let terms = window.kernel.iter().product::<usize>() * rows * columns;
    if terms > MOST_TERMS {
        return Err(LabError::usage(format!(
            "the {rows}x{columns} values of this {what} are sums of {terms} terms; at most {MOST_TERMS} are spelled out"
        )));
    }
    Ok(())
}

/// `convolution 3x3, stride 2, padding 1`
fn described(name: &str, window: Window) -> String {
    let mut text = format!("{name} {window}");
    if window.dilation != [1, 1] {
        text += &format!(" spread over {}x{}", window.span(0), window.span(1));
    }
    for (what, sides, usual) in [
        ("stride", window.stride, 1),
        ("padding", window.padding, 0),
        ("dilation", window.dilation, 1),
    ] {
        match sides {
            sides if sides == [usual; 2] => {}
            [rows, columns] if rows == columns => text += &format!(", {what} {rows}"),
            [rows, columns] => text += &format!(", {what} {rows}x{columns}"),
        }
    }
    text
}

/// A parameter with these values.
fn param<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::new(), tensor)
}
