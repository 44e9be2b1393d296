//! Operations over all numbers of one parameter beside the optimizer's step:
//! soft thresholding, moving averages and squared norms, in place where nobody
//! else holds the buffers.

use crate::{
    simd::{Kernel, Vector, widest},
    update::{CHUNK, each, fused, primitive, tensor, values, values_mut},
};
use burn::tensor::Tensor;
use rayon::prelude::*;

/// Moves every number by `threshold` towards zero and not beyond: the proximal
/// step of `threshold |w|`, which leaves exact zeros (I. Daubechies, M.
/// Defrise, C. De Mol 2004, section 1).
///
/// # Shapes
/// Any to the same. The tensor may not track gradients.
pub fn soft_threshold<const D: usize>(weights: Tensor<D>, threshold: f64) -> Tensor<D> {
    if !fused([Some(&weights), None, None]) {
        let kept = weights.clone().abs().sub_scalar(threshold).clamp_min(0.0);
        return weights.sign() * kept;
    }
    let threshold = threshold as f32;
    let mut weights = primitive(weights);
    let w = values_mut(&mut weights);
    w.par_chunks_mut(CHUNK).for_each(|chunk| {
        for w in chunk {
            let kept = (w.abs() - threshold).max(0.0);
            *w = if kept > 0.0 { kept.copysign(*w) } else { 0.0 };
        }
    });
    tensor(weights)
}

/// `decay * average + (1 - decay) * weights`.
///
/// # Shapes
/// Both of the same shape, as the result. None may track gradients.
pub fn blend<const D: usize>(average: Tensor<D>, weights: Tensor<D>, decay: f64) -> Tensor<D> {
    if !fused([Some(&average), Some(&weights), None]) {
        return average.mul_scalar(decay) + weights.mul_scalar(1.0 - decay);
    }
    let (old, new) = (decay as f32, (1.0 - decay) as f32);
    let (mut average, weights) = (primitive(average), primitive(weights));
    each([values_mut(&mut average)], values(&weights), |[a], w| {
        for (a, &w) in a.iter_mut().zip(w) {
            *a = *a * old + w * new;
        }
    });
    tensor(average)
}

/// The sum of the squares of all numbers, where they are on flex and need not
/// be waited for. It is added up in parts whose bounds depend on the length
/// alone, and these in f64: the same bits for any number of threads.
pub fn squares_on_flex<const D: usize>(x: &Tensor<D>) -> Option<f64> {
    if !fused([Some(x), None, None]) {
        return None;
    }
    let x = primitive(x.clone());
    let square = |part| widest(Squares(part));
    let parts = values(&x).chunks(CHUNK);
    Some(match parts.len() {
        1 => parts.map(square).sum(),
        _ => {
            let parts = values(&x).par_chunks(CHUNK).map(square);
            parts.collect::<Vec<f64>>().iter().sum()
        }
    })
}

/// Sums that run side by side.
const LANES: usize = 64;

struct Squares<'a>(&'a [f32]);

impl Kernel for Squares<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<V: Vector>(self) -> f64 {
        let rows = self.0.chunks_exact(LANES);
        let rest = rows.remainder().iter().map(|&x| f64::from(x * x));
        let mut sums = [0.0f32; LANES];
        for row in rows {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x * x;
            }
        }
        let sums = sums.iter().map(|&sum| f64::from(sum));
        sums.sum::<f64>() + rest.sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    /// More than one chunk, and one that is not full.
    const SHAPE: [usize; 2] = [301, 411];

    fn random() -> Tensor<2> {
        Tensor::random(SHAPE, Distribution::Normal(0.0, 1.0), &Device::flex())
    }

    fn numbers(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn soft_thresholding_shrinks_and_leaves_exact_zeros() {
        let x = random();
        let before = numbers(x.clone());
        let after = numbers(soft_threshold(x, 0.5));
        let mut zeros = 0;
        for (before, after) in before.into_iter().zip(after) {
            let wanted = before.signum() * (before.abs() - 0.5).max(0.0);
            assert!((after - wanted).abs() < 1e-6, "{before}: {after}");
            zeros += usize::from(after.to_bits() == 0);
        }
        // 38 % of a normal distribution are within half a deviation.
        assert!((40_000..55_000).contains(&zeros), "{zeros}");
    }

    #[test]
    fn a_blend_gives_the_bits_of_burns_operations() {
        let (average, weights) = (random(), random());
        let wanted =
            average.clone().mul_scalar(0.99f32) + weights.clone().mul_scalar(1.0 - 0.99f64);
        let found = blend(average, weights, 0.99);
        assert_eq!(numbers(found), numbers(wanted));
    }

    #[test]
    fn squares_are_added_up_exactly_enough() {
        let x = random();
        let wanted: f64 = numbers(x.clone())
            .into_iter()
            .map(|x| f64::from(x).powi(2))
            .sum();
        let found = squares_on_flex(&x).expect("it is on flex");
        assert!((found / wanted - 1.0).abs() < 1e-6);
        assert_eq!(squares_on_flex(&x.cast(burn::tensor::DType::F64)), None);
    }
}
