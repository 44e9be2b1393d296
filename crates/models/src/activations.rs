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
    /// Whether a layer is being computed: those inside it are parts of it.
    inside: bool,
    seen: Vec<Seen>,
    /// The layer, by number, whose output gradients are asked for.
    target: Option<usize>,
    gradient: Option<GradientOf>,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Whether the output of the next layer is kept.
pub(crate) fn is_on() -> bool {
    WATCH.with_borrow(|watch| watch.as_ref().is_some_and(|watch| !watch.inside))
}

fn set_inside(inside: bool) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.inside = inside;
        }
    });
}

/// Computes a layer, keeps its output and hands it on.
pub(crate) fn seen<const I: usize, const D: usize>(
    x: Tensor<I>,
    (kind, weight): (&'static str, Option<ParamId>),
    compute: impl FnOnce(Tensor<I>) -> Tensor<D>,
) -> Tensor<D> {
    set_inside(true);
    let y = compute(x);
    set_inside(false);
    let values = y.to_data();
    WATCH.with_borrow_mut(|watch| {
        let Some(watch) = watch else { return y };
        let y = match watch.target == Some(watch.seen.len()) {
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
fn watched<T>(target: Option<usize>, run: impl FnOnce() -> T) -> (T, Watch) {
    // Also after a panic nothing is kept any more.
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            WATCH.take();
        }
    }
    let _off = Off;
    WATCH.set(Some(Watch {
        target,
        ..Watch::default()
    }));
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
    let (scores, watch) = watched(None, || plain.forward(images.without_autodiff()));
    (scores, named(network, watch.seen))
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
    let (scores, mut watch) = watched(Some(layer), || frozen.forward(images));
    let gradient = watch.gradient.take()?;
    let gradients = scores_of(scores, class).backward();
    let activation = named(network, watch.seen).swap_remove(layer);
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
    fn every_layer_of_a_summary_is_seen_and_no_other() {
        for name in ["lenet", "resnet20", "lenet5-1998", "mobilenet_v2-cifar"] {
            let (network, images) = network(name);
            let input = find(name).expect("a network").form.task().input;
            let (_, seen) = activations(&network, images);
            let steps = network.steps(input).expect("fits");
            let kinds = |kinds: Vec<&'static str>| kinds.join(", ");
            assert_eq!(
                kinds(seen.iter().map(|seen| seen.kind).collect()),
                kinds(steps.iter().map(|step| step.kind).collect()),
                "{name}"
            );
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
        assert_eq!(maps.gradient.shape(), maps.activation.values.shape());
        assert!(maps.gradient.iter::<f32>().any(|value| value != 0.0));
        assert!(sensitivity(&network, images, &[3, 7], last + 1).is_none());
    }
}
