//! Noise in the input of a network (Bishop 1995, "Training with noise is
//! equivalent to Tikhonov regularization").

use crate::{
    ImageKey,
    draw::{Draw, NORMALS, Purpose},
};

/// Adds independent Gaussian noise of standard deviation `deviation`, in units
/// of the normalised values, to one image.
pub(crate) fn add(values: &mut [f32], deviation: f32, key: ImageKey) {
    let ImageKey { epoch, index } = key;
    let mut draw = Draw::keyed(epoch.seed, Purpose::Noise, epoch.epoch, index.into());
    for values in values.chunks_mut(NORMALS) {
        for (value, normal) in values.iter_mut().zip(draw.normals()) {
            *value += deviation * normal;
        }
    }
}
