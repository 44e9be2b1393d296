//! Cross entropy over logits as one operation: no matrix of logarithms is
//! kept, and its gradient is the softmax less the true class.

use crate::on_flex;
use burn::{
    backend::{
        Autodiff, Backend, Dispatch,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind, unary},
        },
        backend_extension,
        flex::{Flex, FlexTensor},
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{DType, Int, Tensor, TensorData, activation::log_softmax},
};
use rayon::prelude::*;

/// Logits that one thread takes at a time.
const CHUNK: usize = 1 << 14;

/// Cross entropy of each image in nats: the negative logarithm of the
/// probability that the softmax gives to the true class. On flex the sum over
/// the classes is one of f64.
///
/// # Shapes
/// logits `[batch, classes]`, targets `[batch]`, result `[batch]`.
///
/// # Panics
/// When a target is no class.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let fused = logits.dtype() == DType::F32 && matches!(targets.dtype(), DType::I32 | DType::I64);
    if fused && on_flex(&logits.device()) {
        let (logits, targets) = (logits.into_dispatch(), targets.into_dispatch());
        return Tensor::from_dispatch(<Dispatch as CrossEntropy>::cross_entropy(logits, targets));
    }
    let picked = log_softmax(logits, 1).gather(1, targets.unsqueeze_dim(1)); // [batch, 1]
    -picked.squeeze_dim::<1>(1)
}

/// The operation, for those backends that have it.
#[backend_extension(Flex, Autodiff)]
trait CrossEntropy: Backend {
    fn cross_entropy(logits: FloatTensor<Self>, targets: IntTensor<Self>) -> FloatTensor<Self>;
}

impl CrossEntropy for Flex {
    fn cross_entropy(logits: FlexTensor, targets: FlexTensor) -> FlexTensor {
        losses(&logits, &targets)
    }
}

/// The backward pass.
#[derive(Debug)]
struct Gradient;

impl Backward<Flex, 1> for Gradient {
    /// Logits and targets.
    type State = (FlexTensor, FlexTensor);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (logits, targets) = ops.state;
        unary::<Flex, _>(ops.parents, ops.node, gradients, |upstream| {
            gradient(&logits, &targets, &upstream)
        });
    }
}

impl<C: CheckpointStrategy> CrossEntropy for Autodiff<Flex, C> {
    fn cross_entropy(logits: FloatTensor<Self>, targets: IntTensor<Self>) -> FloatTensor<Self> {
        match Gradient
            .prepare::<C>([logits.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prepared) => {
                let logits = logits.into_primitive();
                let losses = losses(&logits, &targets);
                prepared.finish((logits, targets), losses)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(losses(logits.primitive(), &targets)),
        }
    }
}

/// The classes; a negative one becomes too large a one.
fn indices(targets: &FlexTensor) -> Vec<usize> {
    let targets = targets.to_contiguous();
    match targets.dtype() {
        DType::I32 => targets
            .storage::<i32>()
            .iter()
            .map(|&t| t as usize)
            .collect(),
        _ => targets
            .storage::<i64>()
            .iter()
            .map(|&t| t as usize)
            .collect(),
    }
}

/// A row's largest logit and the sum of the exponentials of what is below it.
fn softmax_parts(row: &[f32]) -> (f32, f64) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum = row.iter().map(|&x| f64::from((x - largest).exp())).sum();
    (largest, sum)
}

/// `log(sum exp(x)) - x[target]` of each row.
fn losses(logits: &FlexTensor, targets: &FlexTensor) -> FlexTensor {
    let (logits, targets) = (logits.to_contiguous(), indices(targets));
    let classes = logits.layout().shape()[1];
    let rows = logits.storage::<f32>().par_chunks(classes);
    let rows = rows.zip(&targets).with_min_len(CHUNK / classes + 1);
    let losses = rows.map(|(row, &target)| {
        let (largest, sum) = softmax_parts(row);
        (f64::from(largest) - f64::from(row[target]) + sum.ln()) as f32
    });
    let losses: Vec<f32> = losses.collect();
    let count = losses.len();
    FlexTensor::from_data(TensorData::new(losses, [count]))
}

