//! What every layer of a network gives for some images, and how much a class
//! score depends on it.

use crate::Network;
use burn::{
    module::{Module, ParamId},
    tensor::{Gradients, Tensor, TensorData},
};
use kiln_weights::parameter_names;
use std::cell::RefCell;

/// The output of a layer.
#[derive(Clone, Debug)]
pub struct Activation {
    /// `conv`, `linear`, `batch norm`, `max pool` ...
    pub kind: &'static str,
    /// Path of the layer, as `features.0`, where it has a weight.
    pub layer: Option<String>,
    /// Its values, `[batch, channels, height, width]` or `[batch, features]`.
    pub values: TensorData,
}

/// How a class score depends on the output of a layer.
#[derive(Clone, Debug)]
pub struct Sensitivity {
    /// The output.
    pub activation: Activation,
    /// Derivative of the sum of the scores by each of its values, in its shape.
    pub gradient: TensorData,
}

type GradientOf = Box<dyn FnOnce(&Gradients) -> Option<TensorData>>;

struct Seen {
    kind: &'static str,
    weight: Option<ParamId>,
    values: TensorData,
}

#[derive(Default)]
struct Watch {
    seen: Vec<Seen>,
    /// Layers that came by.
    passed: usize,
    /// The layer, by number, whose output alone is kept.
    only: Option<usize>,
    /// Whether its gradients are asked for.
    tracked: bool,
    gradient: Option<GradientOf>,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Whether outputs are kept.
pub(crate) fn is_on() -> bool {
    WATCH.with_borrow(Option::is_some)
}

/// Computes a layer without a look at the layers that it is made of.
pub(crate) fn unseen<T>(compute: impl FnOnce() -> T) -> T {
    let watch = WATCH.take();
    let value = compute();
    WATCH.set(watch);
    value
}

/// Keeps the output of a layer, and hands it on.
pub(crate) fn see<const D: usize>(
    kind: &'static str,
    weight: Option<ParamId>,
    y: Tensor<D>,
) -> Tensor<D> {
    WATCH.with_borrow_mut(|watch| {
        let Some(watch) = watch else { return y };
        let number = watch.passed;
        watch.passed += 1;
        if watch.only.is_some_and(|only| only != number) {
            return y;
        }
        let values = y.to_data();
        let y = match watch.tracked {
            true => {
                // Nothing before it is tracked, so that it is a leaf.
                let y = y.require_grad();
                let leaf = y.clone();
                watch.gradient = Some(Box::new(move |gradients| {
                    Some(leaf.grad(gradients)?.into_data())
                }));
                y
            }
            false => y,
        };
        watch.seen.push(Seen {
            kind,
            weight,
            values,
        });
        y
    })
}

/// Runs `run` and gives what the layers in it gave.
fn watched<T>(watch: Watch, run: impl FnOnce() -> T) -> (T, Watch) {
    // Also after a panic nothing is kept any more.
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            WATCH.take();
        }
    }
    let _off = Off;
    WATCH.set(Some(watch));
    let value = run();
    (value, WATCH.take().unwrap_or_default())
}

fn named(network: &Network, seen: Vec<Seen>) -> Vec<Activation> {
    let names = parameter_names(network);
    let layer = |id: ParamId| {
        let (_, name) = names.iter().find(|(other, _)| *other == id)?;
        Some(name.trim_end_matches(".weight").to_owned())
    };
    seen.into_iter()
        .map(|seen| Activation {
            kind: seen.kind,
            layer: seen.weight.and_then(layer),
            values: seen.values,
        })
        .collect()
}

/// The class scores of `images`, and the output of every layer in the order of
/// computation, as in evaluation: no dropout, batch norm by its running
/// statistics.
///
/// # Shapes
/// `[batch, channels, height, width]` to `[batch, classes]`.
pub fn activations(network: &Network, images: Tensor<4>) -> (Tensor<2>, Vec<Activation>) {
    let plain = network.valid();
    let run = || plain.forward(images.without_autodiff());
    let (scores, watch) = watched(Watch::default(), run);
    (scores, named(network, watch.seen))
}

