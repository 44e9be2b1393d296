//! Convolution: the output and all gradients.

use crate::{
    definition::Sizes,
    draw::{Draw, assert_close, channels_last, gradient, read, tensor, wide},
};
use burn::tensor::{Tensor, module, ops::ConvOptions};
use kiln_kernels::conv2d;

type Operation = fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, ConvOptions<2>) -> Tensor<4>;

/// Values of a convolution, and whether the gradient of its output has
/// channels side by side.
pub struct Case {
    pub sizes: Sizes,
    pub x: Tensor<4>,
    pub weight: Tensor<4>,
    pub bias: Option<Tensor<1>>,
    pub gradient: Vec<f32>,
    pub last: bool,
}

impl Case {
    pub fn new(sizes: Sizes, draw: &mut Draw) -> Self {
        let [x, weight] = [sizes.x(), sizes.weight()].map(|shape| shape.iter().product());
        let output = sizes.output().unwrap().iter().product();
        let (x, weight) = (draw.values(x), draw.values(weight));
        let bias = draw.values(sizes.outputs);
        let bias = (!draw.once_in(3)).then(|| tensor(&bias, [sizes.outputs]));
        Self {
            x: draw.maps(&x, sizes.x()),
            weight: draw.maps(&weight, sizes.weight()),
            bias,
            gradient: draw.values(output),
            last: draw.once_in(2),
            sizes,
        }
    }

    /// The output and the gradients of input, weight and bias.
    pub fn run(&self, operation: Operation) -> [Vec<f32>; 4] {
        let x = self.x.clone().require_grad();
        let weight = self.weight.clone().require_grad();
        let bias = self.bias.clone().map(Tensor::require_grad);
        let options = self.sizes.options.clone();
        let output = operation(x.clone(), weight.clone(), bias.clone(), options);
        let given = tensor(&self.gradient, output.dims());
        let given = match self.last {
            true => channels_last(given),
            false => given,
        };
        let gradients = (output.clone() * given).sum().backward();
        let of_bias = bias.map_or_else(Vec::new, |bias| gradient(&bias, &gradients));
        [
            read(output),
            gradient(&x, &gradients),
            gradient(&weight, &gradients),
            of_bias,
        ]
    }

    /// The same by definition.
    pub fn expected(&self) -> [Vec<f64>; 4] {
        let (x, weight) = (read(self.x.clone()), read(self.weight.clone()));
        let [mut output, for_x, for_weight] = self.sizes.convolution(&x, &weight, &self.gradient);
        let area = output.len() / self.sizes.batch / self.sizes.outputs;
        let mut for_bias = Vec::new();
        if let Some(bias) = self.bias.clone() {
            let bias = wide(&read(bias));
            for_bias = vec![0.0; bias.len()];
            let maps = output.chunks_mut(area).zip(self.gradient.chunks(area));
            for (number, (map, given)) in maps.enumerate() {
                let channel = number % bias.len();
                map.iter_mut().for_each(|value| *value += bias[channel]);
                for_bias[channel] += wide(given).iter().sum::<f64>();
            }
        }
        [output, for_x, for_weight, for_bias]
    }

    pub fn check(&self) {
        let found = self.run(conv2d);
        let expected = self.expected();
        let burn = self.run(module::conv2d);
        let names = [
            "output",
            "input gradient",
            "weight gradient",
            "bias gradient",
        ];
        for (name, ((found, expected), burn)) in
            names.iter().zip(found.iter().zip(&expected).zip(&burn))
        {
            let case = format!("{name} of {:?}", self.sizes);
            assert_close(&case, found, expected);
            assert_close(&format!("{case} against Burn"), found, &wide(burn));
        }
    }
}

/// Sizes of a convolution with this many multiplications at most.
fn drawn(draw: &mut Draw, most: usize) -> Sizes {
    loop {
        let groups = match draw.size(0, 5) {
            0 => draw.size(2, 8),
            1 => draw.size(2, 70),
            _ => 1,
        };
        let depthwise = groups > 1 && draw.once_in(2);
        let mut pair = |least, most| [draw.size(least, most), draw.size(least, most)];
        let (kernel, image, stride) = (pair(1, 7), pair(1, 24), pair(1, 4));
        let (before, after, dilation) = (pair(0, 4), pair(0, 4), pair(1, 3));
        let of_a_group = match (groups, depthwise) {
            (_, true) => [1, 1],
            (1, _) => pair(1, 70),
            _ => pair(1, 9),
        };
        let (even, dilated) = (draw.once_in(2), draw.once_in(3));
        let options = ConvOptions {
            stride: if draw.once_in(2) { stride } else { [1, 1] },
            padding: [0, 1].map(|axis| {
                let after = if even { before } else { after };
                (before[axis], after[axis])
            }),
            dilation: if dilated { dilation } else { [1, 1] },
            groups,
        };
        let sizes = Sizes {
            batch: draw.size(1, 9),
            inputs: groups * of_a_group[0],
            outputs: groups * of_a_group[1],
            image,
            kernel,
            options,
        };
        if sizes.work().is_some_and(|work| work <= most) {
            return sizes;
        }
    }
}

