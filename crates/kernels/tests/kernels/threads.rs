//! The same bits for every number of threads.

use crate::{
    convolution::{Case, special, square},
    draw::{Draw, gradient, read, tensor},
    layers::{bits, connect},
    normalisation,
};
use burn::tensor::{Tensor, ops::MaxPoolOptions};
use kiln_kernels::{add, conv2d, global_average, linear, max_pool2d, relu};

/// That `compute` gives the same with 1, 2, 3 and 7 threads.
#[track_caller]
fn assert_same(case: &str, compute: impl Fn() -> Vec<Vec<f32>> + Sync) {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let found = pool.build().unwrap().install(&compute);
        found.iter().map(|values| bits(values)).collect::<Vec<_>>()
    };
    let one = with(1);
    for threads in [2, 3, 7] {
        assert!(with(threads) == one, "{case} with {threads} threads");
    }
}

#[test]
fn convolutions_are_the_same_with_every_number_of_threads() {
    let mut draw = Draw(40);
    let more = [
        square([16, 16, 16], [32, 3, 1, 1], 1),
        square([9, 64, 96], [12, 3, 2, 1], 1),
        square([8, 256, 256], [4, 3, 1, 1], 1),
        square([11, 48, 48], [14, 3, 2, 1], 48),
    ];
    for sizes in special().into_iter().chain(more) {
        let case = Case::new(sizes, &mut draw);
        assert_same(&format!("{:?}", case.sizes), || case.run(conv2d).into());
    }
}

#[test]
fn linear_layers_are_the_same_with_every_number_of_threads() {
    let mut draw = Draw(41);
    for [batch, inputs, outputs] in [
        [7, 20, 30],
        [128, 400, 120],
        [64, 1000, 700],
        [1, 3000, 1000],
    ] {
        let mut matrix = |shape: [usize; 2]| tensor(&draw.values(shape[0] * shape[1]), shape);
        let matrices = [matrix([batch, inputs]), matrix([inputs, outputs])];
        let bias = tensor(&draw.values(outputs), [outputs]);
        let given = draw.values(batch * outputs);
        assert_same(&format!("{batch}, {inputs}, {outputs}"), || {
            connect(linear, matrices.clone(), Some(bias.clone()), &given).into()
        });
    }
}

#[test]
fn the_other_layers_are_the_same_with_every_number_of_threads() {
    let mut draw = Draw(42);
    for shape in [[5, 3, 7, 7], [32, 16, 32, 32], [3, 130, 30, 31]] {
        let values = draw.values(shape.iter().product());
        for known in [false, true] {
            let mut case = normalisation::Case::new(shape, &values, &mut draw);
            case.known = known
                .then(|| [0.1, 0.9].map(|x| Tensor::full([shape[1]], x, &crate::draw::device())));
            assert_same("batch norm", || case.run().into());
        }
        let (x, options) = (
            draw.maps(&values, shape),
            MaxPoolOptions::new([3, 3]).with_stride([2, 2]),
        );
        assert_same("other layers", || {
            let x = x.clone().require_grad();
            let pooled = max_pool2d(relu(add(x.clone(), x.clone())), options.clone());
            let output = global_average(pooled);
            let gradients = (output.clone() * output.clone()).sum().backward();
            vec![read(output), gradient(&x, &gradients)]
        });
    }
}
