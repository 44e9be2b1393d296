//! Pooling.

use crate::{
    draw::{Draw, assert_close, gradient, read, tensor, wide},
    layers::bits,
};
use burn::tensor::{Tensor, module, ops::MaxPoolOptions};
use kiln_kernels::{global_average, max_pool2d};

/// Values of which many are equal.
fn coarse(draw: &mut Draw, count: usize) -> Vec<f32> {
    let values = draw.values(count);
    values.into_iter().map(|x| (x * 3.0).round()).collect()
}

/// The largest of each window and the gradient, which goes to the first of
/// the largest.
fn largest(
    [x, given]: [&[f32]; 2],
    [maps, height, width]: [usize; 3],
    [rows, columns]: [usize; 2],
    options: &MaxPoolOptions<2>,
) -> [Vec<f64>; 2] {
    let mut output = Vec::new();
    let mut back = vec![0.0; x.len()];
    assert_eq!(given.len(), maps * rows * columns);
    for (pixel, &given) in given.iter().enumerate() {
        let (map, row, column) = (
            pixel / (rows * columns),
            pixel / columns % rows,
            pixel % columns,
        );
        let mut best: Option<usize> = None;
        for tap in 0..options.kernel_size[0] * options.kernel_size[1] {
            let taps = [tap / options.kernel_size[1], tap % options.kernel_size[1]];
            let place = |axis: usize, at: usize, size: usize| {
                let padded = at * options.stride[axis] + taps[axis] * options.dilation[axis];
                let place = padded.checked_sub(options.padding[axis].0)?;
                (place < size).then_some(place)
            };
            let (Some(y), Some(z)) = (place(0, row, height), place(1, column, width)) else {
                continue;
            };
            let here = (map * height + y) * width + z;
            if best.is_none_or(|best| x[here] > x[best]) {
                best = Some(here);
            }
        }
        let best = best.unwrap();
        output.push(f64::from(x[best]));
        back[best] += f64::from(given);
    }
    [output, back]
}

fn pool(x: &Tensor<4>, given: &[f32], options: &MaxPoolOptions<2>) -> [Vec<f32>; 2] {
    let x = x.clone().require_grad();
    let output = max_pool2d(x.clone(), options.clone());
    let given = tensor(given, output.dims());
    let gradients = (output.clone() * given).sum().backward();
    [read(output), gradient(&x, &gradients)]
}

#[test]
fn the_largest_of_drawn_windows_and_their_gradients_are_those_of_the_definition() {
    let mut draw = Draw(20);
    for _ in 0..300 {
        let [kernel, stride] = [0; 2].map(|_| [draw.size(1, 4), draw.size(1, 4)]);
        let padding = kernel.map(|size| (draw.size(0, size / 2), draw.size(0, size / 2)));
        let shape = [
            draw.size(1, 9),
            draw.size(1, 40),
            draw.size(4, 14),
            draw.size(4, 14),
        ];
        let options = MaxPoolOptions::new(kernel)
            .with_stride(stride)
            .with_padding_pairs(padding);
        let sizes = [0, 1].map(|axis| {
            let (before, after) = padding[axis];
            (shape[axis + 2] + before + after - kernel[axis]) / stride[axis] + 1
        });
        let values = match draw.once_in(2) {
            true => draw.values(shape.iter().product()),
            false => coarse(&mut draw, shape.iter().product()),
        };
        let given = draw.values(shape[0] * shape[1] * sizes[0] * sizes[1]);
        let maps = [shape[0] * shape[1], shape[2], shape[3]];
        let expected = largest([&values, &given], maps, sizes, &options);
        let found = pool(&draw.maps(&values, shape), &given, &options);
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(&format!("{shape:?} {options:?}"), found, expected);
        }
    }
}

#[test]
fn windows_that_are_dilated_or_go_beyond_the_edge_are_burns() {
    let values = Draw(21).values(2 * 3 * 7 * 7);
    let x = tensor(&values, [2, 3, 7, 7]);
    for options in [
        MaxPoolOptions::new([3, 3]).with_dilation([2, 2]),
        MaxPoolOptions::new([2, 2]).with_ceil_mode(true),
        MaxPoolOptions::new([2, 1]).with_padding([2, 1]),
        MaxPoolOptions::new([3, 2])
            .with_stride([2, 3])
            .with_padding([1, 1]),
    ] {
        let found = read(max_pool2d(x.clone(), options.clone()));
        assert_eq!(found, read(module::max_pool2d(x.clone(), options)));
    }
}

#[test]
fn what_is_no_number_is_the_largest() {
    let mut values = Draw(22).values(3 * 16);
    values[16 + 5] = f32::NAN;
    let x = tensor(&values, [1, 3, 4, 4]);
    let options = MaxPoolOptions::new([2, 2]);
    let [output, back] = pool(&x, &[1.0; 12], &options);
    let burn = read(module::max_pool2d(x, options));
    assert_eq!(bits(&output), bits(&burn));
    assert!(output[4].is_nan());
    assert_eq!(back[16 + 5], 1.0);
    assert_eq!(back.iter().sum::<f32>(), 12.0);
}

#[test]
fn means_of_maps_and_their_gradients_are_those_of_the_definition() {
    let mut draw = Draw(23);
    for _ in 0..200 {
        let shape = [
            draw.size(1, 9),
            draw.size(1, 70),
            draw.size(1, 12),
            draw.size(1, 12),
        ];
        let values = draw.values(shape.iter().product());
        let area = shape[2] * shape[3];
        let given = draw.values(shape[0] * shape[1]);
        let x = draw.maps(&values, shape).require_grad();
        let output = global_average(x.clone());
        let dims = output.dims();
        assert_eq!(dims, [shape[0], shape[1], 1, 1]);
        let gradients = (output.clone() * tensor(&given, dims)).sum().backward();
        let mean = |map: &[f32]| wide(map).iter().sum::<f64>() / area as f64;
        let expected: Vec<_> = values.chunks(area).map(mean).collect();
        assert_close(&format!("{shape:?}"), &read(output), &expected);
        let share = |given: &f32| vec![f64::from(*given) / area as f64; area];
        let expected: Vec<_> = given.iter().flat_map(share).collect();
        assert_close("gradient", &gradient(&x, &gradients), &expected);
    }
}
