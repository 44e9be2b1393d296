//! The exponential moving average of the weights: B. Polyak, A. Juditsky 1992;
//! with the decay of D. Kingma, J. Ba 2015, section 7.2. Running statistics of
//! batch norms are averaged as the weights are.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    optim::GradientsParams,
    tensor::Tensor,
};
use kiln_kernels::blend;

/// A network whose weights follow another's.
pub(crate) struct Average<N> {
    /// In its inference form.
    pub network: N,
    decay: f64,
}

impl<N: Module> Average<N> {
    /// Begins with the weights of `network`, which is in its inference form.
    pub fn new(network: N, decay: f64) -> Self {
        Self { network, decay }
    }

    /// Follows `network` after step `step`, counted from 1. In the first steps
    /// the decay is smaller, (1 + step) / (10 + step), so that the drawn
    /// weights are soon forgotten (as in TensorFlow's
    /// `ExponentialMovingAverage`).
    pub fn follow(self, network: &N, step: usize) -> Self {
        let early = (1.0 + step as f64) / (10.0 + step as f64);
        let mut weights = Weights::default();
        network.visit(&mut weights);
        let mut blending = Blending {
            weights: weights.tensors,
            count: 0,
            decay: self.decay.min(early),
        };
        Self {
            network: self.network.map(&mut blending),
            ..self
        }
    }
}

/// The container of gradients holds tensors of any rank, here by their place
/// in the network: running statistics that were loaded from a file have other
/// identities than those that they follow.
#[derive(Default)]
struct Weights {
    tensors: GradientsParams,
    count: u64,
}

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let weights = param.val().without_autodiff();
        self.tensors.register(ParamId::from(self.count), weights);
        self.count += 1;
    }
}

struct Blending {
    weights: GradientsParams,
    count: u64,
    decay: f64,
}

impl ModuleMapper for Blending {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let place = ParamId::from(self.count);
        self.count += 1;
        let Some(weights) = self.weights.remove::<D>(place) else {
            return param;
        };
        param.map(|average| blend(average, weights, self.decay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{module::RunningState, tensor::Device};

    #[derive(Module, Debug)]
    struct Net {
        weight: Param<Tensor<1>>,
        running: RunningState<Tensor<1>>,
    }

    #[test]
    fn weights_and_running_statistics_are_averaged() {
        let device = Device::flex();
        let ones = || Tensor::<1>::ones([2], &device);
        let net = Net {
            weight: Param::from_tensor(ones()),
            running: RunningState::new(ones()),
        };
        let average = Average::new(net.clone().valid(), 0.9);
        let moved = Net {
            weight: net.weight.clone().map(|weight| weight + 1.0),
            running: RunningState::new(ones() * 3.0),
        };
        let average = average.follow(&moved, 1000).network;
        let first = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().next().expect("one");
        assert!((first(average.weight.val()) - 1.1).abs() < 1e-6);
        assert!((first(average.running.value()) - 1.2).abs() < 1e-6);
    }
}
