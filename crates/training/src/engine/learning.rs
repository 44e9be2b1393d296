//! What a training step changes. It moves from step to step, because buffers
//! that nobody else holds are updated in place.

use crate::{
    classifier::{Trainable, Trainee},
    feed::Batch,
};
use burn::{
    lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler},
    optim::ModuleOptimizer,
    train::{ClassificationOutput, TrainStep},
};
use kiln_kernels::work_on;
use std::time::Instant;

/// A network in training, its optimizer and its learning rate.
pub(super) struct Learning<N: Trainable> {
    pub trainee: Trainee<N>,
    pub optimizer: ModuleOptimizer,
    pub scheduler: ModuleLrScheduler,
    /// The rate of the last step.
    pub lr: ModuleLearningRate,
}

impl<N: Trainable> Learning<N> {
    /// One step of the schedule, the network and the optimizer, and when the
    /// gradients were there.
    pub fn step(mut self, batch: Batch) -> (Self, ClassificationOutput, Instant) {
        self.lr = self.scheduler.step();
        let device = batch.images.device();
        work_on(&device, || {
            let output = TrainStep::step(&self.trainee, batch);
            let passed = Instant::now();
            let (optimizer, lr) = (&mut self.optimizer, self.lr.clone());
            let trainee = self.trainee.optimize(optimizer, lr, output.grads);
            (Self { trainee, ..self }, output.item, passed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OPTIMIZERS;
    use burn::{
        backend::{Autodiff, flex::Flex},
        module::{Module, ModuleVisitor, Param},
        tensor::{Device, Distribution, Tensor},
    };

    #[derive(Module, Debug)]
    struct Net {
        weight: Param<Tensor<2>>,
        bias: Param<Tensor<1>>,
    }

    fn forward(net: &Net, images: Tensor<4>) -> Tensor<2> {
        images.flatten(1, 3).matmul(net.weight.val()) + net.bias.val().unsqueeze()
    }

    /// Where the numbers of every parameter are, and whether nobody else holds them.
    #[derive(Default)]
    struct Addresses(Vec<usize>);

    impl ModuleVisitor for Addresses {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = param.val().try_into_primitive::<Autodiff<Flex>>();
            let tensor = tensor.expect("a tensor on flex").into_primitive();
            self.0.push(tensor.bytes().as_ptr() as usize);
        }
    }

    fn addresses(net: &Net) -> Vec<usize> {
        let mut found = Addresses::default();
        net.visit(&mut found);
        found.0
    }

    #[test]
    fn every_optimizer_updates_the_weights_where_they_are() {
        let device = Device::flex().autodiff();
        let batch = || Batch {
            images: Tensor::random([8, 1, 32, 32], Distribution::Default, &device),
            targets: Tensor::from_ints([0, 1, 2, 3, 0, 1, 2, 3], &device),
        };
        for row in OPTIMIZERS {
            let net = Net {
                weight: Param::from_tensor(Tensor::zeros([1024, 4], &device)),
                bias: Param::from_tensor(Tensor::zeros([4], &device)),
            };
            let mut learning = Learning {
                trainee: Trainee::new(net, forward),
                optimizer: row.defaults().build().expect("an optimizer"),
                scheduler: row.lr.into(),
                lr: row.lr.into(),
            };
            let before = addresses(&learning.trainee.network);
            for _ in 0..3 {
                let (next, _output, _) = learning.step(batch());
                learning = next;
                let after = addresses(&learning.trainee.network);
                assert_eq!(after, before, "{}", row.name);
            }
        }
    }
}
