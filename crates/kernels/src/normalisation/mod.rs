//! Batch normalisation in two passes over memory, forward and backward.
#![allow(unsafe_code)]

mod backward;
mod passes;

use crate::{
    flex::{channels_first, channels_last, in_order, sizes, tensor, values},
    memory::written,
    place::on_flex,
    simd::widest,
    track::track,
};
use backward::State;
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{DType, Tensor, activation, module},
};
use passes::{Channels, Forward, part, statistics};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Batch normalisation on flex.
#[backend_extension(Flex, Autodiff)]
pub trait Normalisation: Backend {
    /// Mean and biased variance of each channel: `[2, channels]`.
    fn statistics(maps: FloatTensor<Self>) -> FloatTensor<Self>;
    /// `maps` with these statistics brought to 0 and 1, then scaled and
    /// shifted, then rectified where asked for. The statistics are those of
    /// `maps` where `own` is true, else they are constants.
    fn normalise(
        maps: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        epsilon: f64,
        own: bool,
        rectify: bool,
    ) -> FloatTensor<Self>;
}

/// Maps that were normalised by their own statistics.
pub struct Normalised {
    /// `[batch, channels, height, width]`.
    pub output: Tensor<4>,
    /// Mean of each channel, `[channels]`.
    pub mean: Tensor<1>,
    /// Biased variance of each channel, `[channels]`.
    pub variance: Tensor<1>,
}

/// Normalises maps `[batch, channels, height, width]` by the statistics of
/// this batch, then scales and shifts each channel by `scale` and `shift`
/// `[channels]`: S. Ioffe, C. Szegedy, 2015, algorithm 1. With `rectify`, the
/// result is max(0, x) of that.
pub fn batch_norm_train(
    maps: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
    rectify: bool,
) -> Normalised {
    if maps.dtype() != DType::F32 || !on_flex(&maps.device()) {
        let result = module::batch_norm_train(maps, scale, shift, epsilon);
        let output = match rectify {
            true => activation::relu(result.output),
            false => result.output,
        };
        return Normalised {
            output,
            mean: result.mean,
            variance: result.variance,
        };
    }
    let channels = maps.dims()[1];
    let seen = maps.clone().into_dispatch();
    let statistics = Tensor::<2>::from_dispatch(Dispatch::statistics(seen)).detach();
    let row = |row: usize| {
        statistics
            .clone()
            .slice([row..row + 1, 0..channels])
            .flatten(0, 1)
    };
    Normalised {
        mean: row(0),
        variance: row(1),
        output: Tensor::from_dispatch(Dispatch::normalise(
            maps.into_dispatch(),
            scale.into_dispatch(),
            shift.into_dispatch(),
            statistics.into_dispatch(),
            epsilon,
            true,
            rectify,
        )),
    }
}

/// The same with statistics `[channels]` that are known already.
pub fn batch_norm(
    maps: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    [mean, variance]: [Tensor<1>; 2],
    epsilon: f64,
    rectify: bool,
) -> Tensor<4> {
    if maps.dtype() != DType::F32 || !on_flex(&maps.device()) {
        let output = module::batch_norm(maps, scale, shift, mean, variance, epsilon);
        return match rectify {
            true => activation::relu(output),
            false => output,
        };
    }
    let statistics = Tensor::<1>::stack::<2>(vec![mean, variance], 0);
    Tensor::from_dispatch(Dispatch::normalise(
        maps.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        statistics.into_dispatch(),
        epsilon,
        false,
        rectify,
    ))
}

impl Normalisation for Flex {
    fn statistics(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        let channels = sizes(&maps)[1];
        let pixels = channels_last(maps);
        tensor(statistics(values(&pixels), channels), [2, channels])
    }

    fn normalise(
        maps: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        epsilon: f64,
        _own: bool,
        rectify: bool,
    ) -> FloatTensor<Self> {
        let [batch, count, height, width] = sizes(&maps);
        let pixels = channels_last(maps);
        let from = values(&pixels);
        let [scale, shift, statistics] = [&scale, &shift, &statistics].map(in_order);
        let (scale, shift, statistics) = (values(&scale), values(&shift), values(&statistics));
        let channels = &Channels::new(statistics, scale, shift, epsilon);
        let part = part(count);
        let write = |to: &mut [MaybeUninit<f32>]| {
            let parts = to.par_chunks_mut(part).zip(from.par_chunks(part));
            parts.for_each(|(to, from)| {
                widest(Forward {
                    to,
                    from,
                    channels,
                    rectify,
                });
            });
        };
        // SAFETY: every part writes all its values.
        let output = unsafe { written(from.len(), write) };
        channels_first(tensor(output, [batch, height, width, count]))
    }
}

#[derive(Debug)]
struct Normalising;

impl Backward<Flex, 3> for Normalising {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let gradients = ops.state.gradients(gradient);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

impl<C: CheckpointStrategy> Normalisation for Autodiff<Flex, C> {
    fn statistics(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(Flex::statistics(maps.into_primitive()))
    }

    fn normalise(
        maps: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        epsilon: f64,
        own: bool,
        rectify: bool,
    ) -> FloatTensor<Self> {
        let (maps, node) = maps.into_parts();
        let ((scale, scaled), (shift, shifted)) = (scale.into_parts(), shift.into_parts());
        let (scale, statistics) = (in_order(&scale), in_order(&statistics.into_primitive()));
        let maps = channels_first(channels_last(maps));
        let mut state = State {
            pixels: channels_last(maps.clone()),
            scale: scale.clone(),
            statistics: statistics.clone(),
            epsilon,
            own,
            output: None,
        };
        let output = Flex::normalise(maps, scale, shift, statistics, epsilon, own, rectify);
        state.output = rectify.then(|| output.clone());
        track!(Normalising, C, [node, scaled, shifted], state, output)
    }
}
