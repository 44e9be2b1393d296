//! The fully connected layer, the rectifier and the sum.

use crate::{
    definition::{product, transposed},
    draw::{Draw, assert_close, channels_last, device, gradient, read, tensor, wide},
};
use burn::tensor::{
    Tensor, TensorData, activation, module,
    ops::{ConvOptions, MaxPoolOptions},
};
use kiln_kernels::{add, batch_norm, conv2d, global_average, linear, max_pool2d, relu, relu6};

/// The output and the gradients of input, weight and bias.
pub fn connect(
    operation: fn(Tensor<2>, Tensor<2>, Option<Tensor<1>>) -> Tensor<2>,
    [x, weight]: [Tensor<2>; 2],
    bias: Option<Tensor<1>>,
    given: &[f32],
) -> [Vec<f32>; 4] {
    let (x, weight) = (x.require_grad(), weight.require_grad());
    let bias = bias.map(Tensor::require_grad);
    let output = operation(x.clone(), weight.clone(), bias.clone());
    let given = tensor(given, output.dims());
    let gradients = (output.clone() * given).sum().backward();
    let of_bias = bias.map_or_else(Vec::new, |bias| gradient(&bias, &gradients));
    [
        read(output),
        gradient(&x, &gradients),
        gradient(&weight, &gradients),
        of_bias,
    ]
}

#[test]
fn linear_layers_of_drawn_sizes_are_what_they_are_by_definition() {
    let mut draw = Draw(10);
    for number in 0..300 {
        // The last ones are larger than the threads' threshold.
        let most = if number < 290 { 200 } else { 700 };
        let [inputs, outputs] = [draw.size(1, most), draw.size(1, most)];
        let batch = draw.size(1, 130);
        let values = [batch * inputs, inputs * outputs].map(|count| draw.values(count));
        let x = draw.matrix(&values[0], [batch, inputs]);
        let weight = draw.matrix(&values[1], [inputs, outputs]);
        let bias = draw.values(outputs);
        let given = draw.values(batch * outputs);
        let has_bias = !draw.once_in(4);
        let row = || has_bias.then(|| tensor(&bias, [outputs]));
        let found = connect(linear, [x.clone(), weight.clone()], row(), &given);
        let burn = connect(module::linear, [x, weight], row(), &given);
        let mut output = product(&values[0], &values[1], inputs);
        let mut for_bias = vec![0.0; if has_bias { outputs } else { 0 }];
        for (output, given) in output.chunks_mut(outputs).zip(given.chunks(outputs)) {
            for (column, sum) in for_bias.iter_mut().enumerate() {
                output[column] += f64::from(bias[column]);
                *sum += f64::from(given[column]);
            }
        }
        let expected = [
            output,
            product(&given, &transposed(&values[1], outputs), outputs),
            product(&transposed(&values[0], inputs), &given, batch),
            for_bias,
        ];
        let names = [
            "output",
            "input gradient",
            "weight gradient",
            "bias gradient",
        ];
        for (name, ((found, expected), burn)) in
            names.iter().zip(found.iter().zip(&expected).zip(&burn))
        {
            let case = format!("{name} of {batch}, {inputs}, {outputs}");
            assert_close(&case, found, expected);
            assert_close(&format!("{case} against Burn"), found, &wide(burn));
        }
    }
}

/// Bits, because NaN is not equal to itself; every NaN alike.
pub fn bits(values: &[f32]) -> Vec<u32> {
    let bits = |value: &f32| {
        if value.is_nan() {
            u32::MAX
        } else {
            value.to_bits()
        }
    };
    values.iter().map(bits).collect()
}