/// The output of the layer with the number `layer` of [`activations`] alone;
/// none when there is no such layer.
///
/// # Shapes
/// `[batch, channels, height, width]` to the layer's output.
pub fn activation(network: &Network, images: Tensor<4>, layer: usize) -> Option<Activation> {
    let plain = network.valid();
    let watch = Watch {
        only: Some(layer),
        ..Watch::default()
    };
    let (_, watch) = watched(watch, || plain.forward(images.without_autodiff()));
    named(network, watch.seen).pop()
}

/// The derivatives of the class scores that `class` names, one for each image,
/// by the pixels of the images; as in evaluation. A score depends on its own
/// image alone.
///
/// # Shapes
/// `[batch, channels, height, width]` to the same.
pub fn input_gradient(network: &Network, images: Tensor<4>, class: &[usize]) -> TensorData {
    let images = Tensor::from_data(images.to_data(), &images.device().autodiff()).require_grad();
    let gradients = scores_of(frozen(network).forward(images.clone()), class).backward();
    match images.grad(&gradients) {
        Some(gradient) => gradient.into_data(),
        // No score depends on the image.
        None => images.zeros_like().into_data(),
    }
}

/// How the class scores that `class` names, one for each image, depend on the
/// output of the layer with the number `layer` of [`activations`]; none when
/// there is no such layer. Grad-CAM is made of it (R. Selvaraju et al. 2017).
///
/// # Shapes
/// `[batch, channels, height, width]` to the layer's output.
pub fn sensitivity(
    network: &Network,
    images: Tensor<4>,
    class: &[usize],
    layer: usize,
) -> Option<Sensitivity> {
    let images = Tensor::from_data(images.to_data(), &images.device().autodiff());
    let frozen = frozen(network);
    let watch = Watch {
        only: Some(layer),
        tracked: true,
        ..Watch::default()
    };
    let (scores, mut watch) = watched(watch, || frozen.forward(images));
    let gradient = watch.gradient.take()?;
    let gradients = scores_of(scores, class).backward();
    let activation = named(network, watch.seen).pop()?;
    let zeros = || TensorData::zeros::<f32, _>(activation.values.shape().clone());
    let gradient = gradient(&gradients).unwrap_or_else(zeros);
    Some(Sensitivity {
        activation,
        gradient,
    })
}

/// The network on a device with gradients, but neither learning nor in training.
fn frozen(network: &Network) -> Network {
    network.valid().freeze().train()
}

