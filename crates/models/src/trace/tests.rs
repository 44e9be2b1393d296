//! Receptive fields and jumps against the published ones.

use super::*;
use crate::{
    Network, Options, Task, build,
    layers::{AdaptivePool, Conv, Pool, flatten},
    rows::MODELS,
};
use burn::module::{Module, ModuleVisitor, Param};

fn built(name: &str, input: ImageSpec) -> Network {
    let task = Task { input, classes: 10 };
    build(name, &task, &Options::default(), &Device::flex()).expect("builds")
}

/// Kind, receptive field and jump of the layers that change one of the last.
fn fields(name: &str, input: ImageSpec) -> Vec<(&'static str, f64, f64)> {
    let mut last = (1.0, 1.0);
    let mut fields = Vec::new();
    for step in built(name, input).steps(input).expect("fits") {
        assert_eq!(step.receptive_field[0], step.receptive_field[1]);
        let now = (step.receptive_field[0], step.jump[0]);
        if now != last {
            fields.push((step.kind, now.0, now.1));
        }
        last = now;
    }
    fields
}

#[test]
fn lenet_sees_as_the_textbook_says() {
    let expected = [
        ("conv", 5.0, 1.0),
        ("max pool", 6.0, 2.0),
        ("conv", 14.0, 2.0),
        ("max pool", 16.0, 4.0),
        ("flatten", 32.0, 4.0),
    ];
    assert_eq!(fields("lenet", ImageSpec::new(1, 32, 32)), expected);
}

#[test]
fn fields_begin_in_the_padding() {
    let starts = |name, input| {
        let steps = built(name, input).steps(input).expect("fits");
        let convs = steps.into_iter().filter(|step| step.kind == "conv");
        let starts = convs.map(|step| step.start);
        starts.collect::<Vec<_>>()
    };
    // 5x5 with padding 2, then without, after a pool of 2.
    assert_eq!(starts("lenet", ImageSpec::MNIST), [[-2.0; 2], [-2.0; 2]]);
    // 5x5 with padding 2, pool, 5x5 with padding 2: 2 + 2 * 2.
    assert_eq!(starts("cnn-ntu", ImageSpec::MNIST), [[-2.0; 2], [-6.0; 2]]);
    // 7x7 with padding 3 and stride 2, a pool with padding 1: 3 + 2 + 4.
    let resnet = starts("resnet18", ImageSpec::new(3, 224, 224));
    assert_eq!(resnet[..2], [[-3.0; 2], [-9.0; 2]]);
}

#[test]
fn resnet18_sees_435_pixels_with_a_jump_of_32() {
    let input = ImageSpec::new(3, 224, 224);
    let fields = fields("resnet18", input);
    let at = fields.iter().rposition(|(kind, ..)| *kind == "conv");
    assert_eq!(at.map(|at| fields[at]), Some(("conv", 435.0, 32.0)));
}

#[test]
fn a_transposed_convolution_brings_the_pixels_nearer_again() {
    let input = ImageSpec::CIFAR;
    let steps = built("encoder-decoder", input).steps(input).expect("fits");
    let field = |step: &Step| (step.kind, step.receptive_field[0], step.jump[0]);
    let fields: Vec<_> = steps.iter().filter(|step| step.kind != "ReLU").collect();
    let fields: Vec<_> = fields.into_iter().map(field).take(8).collect();
    let expected = [
        ("conv", 3.0, 1.0),
        ("max pool", 4.0, 2.0),
        ("conv", 8.0, 2.0),
        ("max pool", 10.0, 4.0),
        ("conv", 18.0, 4.0),
        ("transposed conv", 18.0, 2.0),
        ("transposed conv", 18.0, 1.0),
        ("conv", 18.0, 1.0),
    ];
    assert_eq!(fields, expected);
}

#[test]
fn adaptive_pooling_sees_its_largest_part() {
    let device = Device::flex();
    for (side, parts, seen) in [
        (7, 3, 3.0),
        (5, 3, 3.0),
        (6, 3, 2.0),
        (2, 5, 2.0),
        (9, 1, 9.0),
    ] {
        let pool = AdaptivePool::max([parts, 1]);
        let input = ImageSpec::new(1, side, 1);
        let (steps, shape) = follow(input, &device, |x| pool.forward(x)).expect("fits");
        assert_eq!(steps[0].receptive_field, [seen, 1.0], "{side} in {parts}");
        assert_eq!(shape, [1, 1, parts, 1]);
    }
}

#[test]
fn the_first_layer_that_does_not_fit_is_named() {
    let device = Device::flex();
    let conv = Conv::new(1, 1, 5).init(&device);
    let input = ImageSpec::new(1, 9, 8);
    let result = follow(input, &device, |x| {
        flatten(Pool::max(3).forward(conv.forward(conv.forward(x))))
    });
    let message = result.err().map(|misfit| misfit.to_string());
    let message = message.unwrap_or_default();
    assert!(
        message.starts_with("conv 5x5 does not fit a map of 5x4"),
        "{message}"
    );
}

#[test]
fn a_branch_ends_with_the_field_from_before_it() {
    let device = Device::flex();
    let conv = Conv::new(1, 1, 3).same().init(&device);
    let input = ImageSpec::new(1, 9, 9);
    let (steps, _) = follow(input, &device, |x| {
        let _ = branch(|| conv.forward(conv.forward(x.clone())));
        conv.forward(x)
    })
    .expect("fits");
    let seen: Vec<_> = steps.iter().map(|step| step.receptive_field[0]).collect();
    assert_eq!(seen, [3.0, 5.0, 3.0]);
}

#[derive(Default)]
struct Drawn {
    path: Vec<String>,
    drawn: Vec<String>,
    seen: usize,
}

impl ModuleVisitor for Drawn {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        if path.contains("running_") {
            return;
        }
        self.seen += 1;
        if param.is_initialized() {
            self.drawn.push(path);
        }
    }
}

#[test]
fn following_a_network_draws_no_parameter() {
    for row in MODELS {
        let task = row.form.task();
        let network = build(row.name, &task, &Options::default(), &Device::flex());
        let network = network.expect("builds");
        let _ = network.steps(task.input).expect("fits");
        let mut drawn = Drawn::default();
        network.visit(&mut drawn);
        assert!(drawn.seen > 0, "{}", row.name);
        assert_eq!(drawn.drawn, Vec::<String>::new(), "{}", row.name);
    }
}
