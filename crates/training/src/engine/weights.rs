//! What is said of a network's weights after an epoch. Biases and the scales
//! of norms, which are vectors, are no weights here.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};
use kiln_kernels::squares_on_flex;
use kiln_weights::parameter_names;
use std::collections::HashMap;

/// The Euclidean norm of all weights.
pub(super) fn weight_norm<N: Module>(network: &N) -> f64 {
    let mut squares = Squares(0.0);
    network.visit(&mut squares);
    squares.0.sqrt()
}

struct Squares(f64);

impl ModuleVisitor for Squares {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D >= 2 {
            let weights = param.val().without_autodiff();
            self.0 += squares_on_flex(&weights).unwrap_or_else(|| {
                let sum = weights.square().sum().try_into_scalar::<f64>();
                sum.unwrap_or(f64::NAN)
            });
        }
    }
}

/// The weights of each layer: those that are exactly zero, and all.
pub(super) fn sparsity<N: Module>(network: &N) -> Vec<(String, (usize, usize))> {
    let mut zeros = Zeros {
        names: parameter_names(network).into_iter().collect(),
        layers: Vec::new(),
    };
    network.visit(&mut zeros);
    zeros.layers
}

/// The share of all weights that is exactly zero, from 0 to 1.
pub(super) fn share_of_zeros(by_layer: &[(String, (usize, usize))]) -> f64 {
    let (zeros, all) = by_layer.iter().fold((0, 0), |(zeros, all), (_, part)| {
        (zeros + part.0, all + part.1)
    });
    zeros as f64 / (all as f64).max(1.0)
}

struct Zeros {
    names: HashMap<burn::module::ParamId, String>,
    layers: Vec<(String, (usize, usize))>,
}

impl ModuleVisitor for Zeros {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (true, Some(name)) = (D >= 2, self.names.remove(&param.id)) else {
            return;
        };
        let Ok(data) = param.val().try_into_data() else {
            return;
        };
        let zeros = data.iter::<f32>().filter(|value| *value == 0.0).count();
        let layer = name.trim_end_matches(".weight").to_owned();
        self.layers.push((layer, (zeros, data.num_elements())));
    }
}