/// `(softmax(x) - onehot(target)) upstream` of each row.
fn gradient(logits: &FlexTensor, targets: &FlexTensor, upstream: &FlexTensor) -> FlexTensor {
    let shape = logits.layout().shape().clone();
    let (logits, targets) = (logits.to_contiguous(), indices(targets));
    let upstream = upstream.to_contiguous();
    let classes = shape[1];
    let mut found = logits.storage::<f32>().to_vec();
    let rows = found.par_chunks_mut(classes);
    let rows = rows.zip(&targets).zip(upstream.storage::<f32>());
    rows.with_min_len(CHUNK / classes + 1)
        .for_each(|((row, &target), &upstream)| {
            let (largest, sum) = softmax_parts(row);
            let scale = (1.0 / sum) as f32;
            for x in row.iter_mut() {
                *x = (*x - largest).exp() * scale * upstream;
            }
            row[target] -= upstream;
        });
    FlexTensor::from_data(TensorData::new(found, shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution, Shape};

    /// Losses and the gradient of their weighted sum, by our operation and by Burn's.
    fn both(logits: TensorData, targets: Vec<i64>) -> [[Vec<f32>; 2]; 2] {
        let device = Device::flex().autodiff();
        let by = |operation: fn(Tensor<2>, Tensor<1, Int>) -> Tensor<1>| {
            let logits = Tensor::<2>::from_data(logits.clone(), &device).require_grad();
            let targets = Tensor::from_data(targets.as_slice(), &device);
            let losses = operation(logits.clone(), targets);
            let weights = Tensor::arange(1..losses.dims()[0] as i64 + 1, &device).float();
            let gradients = (losses.clone() * weights).sum().backward();
            let gradient = logits.grad(&gradients).expect("a gradient");
            let values = |data: TensorData| data.iter::<f32>().collect::<Vec<_>>();
            [values(losses.into_data()), values(gradient.into_data())]
        };
        let burns = |logits, targets: Tensor<1, Int>| {
            let picked = log_softmax(logits, 1).gather(1, targets.unsqueeze_dim(1));
            -picked.squeeze_dim::<1>(1)
        };
        [by(cross_entropy), by(burns)]
    }

    #[test]
    fn losses_and_gradients_are_those_of_burns_operations() {
        for (rows, classes, scale) in [(1, 1, 1.0), (7, 10, 1.0), (7, 10, 30.0), (300, 1000, 3.0)] {
            let shape = Shape::new([rows, classes]);
            let normal = Distribution::Normal(0.0, scale);
            let logits = Tensor::<2>::random(shape, normal, &Device::flex()).into_data();
            let targets = (0..rows).map(|row| (row * 7 % classes) as i64).collect();
            let [ours, theirs] = both(logits, targets);
            for (ours, theirs) in ours.iter().zip(&theirs) {
                let largest = theirs.iter().fold(0f32, |a, b| a.max(b.abs()));
                assert_eq!(ours.len(), theirs.len());
                for (a, b) in ours.iter().zip(theirs) {
                    assert!((a - b).abs() <= 1e-6 * largest, "{a} instead of {b}");
                }
            }
        }
    }

    #[test]
    fn large_logits_stay_finite_and_nan_stays_nan() {
        let data = TensorData::new(vec![1e30f32, -1e30, f32::NAN, 0.0], [2, 2]);
        let [[losses, gradient], _] = both(data, vec![0, 1]);
        assert_eq!((losses[0], &gradient[..2]), (0.0, &[0.0, 0.0][..]));
        assert!(losses[1].is_nan() && gradient[2].is_nan() && gradient[3].is_nan());
    }
}
