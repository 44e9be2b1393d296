//! The path of an optimizer on a function of a few numbers.

use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use kiln_lab::LabError;
use kiln_training::OptimizerSettings;

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

/// The points from `start` on, one more than `steps`, on the way down `function`,
/// which takes a tensor `[numbers]` and gives `[1]`; all in float32 on the host.
///
/// # Errors
/// When there is no such optimizer.
pub fn trajectory(
    settings: &OptimizerSettings,
    start: &[f32],
    steps: usize,
    function: fn(Tensor<1>) -> Tensor<1>,
) -> Result<Vec<Vec<f64>>, LabError> {
    let device = Device::flex().autodiff();
    let start = TensorData::new(start.to_vec(), [start.len()]);
    let mut point = Point {
        at: Param::from_tensor(Tensor::from_data(start, &device)),
    };
    let values = |point: &Point| point.at.val().into_data().iter::<f64>().collect();
    let mut optimizer = settings.build()?;
    let mut path: Vec<Vec<f64>> = vec![values(&point)];
    for _ in 0..steps {
        let gradients = function(point.at.val()).backward();
        let gradients = GradientsParams::from_grads(gradients, &point);
        point = optimizer.step(settings.lr, point, gradients);
        path.push(values(&point));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_training::find_optimizer;

    #[test]
    fn gradient_descent_on_a_parabola_halves_the_way() {
        let mut settings = find_optimizer("gd").expect("an optimizer").defaults();
        settings.lr = 0.25;
        let square = |x: Tensor<1>| x.square().sum();
        let path = trajectory(&settings, &[8.0, -4.0], 3, square).expect("a path");
        let wanted = [[8.0, -4.0], [4.0, -2.0], [2.0, -1.0], [1.0, -0.5]];
        assert_eq!(path, wanted);
    }
}
