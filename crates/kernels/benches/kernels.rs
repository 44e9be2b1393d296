//! Times of the kernels on the shapes of known networks: `just bench-kernels
//! FILTER`. A harness of its own, as tests would build a larger one as well.
#![allow(clippy::print_stdout)]

use burn::tensor::{
    Device, Distribution, Tensor,
    ops::{ConvOptions, MaxPoolOptions},
};
use kiln_kernels::{batch_norm_train, conv2d, linear, max_pool2d};
use std::{env, hint::black_box, time::Instant};

const RUNS: usize = 15;

/// The best and the middle time of `compute` in milliseconds.
fn time<R>(name: &str, filter: &str, work: f64, mut compute: impl FnMut() -> R) {
    if !name.contains(filter) {
        return;
    }
    black_box(compute());
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            black_box(compute());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (best, middle) = (times[0], times[RUNS / 2]);
    let speed = work / best / 1e6;
    println!("{name:<44} {best:>9.3} {middle:>9.3} {speed:>8.1}");
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

/// A tensor with channels side by side, as the kernels leave it.
fn maps([batch, channels, height, width]: [usize; 4], device: &Device) -> Tensor<4> {
    random([batch, height, width, channels], device).permute([0, 3, 1, 2])
}

/// Name; images, channels in and out; image, kernel, stride, padding; groups.
type Convolution = (&'static str, [usize; 3], [usize; 4], usize);

const CONVOLUTIONS: &[Convolution] = &[
    ("lenet 1", [128, 1, 6], [28, 5, 1, 2], 1),
    ("lenet 2", [128, 6, 16], [14, 5, 1, 0], 1),
    ("resnet20 stem", [128, 3, 16], [32, 3, 1, 1], 1),
    ("resnet20 1", [128, 16, 16], [32, 3, 1, 1], 1),
    ("resnet20 2 down", [128, 16, 32], [32, 3, 2, 1], 1),
    ("resnet20 2", [128, 32, 32], [16, 3, 1, 1], 1),
    ("resnet20 3", [128, 64, 64], [8, 3, 1, 1], 1),
    ("resnet18 stem", [16, 3, 64], [224, 7, 2, 3], 1),
    ("resnet18 1", [16, 64, 64], [56, 3, 1, 1], 1),
    ("resnet18 2", [16, 128, 128], [28, 3, 1, 1], 1),
    ("resnet18 3", [16, 256, 256], [14, 3, 1, 1], 1),
    ("resnet18 4", [16, 512, 512], [7, 3, 1, 1], 1),
    ("alexnet 1", [16, 3, 64], [224, 11, 4, 2], 1),
    ("alexnet 2", [16, 64, 192], [27, 5, 1, 2], 1),
    ("alexnet 3", [16, 192, 384], [13, 3, 1, 1], 1),
    ("resnext29 1", [32, 128, 128], [32, 3, 1, 1], 32),
    ("mobilenet_v2 2", [32, 144, 144], [32, 3, 1, 1], 144),
    ("mobilenet_v2 4", [32, 384, 384], [8, 3, 1, 1], 384),
];

fn convolutions(filter: &str) {
    let (plain, device) = (Device::flex(), Device::flex().autodiff());
    for &(name, [batch, inputs, outputs], [size, kernel, stride, padding], groups) in CONVOLUTIONS {
        let options = ConvOptions::new([stride; 2], [padding; 2], [1, 1], groups);
        let shape = [batch, inputs, size, size];
        let weight = [outputs, inputs / groups, kernel, kernel];
        let (x, w) = (maps(shape, &plain), random(weight, &plain));
        let output = conv2d(x.clone(), w.clone(), None, options.clone()).dims();
        let work = 2.0 * (output.iter().chain(&weight[1..]).product::<usize>()) as f64;
        time(&format!("conv {name} forward"), filter, work, || {
            conv2d(x.clone(), w.clone(), None, options.clone())
        });
        let given = maps(output, &device);
        for (kind, of_input) in [("input", true), ("weight", false)] {
            let x = maps(shape, &device).set_require_grad(of_input);
            let w = random(weight, &device).set_require_grad(!of_input);
            // A step with both passes; the forward pass stands above.
            time(
                &format!("conv {name} {kind} gradient + forward"),
                filter,
                2.0 * work,
                || {
                    let output = conv2d(x.clone(), w.clone(), None, options.clone());
                    (output * given.clone()).sum().backward()
                },
            );
        }
    }
}

fn others(filter: &str) {
    let device = Device::flex().autodiff();
    for [batch, inputs, outputs] in [[128, 400, 120], [128, 784, 500], [16, 9216, 4096]] {
        let [x, weight] =
            [[batch, inputs], [inputs, outputs]].map(|shape| random(shape, &device).require_grad());
        let bias = random([outputs], &device);
        let work = (6 * batch * inputs * outputs) as f64;
        let name = format!("linear {batch} x {inputs} x {outputs} both passes");
        time(&name, filter, work, || {
            let output = linear(x.clone(), weight.clone(), Some(bias.clone()));
            output.sum().backward()
        });
    }
    for shape in [[128, 16, 32, 32], [128, 64, 8, 8], [16, 64, 112, 112]] {
        let x = maps(shape, &device).require_grad();
        let values = shape.iter().product::<usize>() as f64;
        let [scale, shift] = [random([shape[1]], &device), random([shape[1]], &device)];
        time(
            &format!("batch norm {shape:?} both passes"),
            filter,
            values,
            || {
                let (x, scale, shift) = (x.clone(), scale.clone(), shift.clone());
                let output = batch_norm_train(x, scale, shift, 1e-5, true);
                output.output.sum().backward()
            },
        );
        let options = MaxPoolOptions::new([3, 3])
            .with_stride([2, 2])
            .with_padding([1, 1]);
        time(
            &format!("max pool {shape:?} both passes"),
            filter,
            values,
            || max_pool2d(x.clone(), options.clone()).sum().backward(),
        );
    }
}

fn main() {
    let filter = env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let filter = filter.unwrap_or_default();
    println!("{:<44} {:>9} {:>9} {:>8}", "", "best ms", "middle", "G/s");
    convolutions(&filter);
    others(&filter);
}
