//! Convolution of Burn's tensors.

use crate::{
    conv::{Geometry, forward, input_gradient, weight_gradient},
    flex::{Array, channels_first, channels_last, in_order, maps, sizes, tensor, values, view},
    place::on_flex,
    reduce,
    track::track,
};
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        ops::ModuleOps,
        tensor::FloatTensor,
    },
    tensor::{DType, Tensor, module, ops::ConvOptions},
};

/// Convolution on flex.
#[backend_extension(Flex, Autodiff)]
pub trait Convolution: Backend {
    /// The convolution of `x` with `weight`.
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self>;

    /// The same plus `bias`.
    fn convolve_with_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self>;
}

/// Convolution over images (cross-correlation: the kernel is not flipped).
///
/// # Shapes
/// `x` `[batch, channels in, height, width]`, `weight` `[channels out, channels
/// in / groups, kernel height, kernel width]`, `bias` `[channels out]`, result
/// `[batch, channels out, height out, width out]`.
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let strided_and_dilated = (0..2).any(|a| options.stride[a] > 1 && options.dilation[a] > 1);
    let has_images = x.shape().num_elements() > 0;
    let fits = has_images && !strided_and_dilated && x.dtype() == DType::F32;
    if !fits || !on_flex(&x.device()) {
        return module::conv2d(x, weight, bias, options);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::convolve_with_bias(x, weight, bias.into_dispatch(), options),
        None => Dispatch::convolve(x, weight, options),
    })
}

fn geometry(x: &Array, weight: &Array, options: &ConvOptions<2>) -> Geometry {
    let [batch, channels_in, height, width] = sizes(x);
    let [channels_out, _, rows, columns] = sizes(weight);
    Geometry {
        batch,
        channels_in,
        channels_out,
        groups: options.groups,
        input: [height, width],
        kernel: [rows, columns],
        stride: options.stride,
        padding: options.padding,
        dilation: options.dilation,
    }
}

fn compute(x: Array, weight: Array, bias: Option<Array>, options: ConvOptions<2>) -> Array {
    let geometry = geometry(&x, &weight, &options);
    let Some(images) = view(&x) else {
        return Flex::conv2d(x, weight, bias, options);
    };
    let bias = bias.map(|bias| in_order(&bias));
    let bias = bias.as_ref().map(values);
    let output = forward(&geometry, &images, values(&in_order(&weight)), bias);
    let [height, width] = geometry.output();
    maps(
        output,
        [geometry.batch, geometry.channels_out, height, width],
    )
}

impl Convolution for Flex {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        compute(x, weight, None, options)
    }

    fn convolve_with_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        compute(x, weight, Some(bias), options)
    }
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct State {
    x: Array,
    weight: Array,
    options: ConvOptions<2>,
}

impl State {
    fn new(x: &Array, weight: &Array, options: &ConvOptions<2>) -> Self {
        Self {
            x: x.clone(),
            weight: weight.clone(),
            options: options.clone(),
        }
    }

    fn input_gradient(&self, gradient: &Array) -> Array {
        let geometry = geometry(&self.x, &self.weight, &self.options);
        let weight = in_order(&self.weight);
        let fast =
            view(gradient).and_then(|view| input_gradient(&geometry, &view, values(&weight)));
        match fast {
            Some(fast) => maps(fast, sizes(&self.x)),
            None => Flex::conv2d_x_backward(
                self.x.clone(),
                weight,
                gradient.clone(),
                self.options.clone(),
            ),
        }
    }

    fn weight_gradient(&self, gradient: &Array) -> Array {
        let geometry = geometry(&self.x, &self.weight, &self.options);
        // A depthwise one reads vectors of channels from the gradient.
        let dense = (geometry.groups > 1).then(|| channels_first(channels_last(gradient.clone())));
        let gradient = dense.as_ref().unwrap_or(gradient);
        match (view(&self.x), view(gradient)) {
            (Some(x), Some(gradient)) => tensor(
                weight_gradient(&geometry, &x, &gradient),
                sizes(&self.weight),
            ),
            _ => Flex::conv2d_weight_backward(
                self.x.clone(),
                self.weight.clone(),
                gradient.clone(),
                self.options.clone(),
            ),
        }
    }
}

#[derive(Debug)]
struct Convolved;

impl<const N: usize> Backward<Flex, N> for Convolved {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        for (parent, node) in ops.parents.iter().enumerate() {
            let Some(node) = node else { continue };
            let value = match parent {
                0 => ops.state.input_gradient(&gradient),
                1 => ops.state.weight_gradient(&gradient),
                _ => reduce::over_pixels(&gradient),
            };
            grads.register::<Flex>(node.id, value);
        }
    }
}

impl<C: CheckpointStrategy> Convolution for Autodiff<Flex, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let ((x, images), (weight, kernel)) = (x.into_parts(), weight.into_parts());
        let state = State::new(&x, &weight, &options);
        let output = Flex::convolve(x, weight, options);
        track!(Convolved, C, [images, kernel], state, output)
    }

    fn convolve_with_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let ((x, images), (weight, kernel)) = (x.into_parts(), weight.into_parts());
        let (bias, shift) = bias.into_parts();
        let state = State::new(&x, &weight, &options);
        let output = Flex::convolve_with_bias(x, weight, bias, options);
        track!(Convolved, C, [images, kernel, shift], state, output)
    }
}
