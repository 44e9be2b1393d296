//! Pooling: one value for each window of a map, or for each part of it.

use super::spelled::is_spelled_out;
use crate::{
    Options,
    trace::{self, Reach, Report},
    window::Window,
};
use burn::{
    module::Module,
    tensor::{
        Tensor, TensorData,
        module::{adaptive_avg_pool2d, avg_pool2d, conv2d},
        ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions, PadMode},
    },
};
use serde::{Deserialize, Serialize};

/// How the values of a window become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The largest.
    Max,
    /// The mean.
    Average,
    /// The sum.
    Sum,
    /// The square root of the sum of squares.
    L2,
    /// The mean weighted by a Gaussian around the middle of the window, with
    /// a standard deviation of half the kernel's side.
    Gaussian,
    /// The first value, and nothing of the others: what a convolution with
    /// the pooling's stride would give (J. Springenberg et al. 2015).
    Stride,
}

/// Under the square root of the L2 norm, where its gradient would be infinite.
const SMALL: f64 = 1e-12;

impl Pooling {
    fn kind(self) -> &'static str {
        match self {
            Self::Max => "max pool",
            Self::Average => "average pool",
            Self::Sum => "sum pool",
            Self::L2 => "L2 pool",
            Self::Gaussian => "Gaussian pool",
            Self::Stride => "stride",
        }
    }
}

/// Pooling under a sliding window.
#[derive(Module, Debug)]
pub struct Pool {
    #[module(skip)]
    pooling: Pooling,
    #[module(skip)]
    window: Window,
}

impl Pool {
    /// A square window that moves by its own size.
    pub fn new(pooling: Pooling, kernel: usize) -> Self {
        let window = Window::square(kernel);
        let stride = window.kernel;
        Self { pooling, window }.window(Window { stride, ..window })
    }

    /// [`Options::pooling`] (the largest) of windows of [`Options::pool_size`]
    /// that halve the map; one that hangs over the edge counts where they
    /// overlap.
    pub fn halving(options: &Options) -> Self {
        let pooling = options.pooling.unwrap_or(Pooling::Max);
        match options.pool_size {
            None | Some(2) => Self::new(pooling, 2),
            Some(side) => Self::new(pooling, side).stride(2).ceil(),
        }
    }

    /// The largest of each square.
    pub fn max(kernel: usize) -> Self {
        Self::new(Pooling::Max, kernel)
    }

    /// The mean of each square.
    pub fn average(kernel: usize) -> Self {
        Self::new(Pooling::Average, kernel)
    }

    /// Another window.
    pub fn window(self, window: Window) -> Self {
        let kernel = match self.pooling {
            Pooling::Stride => [1, 1],
            _ => window.kernel,
        };
        let window = Window { kernel, ..window };
        Self { window, ..self }
    }

    /// Steps between the window's positions.
    pub fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride; 2];
        self
    }

    /// Pixels added on each side; no maximum, and zero in a mean.
    pub fn padding(mut self, padding: usize) -> Self {
        self.window.padding = [padding; 2];
        self
    }

    /// Counts a last window that hangs over the edge (`ceil_mode`).
    pub fn ceil(mut self) -> Self {
        self.window.ceil = true;
        self
    }

    /// # Shapes
    /// `[batch, channels, height, width]` to
    /// `[batch, channels, height out, width out]`.
    pub fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        let report = |[batch, channels, height, width]: [usize; 4]| {
            let [height, width] = self.window.output([height, width]).unwrap_or([1, 1]);
            let output = [batch, channels, height, width];
            Report::windowed(self.pooling.kind(), self.window, output)
        };
        trace::layer(maps, report, |maps| match self.pooling {
            // The largest of one value is that value.
            Pooling::Max | Pooling::Stride => kiln_kernels::max_pool2d(maps, self.max_options()),
            Pooling::Average => avg_pool2d(maps, self.mean_options()),
            Pooling::Sum => self.sum(maps),
            Pooling::L2 => (self.sum(maps.square()) + SMALL).sqrt(),
            Pooling::Gaussian => self.gaussian(maps),
        })
    }

    fn sum(&self, maps: Tensor<4>) -> Tensor<4> {
        let [height, width] = self.window.kernel;
        avg_pool2d(self.completed(maps), self.mean_options()) * (height * width) as f64
    }

    /// Maps with zeros where a last window hangs over their edge.
    fn completed(&self, maps: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = maps.dims();
        let input = [height, width];
        let positions = self.window.output(input).unwrap_or([1, 1]);
        let [below, right] = [0, 1].map(|axis| {
            let end = (positions[axis] - 1) * self.window.stride[axis] + self.window.kernel[axis];
            end.saturating_sub(input[axis] + 2 * self.window.padding[axis])
        });
        match [below, right] {
            [0, 0] => maps,
            _ => maps.pad([(0, below), (0, right)], PadMode::Constant(0.0)),
        }
    }

    fn gaussian(&self, maps: Tensor<4>) -> Tensor<4> {
        let maps = self.completed(maps);
        let [batch, channels, height, width] = maps.dims();
        let [rows, columns] = self.window.kernel;
        let weights = TensorData::new(gaussian([rows, columns]), [1, 1, rows, columns]);
        let weights = Tensor::<4>::from_data(weights, &maps.device());
        let options = ConvOptions::new(self.window.stride, self.window.padding, [1, 1], 1);
        // Every channel is an image of its own under the one kernel.
        let maps = maps.reshape([batch * channels, 1, height, width]);
        let pooled = conv2d(maps, weights, None, options);
        let [_, _, height, width] = pooled.dims();
        pooled.reshape([batch, channels, height, width])
    }

    fn max_options(&self) -> MaxPoolOptions<2> {
        MaxPoolOptions::new(self.window.kernel)
            .with_stride(self.window.stride)
            .with_padding(self.window.padding)
            .with_dilation(self.window.dilation)
            .with_ceil_mode(self.window.ceil)
    }

    fn mean_options(&self) -> AvgPoolOptions<2> {
        AvgPoolOptions::new(self.window.kernel)
            .with_stride(self.window.stride)
            .with_padding(self.window.padding)
            .with_ceil_mode(self.window.ceil)
    }
}

