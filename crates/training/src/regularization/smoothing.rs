//! Label smoothing: C. Szegedy et al. 2016, section 7.

use burn::tensor::{Tensor, activation::log_softmax};

/// `losses` against the true classes, with the share `smoothing` of the target
/// spread evenly over all classes.
///
/// # Shapes
/// losses `[batch]`, logits `[batch, classes]`, result `[batch]`.
pub(crate) fn smoothed(losses: Tensor<1>, logits: Tensor<2>, smoothing: f64) -> Tensor<1> {
    if smoothing == 0.0 {
        return losses;
    }
    let uniform = log_softmax(logits, 1).mean_dim(1).squeeze_dim::<1>(1); // [batch]
    losses * (1.0 - smoothing) - uniform * smoothing
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use kiln_kernels::cross_entropy;

    #[test]
    fn smoothing_is_the_cross_entropy_of_the_softer_target() {
        let device = Device::flex();
        let logits: Tensor<2> = Tensor::from_floats([[2.0, -1.0, 0.5]], &device);
        let losses = cross_entropy(logits.clone(), Tensor::from_ints([0], &device));
        let found = smoothed(losses, logits, 0.3).into_scalar::<f32>();
        let exps = [2f64.exp(), (-1f64).exp(), 0.5f64.exp()];
        let target = [0.8, 0.1, 0.1];
        let sum: f64 = exps.iter().sum();
        let terms = target.iter().zip(exps).map(|(t, e)| -t * (e / sum).ln());
        assert!((f64::from(found) - terms.sum::<f64>()).abs() < 1e-6);
    }
}
