//! What a training step changes. It moves from step to step, because buffers
//! that nobody else holds are updated in place.

use super::output::Output;
use crate::{
    classifier::{Trainable, Trainee},
    feed::Batch,
    regularization::{Average, clip, gradient_norm, scale},
};
use burn::{
    lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler},
    module::ParamId,
    optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer},
    tensor::{Device, Tensor},
    train::TrainStep,
};
use kiln_kernels::{on_flex, work_on};
use std::time::{Duration, Instant};

/// A network in training, its optimizer and its learning rate.
pub(super) struct Learning<N: Trainable> {
    pub trainee: Trainee<N>,
    pub optimizer: ModuleOptimizer,
    pub scheduler: ModuleLrScheduler,
    /// The rate of the last step.
    pub lr: ModuleLearningRate,
    /// The moving average of the weights, if there is one.
    pub average: Option<Average<N>>,
    /// The largest norm of all gradients together.
    pub clip_norm: Option<f64>,
    /// Steps done.
    pub steps: usize,
}

/// What a step gives beside new weights.
pub(super) struct Stepped {
    /// One for each batch of the step.
    pub outputs: Vec<Output>,
    /// Seconds from the gradients to the new weights.
    pub optimizing: Duration,
    /// When forward and backward were done.
    pub passed: Instant,
}

/// Why a step changed nothing.
#[derive(Debug)]
pub(super) enum Odd {
    /// The loss of a batch is infinite or NaN.
    Loss(Box<Batch>),
    /// The gradient of a parameter is.
    Gradient(ParamId),
}

impl<N: Trainable> Learning<N> {
    /// Of a network in its training form, before its first step.
    pub fn new(
        trainee: Trainee<N>,
        optimizer: ModuleOptimizer,
        scheduler: ModuleLrScheduler,
        lr: f64,
    ) -> Self {
        Self {
            trainee,
            optimizer,
            scheduler,
            lr: lr.into(),
            average: None,
            clip_norm: None,
            steps: 0,
        }
    }

    /// The network that is validated and kept, in its inference form.
    pub fn result(&self) -> N {
        match &self.average {
            Some(average) => average.network.clone(),
            // This also brings the running statistics up to date.
            None => self.trainee.network.valid(),
        }
    }

    /// One step of the schedule, the network and the optimizer, over the mean
    /// gradient of all images of `batches`. `seed` decides what is random in
    /// it, such as dropout.
    ///
    /// # Errors
    /// On flex, when a loss or a gradient is infinite or NaN; the weights are
    /// then those from before.
    pub fn step(
        self,
        batches: impl Iterator<Item = Batch>,
        seed: u64,
    ) -> (Self, Result<Stepped, Odd>) {
        let mut outputs: Vec<Output> = Vec::new();
        let mut sum = Sum::default();
        for (at, batch) in batches.enumerate() {
            let device = batch.images.device();
            let _only_here = kiln_backend::seed(&device, seed.wrapping_add(at as u64));
            let kept = on_flex(&device).then(|| batch.clone());
            let output = work_on(&device, || TrainStep::step(&self.trainee, batch));
            if let Some(batch) = kept
                && !is_finite(&output.item.classes.loss)
            {
                return (self, Err(Odd::Loss(Box::new(batch))));
            }
            let images = output.item.classes.targets.dims()[0];
            sum.add(&self.trainee, output.grads, images);
            outputs.push(output.item);
        }
        let passed = Instant::now();
        let Some(device) = outputs.first().map(|output| output.classes.loss.device()) else {
            return (self, Ok(Stepped::none()));
        };
        match work_on(&device, || self.update(sum, &device)) {
            (learning, Ok(norm)) => {
                for output in &mut outputs {
                    output.gradient_norm.clone_from(&norm);
                }
                let stepped = Stepped {
                    outputs,
                    optimizing: passed.elapsed(),
                    passed,
                };
                (learning, Ok(stepped))
            }
            (learning, Err(id)) => (learning, Err(Odd::Gradient(id))),
        }
    }

    /// New weights. Gives the norm of the gradients where it was asked for or
    /// costs no waiting, or the parameter whose gradient is no number.
    fn update(mut self, sum: Sum, device: &Device) -> (Self, Result<Option<Tensor<1>>, ParamId>) {
        self.lr = self.scheduler.step();
        let mut gradients = sum.mean(&self.trainee);
        let mut norm = None;
        if on_flex(device) || self.clip_norm.is_some() {
            let odd;
            (norm, odd) = gradient_norm(&self.trainee, &mut gradients);
            if let Some(id) = odd {
                return (self, Err(id));
            }
        }
        if let (Some(bound), Some(norm)) = (self.clip_norm, &norm) {
            clip(&self.trainee, &mut gradients, norm, bound);
        }
        let norm = norm.map(|norm| norm.tensor());
        let lr = self.lr.clone();
        self.trainee = self.trainee.optimize(&mut self.optimizer, lr, gradients);
        self.steps += 1;
        if let Some(average) = self.average.take() {
            // The inference form has the running statistics up to date.
            self.average = Some(average.follow(&self.trainee.network.valid(), self.steps));
        }
        (self, Ok(norm))
    }
}

impl Stepped {
    fn none() -> Self {
        Self {
            outputs: Vec::new(),
            optimizing: Duration::ZERO,
            passed: Instant::now(),
        }
    }
}

fn is_finite(losses: &Tensor<1>) -> bool {
    let losses = losses.clone().try_into_data();
    // What cannot be read is somebody else's error.
    losses.is_ok_and(|losses| losses.iter::<f32>().all(f32::is_finite))
}