/// Weights of a window that sum to one, row by row.
fn gaussian([rows, columns]: [usize; 2]) -> Vec<f32> {
    let bell = |at: usize, side: usize| {
        let distance = at as f64 - (side as f64 - 1.0) / 2.0;
        (-0.5 * (distance / (side as f64 / 2.0)).powi(2)).exp()
    };
    let weights: Vec<f64> = (0..rows * columns)
        .map(|at| bell(at / columns, rows) * bell(at % columns, columns))
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

/// Pooling to an output of a fixed size, whatever the size of the map.
#[derive(Module, Debug)]
pub struct AdaptivePool {
    largest: bool,
    output: [usize; 2],
}

impl AdaptivePool {
    /// The means of `height` x `width` parts.
    pub fn average(output: [usize; 2]) -> Self {
        Self {
            largest: false,
            output,
        }
    }

    /// The largest of `height` x `width` parts.
    pub fn max(output: [usize; 2]) -> Self {
        Self {
            largest: true,
            output,
        }
    }

    /// # Shapes
    /// `[batch, channels, height, width]` to
    /// `[batch, channels, height out, width out]`.
    pub fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        let kind = match self.largest {
            true => "adaptive max pool",
            false => "adaptive average pool",
        };
        let report = |[batch, channels, height, width]: [usize; 4]| {
            let [rows, columns] = self.output;
            let largest = |parts, side| {
                let lengths = (0..parts).map(|at| part(at, parts, side));
                lengths.map(|[begin, end]| end - begin).max().unwrap_or(1) as f64
            };
            Report {
                reach: Reach {
                    span: [largest(rows, height), largest(columns, width)],
                    stride: [height as f64 / rows as f64, width as f64 / columns as f64],
                },
                ..Report::pointwise(kind, [batch, channels, rows, columns])
            }
        };
        if let (true, Some(pool)) = (is_spelled_out(), self.even(&maps)) {
            return pool.forward(maps);
        }
        trace::layer(maps, report, |maps| match self.largest {
            true => self.largest_of_parts(maps),
            false if self.output == [1, 1] => kiln_kernels::global_average(maps),
            false => adaptive_avg_pool2d(maps, self.output),
        })
    }

    /// The same by a window, where all parts are of one size.
    fn even(&self, maps: &Tensor<4>) -> Option<Pool> {
        let [_, _, height, width] = maps.dims();
        let [rows, columns] = self.output;
        let pooling = match self.largest {
            true => Pooling::Max,
            false => Pooling::Average,
        };
        let kernel = [height / rows, width / columns];
        let window = Window {
            stride: kernel,
            ..Window::new(kernel)
        };
        let divides = height % rows == 0 && width % columns == 0;
        divides.then(|| Pool::new(pooling, 1).window(window))
    }

    fn largest_of_parts(&self, maps: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = maps.dims();
        let [rows, columns] = self.output;
        let row = |row: usize| {
            let [top, bottom] = part(row, rows, height);
            let cells = (0..columns).map(|column| {
                let [left, right] = part(column, columns, width);
                maps.clone()
                    .slice([0..batch, 0..channels, top..bottom, left..right])
                    .max_dim(3)
                    .max_dim(2)
            });
            Tensor::cat(cells.collect(), 3)
        };
        Tensor::cat((0..rows).map(row).collect(), 2)
    }
}

/// Where part `at` of `parts` of a side begins and ends; neighbours overlap
/// where the side cannot be divided.
fn part(at: usize, parts: usize, side: usize) -> [usize; 2] {
    [at * side / parts, ((at + 1) * side).div_ceil(parts)]
}

/// The mean of each whole map: `[batch, channels, height, width]` to
/// `[batch, channels]`.
pub fn global_average(maps: Tensor<4>) -> Tensor<2> {
    flatten(AdaptivePool::average([1, 1]).forward(maps))
}

/// Maps as vectors: `[batch, channels, height, width]` to
/// `[batch, channels * height * width]`.
pub fn flatten(maps: Tensor<4>) -> Tensor<2> {
    let report = |[batch, channels, height, width]: [usize; 4]| Report {
        reach: Reach::whole([height, width]),
        ..Report::pointwise("flatten", [batch, channels * height * width])
    };
    trace::layer(maps, report, |maps| maps.flatten(1, 3))
}
