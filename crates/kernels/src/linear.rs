//! The fully connected layer.

use crate::{
    flex::{Array, in_order, tensor, values},
    matrix::{Right, multiply, multiply_transposed},
    place::on_flex,
    reduce,
    track::track,
};
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{DType, Tensor, module},
};

/// Fully connected layers on flex.
#[backend_extension(Flex, Autodiff)]
pub trait FullyConnected: Backend {
    /// `x` times `weight`, plus `bias`.
    fn connect(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// A fully connected layer: `x` `[batch, inputs]` times `weight` `[inputs,
/// outputs]`, plus `bias` `[outputs]`: `[batch, outputs]`.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let fits = x.dtype() == DType::F32 && x.shape().num_elements() > 0;
    match bias {
        Some(bias) if fits && on_flex(&x.device()) => {
            let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
            Tensor::from_dispatch(Dispatch::connect(x, weight, bias.into_dispatch()))
        }
        bias => module::linear(x, weight, bias),
    }
}

fn sizes(matrix: &Array) -> [usize; 2] {
    matrix.shape().dims()
}

impl FullyConnected for Flex {
    fn connect(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ([batch, inputs], [_, outputs]) = (sizes(&x), sizes(&weight));
        let (x, weight, bias) = (in_order(&x), in_order(&weight), in_order(&bias));
        let right = Right {
            values: values(&weight),
            rows: outputs,
            columns: 1,
        };
        let result = multiply(values(&x), inputs, right, outputs, Some(values(&bias)));
        tensor(result, [batch, outputs])
    }
}

#[derive(Debug)]
struct Connected;

impl Backward<Flex, 3> for Connected {
    type State = [Array; 2];

    fn backward(self, ops: Ops<[Array; 2], 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = in_order(&grads.consume::<Flex>(&ops.node));
        let [x, weight] = ops.state;
        let [inputs, outputs] = sizes(&weight);
        let [for_x, for_weight, for_bias] = ops.parents;
        if let Some(node) = for_x {
            let right = Right {
                values: values(&weight),
                rows: 1,
                columns: outputs,
            };
            let value = multiply(values(&gradient), outputs, right, inputs, None);
            grads.register::<Flex>(node.id, tensor(value, sizes(&x)));
        }
        if let Some(node) = for_weight {
            let value = multiply_transposed(values(&x), values(&gradient), [inputs, outputs]);
            grads.register::<Flex>(node.id, tensor(value, [inputs, outputs]));
        }
        if let Some(node) = for_bias {
            let value = reduce::sums(values(&gradient), outputs);
            grads.register::<Flex>(node.id, tensor(value, [outputs]));
        }
    }
}

impl<C: CheckpointStrategy> FullyConnected for Autodiff<Flex, C> {
    fn connect(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ((x, row), (weight, matrix)) = (x.into_parts(), weight.into_parts());
        let (bias, shift) = bias.into_parts();
        let (x, weight) = (in_order(&x), in_order(&weight));
        let state = [x.clone(), weight.clone()];
        let output = Flex::connect(x, weight, bias);
        track!(Connected, C, [row, matrix, shift], state, output)
    }
}
