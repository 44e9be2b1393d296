//! What the weights of a network are drawn from, when it is not its own choice.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    nn::Initializer,
    tensor::{Device, Shape, Tensor},
};
use serde::{Deserialize, Serialize};
use std::f64::consts::SQRT_2;

/// He's normal distribution by the number of outputs, as torchvision's
/// residual networks have it.
pub(crate) const HE_FAN_OUT: Initializer = Initializer::KaimingNormal {
    gain: SQRT_2,
    fan_out_only: true,
};

/// He's normal distribution by the number of inputs.
pub(crate) const HE: Initializer = Initializer::KaimingNormal {
    gain: SQRT_2,
    fan_out_only: false,
};

/// A normal distribution around zero.
pub(crate) const fn normal(std: f64) -> Initializer {
    Initializer::Normal { mean: 0.0, std }
}

/// A way to draw first weights; biases are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// The network's own.
    #[default]
    Default,
    /// Uniform in ±sqrt(6 / (inputs + outputs)): X. Glorot, Y. Bengio, 2010.
    Glorot,
    /// Normal with variance 2 / inputs: K. He et al. 2015.
    He,
    /// Normal with variance 1 / inputs: Y. LeCun et al. 1998.
    Lecun,
    /// Orthogonal rows or columns: A. Saxe et al. 2014.
    Orthogonal,
    /// Normal with standard deviation 0.01, whatever the size of the layer: A.
    /// Krizhevsky et al. 2012, section 5. Too small for many layers.
    #[serde(rename = "normal-0.01")]
    Small,
    /// Normal with standard deviation 1: too large for any usual layer.
    #[serde(rename = "normal-1")]
    Large,
}

impl Scheme {
    fn initializer(self) -> Option<Initializer> {
        match self {
            Self::Default => None,
            Self::Glorot => Some(Initializer::XavierUniform { gain: 1.0 }),
            Self::He => Some(HE),
            Self::Lecun => Some(Initializer::KaimingNormal {
                gain: 1.0,
                fan_out_only: false,
            }),
            Self::Orthogonal => Some(Initializer::Orthogonal { gain: 1.0 }),
            Self::Small => Some(normal(0.01)),
            Self::Large => Some(normal(1.0)),
        }
    }

    /// Why weights of these shapes cannot be drawn in reasonable time.
    pub(crate) fn refuses<M: Module>(self, module: &M) -> Option<String> {
        if self != Self::Orthogonal {
            return None;
        }
        let mut widest = Widest::default();
        module.visit(&mut widest);
        (widest.0 > WIDEST_ORTHOGONAL).then(|| {
            format!(
                "init cannot be orthogonal, as a layer has {} inputs and outputs or more, which take minutes to make orthogonal; up to {WIDEST_ORTHOGONAL} are possible",
                widest.0
            )
        })
    }

    /// `module` with the weights of its convolutions and linear layers drawn
    /// anew and their biases zero.
    pub(crate) fn apply<M: Module>(self, module: M) -> M {
        match self.initializer() {
            None => module,
            Some(weights) => module.map(&mut Redraw {
                weights,
                path: Vec::new(),
            }),
        }
    }
}

/// Sides of a matrix from which on an orthogonal one takes too long.
const WIDEST_ORTHOGONAL: usize = 1024;

/// The largest of the smaller sides of all weights as matrices.
#[derive(Default)]
struct Widest(usize);

impl ModuleVisitor for Widest {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = param.lazy_shape();
        let rows = shape[0];
        if D > 1 {
            self.0 = self.0.max(rows.min(shape.num_elements() / rows.max(1)));
        }
    }
}

struct Redraw {
    weights: Initializer,
    path: Vec<(String, String)>,
}

impl ModuleMapper for Redraw {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.to_owned(), container.to_owned()));
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((name, container)) = self.path.last() else {
            return param;
        };
        let device = param.lazy_device();
        let shape = param.lazy_shape();
        match (container.as_str(), name.as_str()) {
            ("Struct:LocallyConnected", "weight")
                if matches!(self.weights, Initializer::Orthogonal { .. }) =>
            {
                orthogonal_each(shape, &device)
            }
            ("Struct:Linear" | "Struct:LocallyConnected", "weight") => {
                let [inputs, outputs] = [shape[D - 2], shape[D - 1]];
                self.weights
                    .init_with(shape, Some(inputs), Some(outputs), &device)
            }
            ("Struct:Conv2d" | "Struct:ConvTranspose2d", "weight") => {
                let kernel: usize = shape[2..].iter().product();
                let [inputs, outputs] = [shape[1] * kernel, shape[0] * kernel];
                self.weights
                    .init_with(shape, Some(inputs), Some(outputs), &device)
            }
            ("Struct:BatchNorm", _) => param,
            (_, "bias") => Initializer::Zeros.init(shape, &device),
            _ => param,
        }
    }
}

/// Matrices `[matrices, inputs, outputs]`, each orthogonal for itself.
fn orthogonal_each<const D: usize>(shape: Shape, device: &Device) -> Param<Tensor<D>> {
    let [matrices, inputs, outputs] = shape.dims();
    let whole = shape.clone();
    let draw = move |device: &Device, is_learned: bool| {
        let initializer = Initializer::Orthogonal { gain: 1.0 };
        let one = |_| {
            let matrix: Param<Tensor<2>> = initializer.init([inputs, outputs], device);
            matrix.val()
        };
        let weights = Tensor::cat((0..matrices).map(one).collect(), 0).reshape(whole.clone());
        weights.detach().set_require_grad(is_learned)
    };
    Param::uninitialized(ParamId::new(), draw, device.clone(), true, shape)
}

#[cfg(test)]
mod tests;
