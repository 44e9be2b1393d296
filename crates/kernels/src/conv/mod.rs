//! Convolution of channels-last images: forward pass, input gradient and
//! weight gradient, without copying patches out.
#![allow(unsafe_code)]

mod correlate;
mod depthwise;
mod geometry;
pub mod pack;
mod source;
mod weights;

pub use geometry::Geometry;
pub use source::View;

use crate::{memory::written, simd};
use correlate::correlate;
use geometry::{Correlation, Phase};
use pack::{Blocks, Side, pack};

/// The output `[batch, height, width, channels_out]` of the convolution of
/// `input` with contiguous `weights` `[channels_out, channels_in / groups,
/// height, width]`.
pub fn forward(
    geometry: &Geometry,
    input: &View<'_>,
    weights: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let correlation = geometry.forward();
    run(geometry, &correlation, Side::Forward, input, weights, bias)
}

/// The gradient `[batch, height, width, channels_in]` of the input, given that
/// of the output; none for a stride together with a dilation.
pub fn input_gradient(
    geometry: &Geometry,
    gradient: &View<'_>,
    weights: &[f32],
) -> Option<Vec<f32>> {
    let correlation = geometry.backward()?;
    let side = Side::Backward;
    Some(run(geometry, &correlation, side, gradient, weights, None))
}

pub use weights::weight_gradient;

fn run(
    geometry: &Geometry,
    correlation: &Correlation,
    side: Side,
    source: &View<'_>,
    weights: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let (channels, area) = (geometry.of_a_group(), geometry.area());
    let depthwise = correlation.is_depthwise();
    let (groups, outputs) = match depthwise {
        true => (1, correlation.outputs),
        false => (geometry.groups, correlation.outputs / geometry.groups),
    };
    let blocks = Blocks::new(outputs, simd::lanes());
    let kernel = |phase: &Phase| {
        let positions = positions(phase, geometry.kernel[1]);
        if depthwise {
            return depthwise::pack(weights, area, &positions, &blocks);
        }
        let of_groups = weights.chunks_exact(channels[0] * channels[1] * area);
        let pack = |weights| pack(weights, channels, area, side, &positions, &blocks);
        match groups {
            1 => pack(weights),
            _ => of_groups.flat_map(pack).collect(),
        }
    };
    let kernels: Vec<_> = correlation.phases.iter().map(kernel).collect();
    let mut start = vec![0.0; groups * blocks.padded()];
    if let Some(bias) = bias {
        let to = start.chunks_exact_mut(blocks.padded());
        for (to, bias) in to.zip(bias.chunks_exact(outputs)) {
            to[..outputs].copy_from_slice(bias);
        }
    }
    let [height, width] = correlation.destination;
    let length = geometry.batch * height * width * correlation.outputs;
    let write = |output: &mut [_]| {
        correlate(
            correlation,
            geometry.batch,
            source,
            &kernels,
            &blocks,
            &start,
            output,
        );
    };
    // SAFETY: the pixels of all phases are all pixels.
    unsafe { written(length, write) }
}

fn positions(phase: &Phase, width: usize) -> Vec<usize> {
    let rows = phase.taps[0].iter();
    rows.flat_map(|row| phase.taps[1].iter().map(move |column| row * width + column))
        .collect()
}
