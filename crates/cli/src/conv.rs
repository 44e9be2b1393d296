//! `kiln conv`: a worked example, step by step.

use crate::{
    arguments::{ConvArguments, ConvFormat},
    output,
};
use kiln_lab::{LabError, Matrix, WorkedConvolution, WorkedExample, WorkedStep};
use std::process::ExitCode;

/// Sums that are shown of each step.
const MOST_SUMS: usize = 36;

/// Shows the arithmetic of a convolution.
pub fn run(arguments: &ConvArguments) -> Result<ExitCode, LabError> {
    let example = example(arguments);
    let worked = example.work()?;
    match arguments.format {
        ConvFormat::Json => output::json(&worked)?,
        ConvFormat::Text => {
            output::text(&inputs(&example, &worked.steps));
            for step in &worked.steps {
                let is_flat = example.input.shape()[0] == 1 && step.shape[0] == 1;
                output::text(&shown(step, is_flat));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn example(arguments: &ConvArguments) -> WorkedExample {
    let convolution = arguments.kernel.clone().map(|kernel| {
        let plain = WorkedConvolution::new(kernel);
        WorkedConvolution {
            bias: arguments.bias.unwrap_or(plain.bias),
            stride: arguments.stride.unwrap_or(plain.stride),
            padding: arguments.padding.unwrap_or(plain.padding),
            dilation: arguments.dilation.unwrap_or(plain.dilation),
            flip: arguments.true_convolution,
            ..plain
        }
    });
    WorkedExample {
        input: arguments.input.clone(),
        convolution,
        activation: arguments.activation.map(Into::into),
        pool: arguments.pool,
    }
}

/// The input and, beside it, the kernel as typed and as it lies on the input.
fn inputs(example: &WorkedExample, steps: &[WorkedStep]) -> String {
    let mut blocks = vec![block("input", &example.input)];
    if let Some(convolution) = &example.convolution {
        blocks.push(block("kernel", &convolution.kernel));
        let applied = steps.first().and_then(|step| step.kernel.as_ref());
        if let (true, Some(applied)) = (convolution.flip, applied) {
            blocks.push(block("flipped", applied));
        }
    }
    beside(&blocks)
}

/// A matrix under its name and size.
fn block(name: &str, matrix: &Matrix) -> Vec<String> {
    let [rows, columns] = matrix.shape();
    let mut lines = vec![format!("{name} {rows}x{columns}")];
    lines.extend(matrix.lines().iter().map(|line| format!("  {line}")));
    lines
}

/// Blocks of lines beside each other.
fn beside(blocks: &[Vec<String>]) -> String {
    let height = blocks.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for at in 0..height {
        let mut line = String::new();
        for block in blocks {
            let width = block.iter().map(String::len).max().unwrap_or(0);
            let cell = block.get(at).map_or("", String::as_str);
            line += &format!("{cell:<width$}    ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A step: its arithmetic and its output; of one row the size is that of the
/// columns.
fn shown(step: &WorkedStep, is_flat: bool) -> String {
    let mut text = format!("\n{}\n", step.operation);
    if let Some([height, width]) = &step.size {
        text += "size (N - F + 2P)/S + 1\n";
        if !is_flat {
            text += &format!("  rows     {height}{}\n", unused(step.left_over[0], "row"));
        }
        text += &format!(
            "  columns  {width}{}\n",
            unused(step.left_over[1], "column")
        );
    }
    text.push('\n');
    for sum in step.sums.iter().take(MOST_SUMS) {
        text += &format!("{sum}\n");
    }
    if step.sums.len() > MOST_SUMS {
        let more = step.sums.len() - MOST_SUMS;
        text += &format!("... and {more} more; --format json has all\n");
    }
    let output = block("output", &step.output);
    text + "\n" + &beside(&[output])
}

/// What no window reaches.
fn unused(count: usize, what: &str) -> String {
    match count {
        0 => String::new(),
        1 => format!("; the last {what} is in no window"),
        count => format!("; the last {count} {what}s are in no window"),
    }
}
