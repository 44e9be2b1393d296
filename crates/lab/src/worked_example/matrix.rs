//! Small matrices as they are typed and shown.

use crate::LabError;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Serialize, Serializer, ser::SerializeSeq};
use std::str::FromStr;

/// Numbers of a matrix that one still wants to see.
const MOST: usize = 10_000;
/// Whole numbers up to here are exact in float32.
const WHOLE: f32 = 16_777_216.0;

/// A matrix of float32, typed as `1 2; 3 4`. As JSON it is a list of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// These values, row by row; they are a whole number of rows.
    pub(super) fn new(columns: usize, values: Vec<f32>) -> Self {
        Self { columns, values }
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        [self.values.len() / self.columns, self.columns]
    }

    /// The values, row by row.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns)
    }

    /// The value at a row and a column, if they lie inside; `None` is before
    /// the first.
    pub(super) fn get(&self, [row, column]: [Option<usize>; 2]) -> Option<f32> {
        let column = column.filter(|column| *column < self.columns)?;
        self.values.get(row? * self.columns + column).copied()
    }

    /// Rows and columns in reverse order.
    pub(super) fn flipped(&self) -> Self {
        Self::new(self.columns, self.values.iter().rev().copied().collect())
    }

    /// One image of one channel, `[1, 1, rows, columns]`.
    pub(super) fn tensor(&self, device: &Device) -> Tensor<4> {
        let [rows, columns] = self.shape();
        let data = TensorData::new(self.values.clone(), [1, 1, rows, columns]);
        Tensor::from_data(data, device)
    }

    /// The first channel of the first image.
    pub(super) fn of(tensor: Tensor<4>) -> Self {
        let [_, _, _, columns] = tensor.dims();
        Self::new(columns, tensor.into_data().iter::<f32>().collect())
    }

    /// Sums without the rounding errors of float32, of which `size` gives the
    /// sum of the terms without their signs: 0.1 + 0.2 - 0.3 is 0. Seven digits
    /// of that size are kept.
    pub(super) fn settled(self, size: impl Fn([usize; 2]) -> f64) -> Self {
        let columns = self.columns;
        let settle = |(at, value): (usize, &f32)| match is_whole(*value) {
            true => *value,
            false => {
                let size = size([at / columns, at % columns]);
                let unit = 10f64.powi(size.log10().floor() as i32 - 6);
                ((f64::from(*value) / unit).round() * unit) as f32
            }
        };
        let values = self.values.iter().enumerate().map(settle).collect();
        Self::new(columns, values)
    }

    /// One line for each row, the decimal points of a column below each other.
    pub fn lines(&self) -> Vec<String> {
        let cells = self.values.iter().map(|value| {
            let text = shown(*value);
            let point = text.find('.').unwrap_or(text.len());
            (text, point)
        });
        let cells: Vec<_> = cells.collect();
        let widest = |column: usize, width: fn(&(String, usize)) -> usize| {
            let column = cells.iter().skip(column).step_by(self.columns);
            column.map(width).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.columns)
            .map(|column| {
                let before = widest(column, |(_, point)| *point);
                let behind = widest(column, |(text, point)| text.len() - point);
                (before, behind)
            })
            .collect();
        let line = |row: &[(String, usize)]| {
            let cells = row.iter().zip(&widths);
            let cells = cells.map(|((text, point), (before, behind))| {
                let (whole, rest) = text.split_at(*point);
                format!("{whole:>before$}{rest:<behind$}")
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        cells.chunks_exact(self.columns).map(line).collect()
    }
}

impl FromStr for Matrix {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        if text.trim().is_empty() {
            return Err(LabError::usage(
                "the matrix is empty; write its rows as in '1 2; 3 4'",
            ));
        }
        let mut values = Vec::new();
        let mut columns = 0;
        for (at, row) in (1..).zip(text.split(';')) {
            let before = values.len();
            for word in row.split_whitespace() {
                let value = parse_number(word);
                values.push(value.map_err(|error| LabError::usage(format!("row {at}: {error}")))?);
            }
            let count = values.len() - before;
            if at == 1 {
                columns = count;
            }
            if count == 0 {
                return Err(LabError::usage(format!("row {at} is empty")));
            }
            if count != columns {
                return Err(LabError::usage(format!(
                    "the rows have not equally many numbers: {columns} in row 1, {count} in row {at}"
                )));
            }
        }
        match values.len() {
            ..=MOST => Ok(Self { columns, values }),
            count => Err(LabError::usage(format!(
                "the matrix has {count} numbers; a worked example has at most {MOST}"
            ))),
        }
    }
}

impl Serialize for Matrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.rows();
        serializer.collect_seq(rows.map(Numbers))
    }
}

/// A row: whole numbers as such, others with the seven digits that float32
/// carries, so that 1.35 is 1.35.
struct Numbers<'a>(&'a [f32]);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(Some(self.0.len()))?;
        for value in self.0 {
            match is_whole(*value) {
                true => row.serialize_element(&(*value as i64))?,
                false => row.serialize_element(&rounded(*value, 7))?,
            }
        }
        row.end()
    }
}

/// Reads a number that float32 can hold.
///
/// # Errors
/// When it is none; the sentence begins with the text.
pub fn parse_number(text: &str) -> Result<f32, LabError> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) if text.contains(|c: char| c.is_ascii_digit()) => Err(LabError::usage(format!(
            "'{text}' is beyond the range of float32, which ends at 3.4e38"
        ))),
        Ok(_) => Err(LabError::usage(format!("'{text}' is not a finite number"))),
        Err(_) => Err(LabError::usage(format!(
            "'{text}' is not a number; write numbers as in '1 -0.5; 3 4'"
        ))),
    }
}

/// A whole number as it is, any other with at most six significant digits.
pub(super) fn shown(value: f32) -> String {
    if is_whole(value) {
        return (value as i64).to_string();
    }
    let rounded = rounded(value, 6);
    match rounded.abs() {
        1e-4..1e7 => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

fn is_whole(value: f32) -> bool {
    value.fract() == 0.0 && value.abs() <= WHOLE
}

/// The nearest number with so many significant digits.
fn rounded(value: f32, digits: usize) -> f64 {
    let value = f64::from(value);
    // What Rust has printed it reads again.
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}
