//! Flex's tensors as slices of f32, and slices as flex's tensors.
//!
//! Maps are kept channels last in memory: a tensor `[batch, channels, height,
//! width]` whose channels lie side by side. Every operation of Burn takes such
//! a tensor as it takes any other that is not contiguous.

use crate::conv::View;
use burn::{
    backend::{Flex, TensorMetadata, ops::FloatTensorOps, tensor::FloatTensor},
    tensor::TensorData,
};

/// A tensor of flex.
pub type Array = FloatTensor<Flex>;

/// Sizes of maps: batch, channels, height, width.
pub fn sizes(maps: &Array) -> [usize; 4] {
    maps.shape().dims()
}

/// Maps as they lie in memory.
pub fn view(maps: &Array) -> Option<View<'_>> {
    let strides = maps.layout().strides();
    let mut positive = [0; 4];
    for (stride, &given) in positive.iter_mut().zip(strides) {
        *stride = usize::try_from(given).ok()?;
    }
    Some(View {
        values: maps.storage(),
        offset: maps.layout().start_offset(),
        strides: positive,
    })
}

/// `tensor` with its values in order and nothing else in its memory; copied
/// where that is not so.
pub fn in_order(tensor: &Array) -> Array {
    tensor.to_contiguous()
}

/// The values of a tensor that is [`in_order`].
pub fn values(tensor: &Array) -> &[f32] {
    tensor.storage()
}

/// `[batch, channels, height, width]` as contiguous `[batch, height, width,
/// channels]`; shares the memory of maps that are channels last.
pub fn channels_last(maps: Array) -> Array {
    in_order(&Flex::float_permute(maps, &[0, 2, 3, 1]))
}

/// The reverse of [`channels_last`].
pub fn channels_first(pixels: Array) -> Array {
    Flex::float_permute(pixels, &[0, 3, 1, 2])
}

/// Maps of `[batch, channels, height, width]` from values that are channels last.
pub fn maps(values: Vec<f32>, [batch, channels, height, width]: [usize; 4]) -> Array {
    channels_first(tensor(values, [batch, height, width, channels]))
}

/// A contiguous tensor.
pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Array {
    Array::from_data(TensorData::new(values, shape))
}

/// Whether the values fill the tensor's memory, in whatever order of axes.
pub fn is_dense(tensor: &Array) -> bool {
    let layout = tensor.layout();
    let mut axes: Vec<_> = (0..layout.num_dims())
        .filter(|&axis| layout.shape()[axis] != 1)
        .map(|axis| (layout.strides()[axis], layout.shape()[axis]))
        .collect();
    axes.sort_unstable();
    let mut expected = 1;
    for (stride, size) in axes {
        if stride != expected {
            return false;
        }
        expected *= size as isize;
    }
    layout.start_offset() == 0 && tensor.storage::<f32>().len() == layout.num_elements()
}

/// Whether value `i` in the memory of both tensors has the same place.
pub fn are_alike(one: &Array, other: &Array) -> bool {
    let (one, other) = (one.layout(), other.layout());
    let axes = 0..one.num_dims();
    one.shape() == other.shape()
        && axes
            .into_iter()
            .all(|axis| one.shape()[axis] == 1 || one.strides()[axis] == other.strides()[axis])
}

/// A tensor with these values in memory and the axes of `like`.
pub fn like(values: Vec<f32>, like: &Array) -> Array {
    let count = values.len();
    tensor(values, [count]).with_layout(like.layout().clone())
}
