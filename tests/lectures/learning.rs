//! Losses and descent.

use super::values;
use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use kiln_models::layers::{Linear, flatten};
use kiln_training::{Batch, Stepper, find_optimizer};

/// The loss in nats that a training step shows for an image of class 0, of a
/// network that gives these logits whatever it sees.
fn loss<const C: usize>(logits: [f32; C]) -> f64 {
    let device = Device::flex();
    let mut network = Linear::new([1, C], &device);
    network.weight = Param::from_tensor(Tensor::zeros([1, C], &device));
    network.bias = Some(Param::from_tensor(Tensor::from_floats(logits, &device)));
    let sgd = find_optimizer("sgd").unwrap().defaults();
    let forward = |network: &Linear, images| network.forward(flatten(images));
    let stepper = Stepper::new((network, forward), &sgd, &device).unwrap();
    let device = device.autodiff();
    let (_, output) = stepper.step(Batch {
        images: Tensor::ones([1, 1, 1, 1], &device),
        targets: Tensor::from_ints([0], &device),
        mixed: None,
    });
    output.metrics().unwrap().0
}

/// Cross entropy in bits of a true class that is given 0.66 and 0.10. The
/// lecture rounds 0.5995 to 0.6; in nats, as losses are here, they are 0.42
/// and 2.30.
#[test]
fn cross_entropy_in_bits_is_0_6_for_0_66_and_3_32_for_0_10() {
    let bits = |p: f32| loss([p.ln(), (1.0 - p).ln()]) / std::f64::consts::LN_2;
    let [likely, unlikely] = [bits(0.66), bits(0.10)];
    assert!((likely - 0.599_462).abs() < 1e-5, "{likely}");
    assert!((unlikely - 10f64.log2()).abs() < 1e-5, "{unlikely}");
    assert_eq!(format!("{likely:.1} {unlikely:.2}"), "0.6 3.32");
}

/// The smallest cross entropy is 0, of a network that is certain and right.
#[test]
fn a_certain_and_right_network_has_no_loss() {
    assert!(loss([5.0, 0.0, 0.0]) > 0.0);
    assert_eq!(loss([200.0, 0.0, 0.0]), 0.0);
}

/// A network that prefers none of ten classes loses ln 10, whatever its
/// scores are.
#[test]
fn ten_equal_scores_lose_the_logarithm_of_ten() {
    for score in [0.0, -3.0, 50.0] {
        let loss = loss([score; 10]);
        assert!((loss - 10f64.ln()).abs() < 1e-6, "{loss}");
    }
}

/// A place on the axis.
#[derive(Module, Debug)]
struct Point {
    x: Param<Tensor<1>>,
}

impl Point {
    fn at(x: f32) -> Self {
        let device = Device::flex().autodiff();
        Self {
            x: Param::from_tensor(Tensor::from_floats([x], &device)),
        }
    }

    fn x(&self) -> f32 {
        values(self.x.val())[0]
    }

    /// f(x) = exp(-x) + x^2
    fn height(&self) -> Tensor<1> {
        (-self.x.val()).exp() + self.x.val().square()
    }

    fn gradients(&self) -> GradientsParams {
        GradientsParams::from_grads(self.height().backward(), self)
    }
}

/// Where exp(-x) = 2x, by bisection: the minimum of f.
fn minimum() -> f64 {
    let (mut left, mut right) = (0.0f64, 0.5);
    for _ in 0..60 {
        let middle = 0.5 * (left + right);
        match 2.0 * middle < (-middle).exp() {
            true => left = middle,
            false => right = middle,
        }
    }
    left
}

/// Heights and slopes of f(x) = exp(-x) + x^2, from which a reader can see
/// where the minimum must be; it is at 0.351734.
#[test]
fn the_slope_changes_its_sign_between_zero_and_a_half() {
    for (x, height, slope) in [
        (-0.5, 1.898_72, -2.648_72),
        (0.0, 1.0, -1.0),
        (0.5, 0.856_53, 0.393_47),
    ] {
        let point = Point::at(x);
        let found = values(point.height())[0];
        assert!((found - height).abs() < 1e-5, "f({x}) = {found}");
        let gradient: Tensor<1> = point.gradients().get(point.x.id).unwrap();
        let gradient = values(gradient)[0];
        assert!((gradient - slope).abs() < 1e-5, "f'({x}) = {gradient}");
    }
    assert!((minimum() - 0.351_734).abs() < 1e-6);
}

/// Gradient descent, with momentum and with Adam too, from either side.
#[test]
fn descent_finds_the_minimum_between_zero_and_a_half() {
    for (name, lr) in [("gd", 0.1), ("momentum", 0.05), ("adam", 0.02)] {
        for start in [-0.5, 0.0, 0.5] {
            let mut optimizer = find_optimizer(name).unwrap().defaults().build().unwrap();
            let mut point = Point::at(start);
            for _ in 0..500 {
                let gradients = point.gradients();
                point = optimizer.step(lr, point, gradients);
            }
            let found = f64::from(point.x());
            assert!((found - minimum()).abs() < 1e-4, "{name}: {found}");
        }
    }
}

/// The first step of gradient descent by hand: from -0.5 against the slope of
/// -2.64872, a tenth of it.
#[test]
fn the_first_step_goes_a_tenth_of_the_slope() {
    let mut optimizer = find_optimizer("gd").unwrap().defaults().build().unwrap();
    let start = Point::at(-0.5);
    let gradients = start.gradients();
    let found = optimizer.step(0.1, start, gradients).x();
    assert!((found - -0.235_128).abs() < 1e-5, "{found}");
}