/// Gradients of one batch, or the sum over several, each times its images.
#[derive(Default)]
struct Sum {
    gradients: Option<GradientsParams>,
    batches: usize,
    images: usize,
    /// Images of the first batch, whose gradients are not multiplied yet.
    first: usize,
}

impl Sum {
    fn add<N: Trainable>(
        &mut self,
        trainee: &Trainee<N>,
        gradients: GradientsParams,
        images: usize,
    ) {
        self.batches += 1;
        self.images += images;
        let Some(mut first) = self.gradients.take() else {
            self.first = images;
            self.gradients = Some(gradients);
            return;
        };
        let mut gradients = gradients;
        if self.batches == 2 {
            scale(trainee, &mut first, self.first as f64);
        }
        scale(trainee, &mut gradients, images as f64);
        let mut accumulator = GradientsAccumulator::<Trainee<N>>::new();
        accumulator.accumulate(trainee, first);
        accumulator.accumulate(trainee, gradients);
        self.gradients = Some(accumulator.grads());
    }

    fn mean<N: Trainable>(self, trainee: &Trainee<N>) -> GradientsParams {
        let mut gradients = self.gradients.unwrap_or_default();
        if self.batches > 1 {
            scale(trainee, &mut gradients, 1.0 / self.images as f64);
        }
        gradients
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OPTIMIZERS, classifier::Loss};
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
            mixed: None,
        };
        for row in OPTIMIZERS {
            let net = Net {
                weight: Param::from_tensor(Tensor::zeros([1024, 4], &device)),
                bias: Param::from_tensor(Tensor::zeros([4], &device)),
            };
            let optimizer = row.defaults().build().expect("an optimizer");
            let trainee = Trainee::new(net, forward, Loss::plain());
            let mut learning = Learning::new(trainee, optimizer, row.lr.into(), row.lr);
            let before = addresses(&learning.trainee.network);
            // Lookahead's slow step is among them.
            for _ in 0..6 {
                let (next, output) = learning.step(std::iter::once(batch()), 1);
                assert!(output.is_ok());
                learning = next;
                let after = addresses(&learning.trainee.network);
                assert_eq!(after, before, "{}", row.name);
            }
        }
    }

    fn net(device: &Device) -> Net {
        let weight = Tensor::<1, burn::tensor::Int>::arange(0..4096, device).float();
        let weight = (weight * 0.37).sin().reshape([1024, 4]) * 0.05;
        Net {
            weight: Param::from_tensor(weight),
            bias: Param::from_tensor(Tensor::zeros([4], device)),
        }
    }

    fn images(count: usize, device: &Device) -> Batch {
        let values = Tensor::<1, burn::tensor::Int>::arange(0..(count * 1024) as i64, device);
        let targets: Vec<i64> = (0..count as i64).map(|at| at * 7 % 4).collect();
        Batch {
            images: (values.float() * 0.73).cos().reshape([count, 1, 32, 32]),
            targets: Tensor::from_ints(targets.as_slice(), device),
            mixed: None,
        }
    }

    fn weights(learning: Learning<Net>) -> Vec<f32> {
        let weight = learning.trainee.network.weight.val();
        weight.into_data().iter::<f32>().collect()
    }

    fn learning(clip_norm: Option<f64>) -> Learning<Net> {
        let device = Device::flex().autodiff();
        let optimizer = crate::find_optimizer("momentum").expect("a row").defaults();
        let optimizer = optimizer.build().expect("an optimizer");
        let trainee = Trainee::new(net(&device), forward, Loss::plain());
        Learning {
            clip_norm,
            ..Learning::new(trainee, optimizer, 0.1.into(), 0.1)
        }
    }

    #[test]
    fn gradients_of_several_batches_are_averaged_over_their_images() {
        let device = Device::flex().autodiff();
        let whole = || images(12, &device);
        let part = |from: usize, to: usize| Batch {
            images: whole().images.narrow(0, from, to - from),
            targets: whole().targets.narrow(0, from, to - from),
            mixed: None,
        };
        let (at_once, done) = learning(None).step(std::iter::once(whole()), 1);
        assert_eq!(done.expect("a step").outputs.len(), 1);
        let parts = [part(0, 6), part(6, 11), part(11, 12)];
        let (in_parts, done) = learning(None).step(parts.into_iter(), 1);
        assert_eq!(done.expect("a step").outputs.len(), 3);
        assert_eq!((at_once.steps, in_parts.steps), (1, 1));
        let (one, several) = (weights(at_once), weights(in_parts));
        let start = weights(learning(None));
        let moved = one
            .iter()
            .zip(&start)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        let apart = one
            .iter()
            .zip(several)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(
            moved > 1e-3 && apart < 1e-5 * moved.max(1.0),
            "{moved} {apart}"
        );
    }

    #[test]
    fn a_clipped_step_is_as_long_as_the_bound_says() {
        let device = Device::flex().autodiff();
        let (stepped, done) = learning(Some(1e-3)).step(std::iter::once(images(8, &device)), 1);
        assert!(done.is_ok());
        let before = weights(learning(None));
        let squares = weights(stepped)
            .iter()
            .zip(before)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f32>();
        // The bias moves too, by far less than the 4096 weights.
        assert!(
            (squares.sqrt() / 1e-4 - 1.0).abs() < 0.05,
            "{}",
            squares.sqrt()
        );
    }

    #[test]
    fn a_loss_that_is_no_number_changes_no_weight() {
        let device = Device::flex().autodiff();
        let mut batch = images(4, &device);
        batch.images = batch.images.mul_scalar(f32::NAN);
        let (after, done) = learning(None).step(std::iter::once(batch), 1);
        assert!(matches!(done, Err(Odd::Loss(_))));
        assert_eq!(weights(after), weights(learning(None)));
    }
}
