//! A second task beside the classes, on the same trunk: whether the class is
//! even or odd, by two more outputs of the last layer. Multi-task learning: R.
//! Caruana 1997.

use burn::tensor::{Int, Tensor};
use kiln_kernels::cross_entropy;

/// Outputs of the second task.
pub(crate) const PARITIES: usize = 2;

/// The scores of the classes, the first `classes` outputs of a network.
///
/// # Shapes
/// `[batch, outputs]` to `[batch, classes]`.
pub fn class_scores(outputs: Tensor<2>, classes: usize) -> Tensor<2> {
    match outputs.dims()[1] > classes {
        true => outputs.narrow(1, 0, classes),
        false => outputs,
    }
}

/// The loss of the second task for each image.
///
/// # Shapes
/// outputs `[batch, classes + 2]`, targets `[batch]`, result `[batch]`.
pub(crate) fn parity_losses(
    outputs: Tensor<2>,
    targets: Tensor<1, Int>,
    classes: usize,
) -> Tensor<1> {
    let scores = outputs.narrow(1, classes, PARITIES);
    cross_entropy(scores, targets.remainder_scalar(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn the_last_two_outputs_say_even_or_odd() {
        let device = Device::flex();
        let outputs: Tensor<2> = Tensor::from_floats(
            [[1.0, 2.0, 3.0, 0.0, 1.0], [1.0, 2.0, 3.0, 0.0, 1.0]],
            &device,
        );
        assert_eq!(class_scores(outputs.clone(), 3).dims(), [2, 3]);
        assert_eq!(class_scores(outputs.clone(), 5).dims(), [2, 5]);
        let losses = parity_losses(outputs, Tensor::from_ints([2, 1], &device), 3);
        let losses: Vec<f32> = losses.into_data().iter::<f32>().collect();
        let even = (1.0 + 1f32.exp()).ln();
        assert!((losses[0] - even).abs() < 1e-6 && (losses[1] - even + 1.0).abs() < 1e-6);
    }
}