#[test]
fn the_rectifier_and_its_gradient_are_burns_whatever_the_layout() {
    let mut draw = Draw(11);
    for _ in 0..100 {
        let shape = [0; 4].map(|_| draw.size(1, 12));
        let mut values = draw.values(shape.iter().product());
        for value in values.iter_mut() {
            if draw.once_in(5) {
                let special = [0.0, -0.0, f32::INFINITY, f32::MIN_POSITIVE, 5.5, 6.0, 7.0];
                *value = special[draw.size(0, special.len() - 1)];
            }
        }
        let given = draw.values(values.len());
        let x = draw.maps(&values, shape);
        let last = draw.once_in(2);
        let run = |operation: fn(Tensor<4>) -> Tensor<4>| {
            let x = x.clone().require_grad();
            let output = operation(x.clone());
            let given = tensor(&given, shape);
            let given = if last { channels_last(given) } else { given };
            let gradients = (output.clone() * given).sum().backward();
            [read(output), gradient(&x, &gradients)]
        };
        let zero = |value: &f32| if *value == 0.0 { 0.0 } else { *value };
        let equal = |found: &[f32], burn: &[f32]| {
            let [found, burn] =
                [found, burn].map(|values| values.iter().map(zero).collect::<Vec<_>>());
            assert_eq!(found, burn);
        };
        let (found, burn) = (run(relu), run(activation::relu));
        equal(&found[0], &burn[0]);
        equal(&found[1], &burn[1]);
        let (found, burn) = (run(relu6), run(activation::relu6));
        equal(&found[0], &burn[0]);
        // At 0 and 6 themselves Burn's gradient passes; PyTorch's and ours do not.
        let inside = |(x, given): (&f32, &f32)| match *x > 0.0 && *x < 6.0 {
            true => *given,
            false => 0.0,
        };
        let passed: Vec<f32> = values.iter().zip(&given).map(inside).collect();
        equal(&found[1], &passed);
    }
}

#[test]
fn the_rectifier_keeps_what_is_no_number_and_changes_no_shared_tensor() {
    let values = [
        f32::NAN,
        -1.0,
        -0.0,
        0.0,
        2.0,
        f32::NEG_INFINITY,
        f32::INFINITY,
    ];
    let x = Tensor::<1>::from_data(TensorData::from(values), &device());
    let shared = x.clone();
    let expected = [f32::NAN, 0.0, 0.0, 0.0, 2.0, 0.0, f32::INFINITY];
    assert_eq!(bits(&read(relu(x))), bits(&expected));
    let expected = [f32::NAN, 0.0, 0.0, 0.0, 2.0, 0.0, 6.0];
    assert_eq!(bits(&read(relu6(shared.clone()))), bits(&expected));
    assert_eq!(bits(&read(shared)), bits(&values));
}

#[test]
fn sums_and_their_gradients_are_the_same_whatever_the_layouts() {
    let mut draw = Draw(12);
    for _ in 0..100 {
        let shape = [0; 4].map(|_| draw.size(1, 12));
        let count = shape.iter().product();
        let values = [draw.values(count), draw.values(count)];
        let [one, other] = [0, 1].map(|n| draw.maps(&values[n], shape).require_grad());
        let given = draw.values(count);
        let sum = add(one.clone(), other.clone());
        let gradients = (sum.clone() * tensor(&given, shape)).sum().backward();
        let expected: Vec<_> = values[0]
            .iter()
            .zip(&values[1])
            .map(|(a, b)| a + b)
            .collect();
        assert_eq!(read(sum), expected);
        assert_eq!(gradient(&one, &gradients), given);
        assert_eq!(gradient(&other, &gradients), given);
        assert_eq!(read(one), values[0]);
        assert_eq!(read(other), values[1]);
    }
}

#[test]
fn a_tensor_added_to_itself_has_both_gradients() {
    let x = tensor(&[1.0, -2.0, 3.0], [3]).require_grad();
    let sum = add(x.clone(), x.clone());
    let gradients = sum.clone().sum().backward();
    assert_eq!(read(sum), [2.0, -4.0, 6.0]);
    assert_eq!(gradient(&x, &gradients), [2.0, 2.0, 2.0]);
}

#[test]
fn a_batch_without_images_gives_none() {
    let images = || tensor(&[], [0, 3, 5, 5]);
    let weight = tensor(&[0.5; 4 * 3 * 9], [4, 3, 3, 3]);
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    assert_eq!(conv2d(images(), weight, None, options).dims(), [0, 4, 5, 5]);
    let options = MaxPoolOptions::new([2, 2]);
    assert_eq!(max_pool2d(images(), options).dims(), [0, 3, 2, 2]);
    assert_eq!(global_average(images()).dims(), [0, 3, 1, 1]);
    assert_eq!(relu(images()).dims(), [0, 3, 5, 5]);
    assert_eq!(add(images(), images()).dims(), [0, 3, 5, 5]);
    let (weight, bias) = (tensor(&[0.5; 6], [3, 2]), tensor(&[0.5; 2], [2]));
    let output = linear(tensor(&[], [0, 3]), weight, Some(bias));
    assert_eq!(output.dims(), [0, 2]);
    let [scale, shift, mean, variance] = [1.0, 0.0, 0.0, 1.0].map(|x| tensor(&[x; 3], [3]));
    let output = batch_norm(images(), scale, shift, [mean, variance], 1e-5, true);
    assert_eq!(output.dims(), [0, 3, 5, 5]);
}
