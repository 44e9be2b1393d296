//! What the operations are by definition, in f64.

use burn::tensor::ops::ConvOptions;

/// The sizes of a convolution.
#[derive(Clone, Debug)]
pub struct Sizes {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub image: [usize; 2],
    pub kernel: [usize; 2],
    pub options: ConvOptions<2>,
}

impl Sizes {
    pub fn x(&self) -> [usize; 4] {
        [self.batch, self.inputs, self.image[0], self.image[1]]
    }

    pub fn weight(&self) -> [usize; 4] {
        let inputs = self.inputs / self.options.groups;
        [self.outputs, inputs, self.kernel[0], self.kernel[1]]
    }

    /// Rows and columns of the output; none where the kernel is larger than
    /// the padded image.
    pub fn output(&self) -> Option<[usize; 4]> {
        let options = &self.options;
        let mut size = [0; 2];
        for (axis, size) in size.iter_mut().enumerate() {
            let (before, after) = options.padding[axis];
            let span = options.dilation[axis] * (self.kernel[axis] - 1) + 1;
            let room = (self.image[axis] + before + after).checked_sub(span)?;
            *size = room / options.stride[axis] + 1;
        }
        Some([self.batch, self.outputs, size[0], size[1]])
    }

    /// Multiplications of a forward pass.
    pub fn work(&self) -> Option<usize> {
        let output: usize = self.output()?.iter().product();
        Some(output * self.weight()[1..].iter().product::<usize>())
    }

    /// Calls `visit` with the places of every product: output, input, weight.
    fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let ([_, channels, rows, columns], [_, inner, ..]) =
            (self.output().unwrap(), self.weight());
        let options = &self.options;
        let from = |axis: usize, at: usize, tap: usize| {
            let padded = at * options.stride[axis] + tap * options.dilation[axis];
            let place = padded.checked_sub(options.padding[axis].0)?;
            (place < self.image[axis]).then_some(place)
        };
        let of_a_group = self.outputs / options.groups;
        for pixel in 0..self.batch * channels * rows * columns {
            let (image, channel) = (
                pixel / (channels * rows * columns),
                pixel / (rows * columns),
            );
            let (channel, row, column) =
                (channel % channels, pixel / columns % rows, pixel % columns);
            let first = channel / of_a_group * inner;
            for tap in 0..self.kernel[0] * self.kernel[1] {
                let Some(y) = from(0, row, tap / self.kernel[1]) else {
                    continue;
                };
                let Some(x) = from(1, column, tap % self.kernel[1]) else {
                    continue;
                };
                for c in 0..inner {
                    let input = (image * self.inputs + first + c) * self.image[0] + y;
                    let weight = (channel * inner + c) * self.kernel[0] * self.kernel[1] + tap;
                    visit(pixel, input * self.image[1] + x, weight);
                }
            }
        }
    }

    /// The output without a bias, and the gradients of input and weight.
    pub fn convolution(&self, x: &[f32], weight: &[f32], gradient: &[f32]) -> [Vec<f64>; 3] {
        let mut output = vec![0.0; gradient.len()];
        let (mut for_x, mut for_weight) = (vec![0.0; x.len()], vec![0.0; weight.len()]);
        self.each(|to, from, by| {
            let [value, factor, given] = [x[from], weight[by], gradient[to]].map(f64::from);
            output[to] += value * factor;
            for_x[from] += given * factor;
            for_weight[by] += given * value;
        });
        [output, for_x, for_weight]
    }
}

/// `left` `[m, depth]` times `right` `[depth, columns]`.
pub fn product(left: &[f32], right: &[f32], depth: usize) -> Vec<f64> {
    let columns = right.len() / depth;
    let mut output = vec![0.0; left.len() / depth * columns];
    for (row, output) in left.chunks(depth).zip(output.chunks_mut(columns)) {
        for (value, right) in row.iter().zip(right.chunks(columns)) {
            for (sum, factor) in output.iter_mut().zip(right) {
                *sum += f64::from(*value) * f64::from(*factor);
            }
        }
    }
    output
}

/// The transpose of rows of `columns` values.
pub fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    let column = |column: usize| values.iter().skip(column).step_by(columns);
    (0..columns).flat_map(column).copied().collect()
}
