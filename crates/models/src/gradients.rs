//! Whether every parameter of a network learns.

use crate::{Options, Scheme, Task, build, materialize};
use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Gradients, Int, Tensor},
};
use kiln_vision::ImageSpec;

struct Check<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    faults: Vec<String>,
    checked: usize,
}

impl ModuleVisitor for Check<'_> {
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
        self.checked += 1;
        let fault = match param.val().grad(self.gradients) {
            None => Some("none"),
            Some(gradient) => {
                let values: Vec<f32> = gradient.into_data().try_to_vec().expect("floats");
                match values.iter().map(|value| value.abs()).sum::<f32>() {
                    size if !size.is_finite() => Some("not finite"),
                    0.0 => Some("zero"),
                    _ => None,
                }
            }
        };
        self.faults
            .extend(fault.map(|fault| format!("{path}: {fault}")));
    }
}

fn assert_learns(name: &str, parameters: usize, input: ImageSpec, init: Scheme) {
    let device = Device::flex().autodiff();
    device.seed(1);
    let task = Task { input, classes: 10 };
    let options = Options {
        init: Some(init),
        ..Options::default()
    };
    let network = build(name, &task, &options, &device).expect("builds");
    materialize(&network);
    let shape = [2, input.channels, input.height, input.width];
    let values = Tensor::<1, Int>::arange(0..2 * input.len() as i64, &device).float();
    let scores = network.forward((values * 12.9898).sin().reshape(shape));
    let gradients = scores.square().sum().backward();
    let mut check = Check {
        gradients: &gradients,
        path: Vec::new(),
        faults: Vec::new(),
        checked: 0,
    };
    network.visit(&mut check);
    assert_eq!(check.faults, Vec::<String>::new(), "{name}");
    assert_eq!(check.checked, parameters, "{name}");
}

#[test]
fn every_parameter_has_a_finite_gradient() {
    for (name, parameters, input) in [
        ("locally-connected", 6, ImageSpec::MNIST),
        ("cnn-shared", 6, ImageSpec::MNIST),
        ("signal", 8, ImageSpec::MNIST),
        ("signal", 8, ImageSpec::new(2, 1, 1001)),
        ("all-cnn-c", 18, ImageSpec::CIFAR),
        ("all-cnn-c", 18, ImageSpec::new(3, 21, 18)),
        ("encoder-decoder", 12, ImageSpec::CIFAR),
        ("encoder-decoder", 12, ImageSpec::new(3, 13, 10)),
    ] {
        assert_learns(name, parameters, input, Scheme::Default);
    }
}

#[test]
fn weights_drawn_anew_have_gradients_too() {
    for init in [Scheme::Glorot, Scheme::Orthogonal] {
        assert_learns("locally-connected", 6, ImageSpec::MNIST, init);
        assert_learns("encoder-decoder", 12, ImageSpec::new(3, 8, 8), init);
    }
}
