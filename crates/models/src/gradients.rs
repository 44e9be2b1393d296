//! How large the gradient of a loss is in each layer.

use crate::Network;
use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    tensor::{Gradients, Int, Tensor},
};
use kiln_kernels::cross_entropy;
use kiln_weights::parameter_names;
use std::collections::HashMap;

/// The Euclidean norm of the gradient of the mean cross entropy by the weights
/// of each layer, biases and the scales of norms left out: layer by layer in
/// the order of the network's fields, with its path. Batch norms take the
/// numbers of these images, as in training.
///
/// # Shapes
/// images `[batch, channels, height, width]`, targets `[batch]`.
pub fn gradient_norms(
    network: &Network,
    images: Tensor<4>,
    targets: Tensor<1, Int>,
) -> Vec<(String, f64)> {
    let device = images.device().autodiff();
    let learning = network.clone().fork(&device).train();
    let images = Tensor::from_data(images.into_data(), &device);
    let targets = Tensor::from_data(targets.into_data(), &device);
    let loss = cross_entropy(learning.forward(images), targets).mean();
    let mut norms = Norms {
        gradients: &loss.backward(),
        names: parameter_names(&learning).into_iter().collect(),
        found: Vec::new(),
    };
    learning.visit(&mut norms);
    norms.found
}

struct Norms<'a> {
    gradients: &'a Gradients,
    names: HashMap<ParamId, String>,
    found: Vec<(String, f64)>,
}

impl ModuleVisitor for Norms<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (true, Some(name)) = (D >= 2, self.names.remove(&param.id)) else {
            return;
        };
        let Some(gradient) = param.val().grad(self.gradients) else {
            return;
        };
        // In double precision: the squares of what vanishes are no numbers of f32.
        let data = gradient.into_data();
        let squares: f64 = data.iter::<f64>().map(|value| value * value).sum();
        let layer = name.trim_end_matches(".weight").to_owned();
        self.found.push((layer, squares.sqrt()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, build, find, materialize};
    use burn::tensor::{Device, TensorData};
    use kiln_weights::weights_sha256;

    fn network(name: &str) -> (Network, Tensor<4>, Tensor<1, Int>) {
        let task = find(name).expect("a network").form.task();
        let device = Device::flex();
        let network = build(name, &task, &Options::default(), &device).expect("builds");
        materialize(&network);
        let input = task.input;
        let values = Tensor::<1, Int>::arange(0..2 * input.len() as i64, &device).float();
        let images = values
            .sin()
            .reshape([2, input.channels, input.height, input.width]);
        let targets = Tensor::from_data(TensorData::from([3i64, 7]), &device);
        (network, images, targets)
    }

    #[test]
    fn the_norm_is_that_of_the_formula_for_one_linear_layer() {
        let (network, images, targets) = network("softmax");
        let norms = gradient_norms(&network, images.clone(), targets);
        // By x: the mean over the images of x (p - target).
        let p = burn::tensor::activation::softmax(network.forward(images.clone()), 1);
        let wanted: Tensor<2> = Tensor::from_data(
            TensorData::from([3usize, 7].map(|class| {
                std::array::from_fn::<f32, 10, _>(|at| if at == class { 1.0 } else { 0.0 })
            })),
            &images.device(),
        );
        let by_weights = images
            .reshape([2, 784])
            .transpose()
            .matmul((p - wanted) / 2.0);
        let squares: f32 = by_weights.square().sum().into_scalar();
        assert_eq!(norms.len(), 1);
        assert_eq!(norms[0].0, "layers.1");
        let (found, wanted) = (norms[0].1, f64::from(squares.sqrt()));
        assert!((found - wanted).abs() < 1e-5 * wanted, "{found} {wanted}");
    }

    #[test]
    fn every_layer_with_weights_has_one_and_the_network_stays_as_it_is() {
        let (network, images, targets) = network("resnet20");
        let before = weights_sha256(&network).expect("weights");
        let norms = gradient_norms(&network, images, targets);
        assert_eq!(norms.len(), 20);
        assert_eq!(norms[0].0, "conv1");
        assert!(norms.iter().all(|(_, norm)| *norm > 0.0), "{norms:?}");
        assert_eq!(weights_sha256(&network).expect("weights"), before);
    }
}