#[test]
fn convolutions_of_drawn_sizes_are_what_they_are_by_definition() {
    let mut draw = Draw(1);
    for _ in 0..500 {
        let sizes = drawn(&mut draw, 1 << 20);
        Case::new(sizes, &mut draw).check();
    }
}

/// Sizes with a square image and kernel, and as much padding before as after.
pub fn square(
    [batch, inputs, outputs]: [usize; 3],
    [image, kernel, stride, padding]: [usize; 4],
    groups: usize,
) -> Sizes {
    Sizes {
        batch,
        inputs,
        outputs,
        image: [image; 2],
        kernel: [kernel; 2],
        options: ConvOptions {
            stride: [stride; 2],
            padding: [(padding, padding); 2],
            dilation: [1, 1],
            groups,
        },
    }
}

/// Sizes that take each way through the kernels: images cut into rows, many
/// tiny images, weights with several parts, phases without a tap.
pub fn special() -> Vec<Sizes> {
    vec![
        square([1, 3, 8], [150, 3, 1, 1], 1),
        square([1, 5, 3], [131, 3, 2, 1], 1),
        square([2, 3, 16], [150, 7, 4, 3], 1),
        square([1, 32, 32], [64, 3, 1, 1], 32),
        square([1, 20, 20], [67, 5, 2, 2], 20),
        square([2, 24, 12], [67, 3, 2, 1], 4),
        square([130, 4, 6], [1, 1, 1, 0], 1),
        square([130, 4, 6], [2, 3, 1, 1], 1),
        square([70, 19, 19], [2, 3, 1, 1], 19),
        square([6, 90, 140], [5, 3, 1, 1], 1),
        square([3, 150, 70], [4, 3, 2, 1], 1),
        square([2, 96, 192], [4, 3, 1, 1], 2),
        square([4, 16, 16], [8, 1, 4, 0], 1),
        square([4, 16, 16], [9, 1, 3, 0], 16),
        square([5, 130, 130], [7, 3, 1, 1], 130),
    ]
}

#[test]
fn convolutions_that_take_rare_ways_are_what_they_are_by_definition() {
    let mut draw = Draw(2);
    for sizes in special() {
        Case::new(sizes, &mut draw).check();
    }
}

#[test]
fn gradients_are_computed_only_where_they_are_needed() {
    let mut draw = Draw(3);
    for groups in [1, 2, 6] {
        let case = Case::new(square([2, 6, 6], [5, 3, 1, 1], groups), &mut draw);
        for needed in 0..3 {
            let [x, weight] = [(0, &case.x), (1, &case.weight)].map(|(number, tensor)| {
                let tensor = tensor.clone();
                if number == needed {
                    tensor.require_grad()
                } else {
                    tensor
                }
            });
            let bias = tensor::<1>(&draw.values(6), [6]);
            let bias = if needed == 2 {
                bias.require_grad()
            } else {
                bias
            };
            let options = case.sizes.options.clone();
            let output = conv2d(x.clone(), weight.clone(), Some(bias.clone()), options);
            let gradients = output.sum().backward();
            let found = [
                x.grad(&gradients).is_some(),
                weight.grad(&gradients).is_some(),
                bias.grad(&gradients).is_some(),
            ];
            assert_eq!(found, [0, 1, 2].map(|number| number == needed));
        }
    }
}

#[test]
fn what_is_no_number_stays_in_its_image_and_its_group() {
    let sizes = square([2, 6, 6], [5, 3, 1, 1], 3);
    let mut x = Draw(4).values(2 * 6 * 25);
    x[6 * 25] = f32::NAN;
    let weight = tensor(&Draw(5).values(6 * 2 * 9), sizes.weight());
    let output = read(conv2d(tensor(&x, sizes.x()), weight, None, sizes.options));
    for (number, map) in output.chunks(25).enumerate() {
        assert_eq!(
            map.iter().any(|value| value.is_nan()),
            [6, 7].contains(&number)
        );
    }
}