/// The sum of one score of each image.
fn scores_of(scores: Tensor<2>, class: &[usize]) -> Tensor<1> {
    let [batch, classes] = scores.dims();
    let mut chosen = vec![0.0f32; batch * classes];
    for (image, class) in class.iter().enumerate() {
        chosen[image * classes + class] = 1.0;
    }
    let chosen = TensorData::new(chosen, [batch, classes]);
    (scores.clone() * Tensor::from_data(chosen, &scores.device())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, build, find, materialize};
    use burn::tensor::{Device, Distribution};

    fn network(name: &str) -> (Network, Tensor<4>) {
        let task = find(name).expect("a network").form.task();
        let device = Device::flex();
        let network = build(name, &task, &Options::default(), &device).expect("builds");
        materialize(&network);
        let input = task.input;
        let shape = [2, input.channels, input.height, input.width];
        (
            network,
            Tensor::random(shape, Distribution::Default, &device),
        )
    }

    #[test]
    fn the_maps_of_the_lecture_have_its_shapes() {
        let (network, images) = network("cnn-ntu");
        let (scores, seen) = activations(&network, images.clone());
        let shapes: Vec<_> = seen
            .iter()
            .filter(|seen| ["conv", "max pool"].contains(&seen.kind))
            .map(|seen| seen.values.shape().to_vec())
            .collect();
        let wanted = [
            [2, 32, 28, 28],
            [2, 32, 14, 14],
            [2, 64, 14, 14],
            [2, 64, 7, 7],
        ];
        assert_eq!(shapes, wanted);
        let last = seen.last().expect("layers");
        assert_eq!(last.values, scores.to_data());
        assert_eq!(seen[0].layer.as_deref(), Some("conv1"));
        assert_eq!(scores.to_data(), network.forward(images).to_data());
        assert!(!is_on());
    }

    #[test]
    fn the_layers_are_those_that_are_followed() {
        // Shortcuts, layers made of others, transposed convolutions, vectors.
        for name in [
            "resnet20",
            "lenet5-1998",
            "encoder-decoder",
            "locally-connected",
            "signal",
            "cnn-macau",
            "mobilenet_v2-cifar",
        ] {
            let (network, images) = network(name);
            let steps = network.steps(find(name).expect("it").form.task().input);
            let steps = steps.expect("fits").into_iter();
            let followed: Vec<_> = steps.map(|step| (step.kind, step.output)).collect();
            let (_, seen) = activations(&network, images);
            let seen = seen.iter();
            let seen: Vec<_> = seen
                .map(|seen| (seen.kind, seen.values.shape()[1..].to_vec()))
                .collect();
            assert_eq!(seen, followed, "{name}");
        }
    }

    #[test]
    fn gradients_are_those_of_small_differences() {
        // Batch norm by its running statistics, residual paths, strides.
        for name in ["lenet", "resnet20"] {
            let (network, images) = network(name);
            let class = [3, 7];
            let gradient = input_gradient(&network, images.clone(), &class);
            let squares: f64 = gradient.iter::<f64>().map(|value| value * value).sum();
            let norm = squares.sqrt();
            // Uphill, where the slope is steepest: the norm itself.
            let direction = Tensor::from_data(gradient, &images.device()) / norm;
            let score = |step: f64| -> f64 {
                let moved = images.clone() + direction.clone() * step;
                let scores = network.forward(moved);
                f64::from(scores_of(scores, &class).into_scalar::<f32>())
            };
            let step = 1e-3;
            let measured = (score(step) - score(-step)) / (2.0 * step);
            assert!(
                (measured - norm).abs() < 0.05 * norm,
                "{name}: {measured} {norm}"
            );
        }
    }

    #[test]
    fn the_score_of_a_linear_head_depends_by_its_weights() {
        let (network, images) = network("lenet");
        let (_, seen) = activations(&network, images.clone());
        let last = seen.len() - 1;
        let own = sensitivity(&network, images.clone(), &[3, 7], last).expect("a layer");
        let gradient: Vec<f32> = own.gradient.iter::<f32>().collect();
        let ones: Vec<_> = (0..20).filter(|at| gradient[*at] == 1.0).collect();
        assert_eq!(ones, [3, 17]);
        assert_eq!(gradient.iter().sum::<f32>(), 2.0);
        let maps = seen.iter().position(|seen| seen.kind == "conv");
        let maps = sensitivity(
            &network,
            images.clone(),
            &[3, 7],
            maps.expect("a convolution"),
        );
        let maps = maps.expect("a layer");
        let [alone, own] = [0, last].map(|layer| {
            let one = activation(&network, images.clone(), layer);
            one.expect("a layer").values
        });
        assert_eq!((&alone, &own), (&seen[0].values, &seen[last].values));
        assert_eq!(maps.activation.values, alone);
        assert!(activation(&network, images.clone(), last + 1).is_none());
        assert_eq!(maps.gradient.shape(), maps.activation.values.shape());
        assert!(maps.gradient.iter::<f32>().any(|value| value != 0.0));
        assert!(sensitivity(&network, images, &[3, 7], last + 1).is_none());
    }
}
