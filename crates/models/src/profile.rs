//! Timing a network layer by layer while it computes: forward by the clock,
//! backward by marks at the borders of each layer, which flex alone has.

use burn::tensor::Tensor;
use kiln_kernels::{Anchor, anchor, mark, on_flex, passed};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Instant,
};

/// When a layer was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedLayer {
    /// `conv`, `linear`, `batch norm`, `max pool` ...
    pub kind: &'static str,
    /// Begin and end of its forward.
    pub forward: [Instant; 2],
    /// Begin of its backward, where it had one and the backend is flex.
    pub backward: Option<Instant>,
    /// End of its backward; none for a layer whose input needs no gradient,
    /// which ends with the whole pass.
    pub backward_end: Option<Instant>,
}

#[derive(Default)]
struct Running {
    layers: Vec<TimedLayer>,
    last: Option<Anchor>,
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
    /// Whether the next layer is timed: none is inside another one.
    static LISTENING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `run`, which computes a network on this thread, and gives its layers
/// in the order of their forward. Gradients stay what they are but for the
/// order in which those of a tensor with several uses are added.
pub fn profile<T>(run: impl FnOnce() -> T) -> (T, Vec<TimedLayer>) {
    // Also after a panic nothing is timed any more.
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            LISTENING.set(false);
            RUNNING.take();
            passed();
        }
    }
    let _off = Off;
    RUNNING.set(Some(Running::default()));
    passed();
    LISTENING.set(true);
    let value = run();
    let mut layers = RUNNING.take().unwrap_or_default().layers;
    let marks: HashMap<_, _> = passed().into_iter().collect();
    for (number, layer) in layers.iter_mut().enumerate() {
        layer.backward = marks.get(&(2 * number + 1)).copied();
        layer.backward_end = marks.get(&(2 * number)).copied();
    }
    (value, layers)
}

/// Whether layers are timed now.
pub(crate) fn is_on() -> bool {
    LISTENING.get()
}

/// Computes a layer with a clock, and what is inside it without one.
pub(crate) fn timed<const I: usize, const O: usize>(
    x: Tensor<I>,
    kind: &'static str,
    compute: impl FnOnce(Tensor<I>) -> Tensor<O>,
) -> Tensor<O> {
    LISTENING.set(false);
    let device = x.device();
    let marked = device.is_autodiff() && on_flex(&device);
    let (number, last) = RUNNING.with_borrow_mut(|running| match running {
        Some(running) => (running.layers.len(), running.last.take()),
        None => (0, None),
    });
    let x = match marked {
        true => mark(x, 2 * number, last.as_ref()),
        false => x,
    };
    let begin = Instant::now();
    let y = compute(x);
    // Elsewhere than on flex the device may still be at it.
    let _ = device.sync();
    let forward = [begin, Instant::now()];
    let y = match marked {
        true => mark(y, 2 * number + 1, None),
        false => y,
    };
    RUNNING.with_borrow_mut(|running| {
        if let Some(running) = running {
            running.last = marked.then(|| anchor(&y));
            running.layers.push(TimedLayer {
                kind,
                forward,
                backward: None,
                backward_end: None,
            });
        }
    });
    LISTENING.set(true);
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Network, Options, build, find, materialize};
    use burn::{
        module::{Module, ModuleVisitor, Param},
        tensor::{Device, Distribution, Gradients},
    };

    struct Collect<'a> {
        gradients: &'a Gradients,
        values: Vec<f32>,
    }

    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = param.val().grad(self.gradients) {
                self.values.extend(gradient.into_data().iter::<f32>());
            }
        }
    }

    fn network(name: &str) -> (Network, Tensor<4>) {
        let task = find(name).expect("a network").form.task();
        let device = Device::flex();
        let network = build(name, &task, &Options::default(), &device).expect("builds");
        materialize(&network);
        let input = task.input;
        let shape = [2, input.channels, input.height, input.width];
        let images = Tensor::random(shape, Distribution::Default, &device.autodiff());
        (network.train(), images)
    }

    fn gradients(network: &Network, images: Tensor<4>) -> Vec<f32> {
        let gradients = network.forward(images).powi_scalar(2).mean().backward();
        let mut collect = Collect {
            gradients: &gradients,
            values: Vec::new(),
        };
        network.visit(&mut collect);
        collect.values
    }

    #[test]
    fn profiling_changes_no_gradient() {
        for name in ["lenet", "mlp", "resnet20", "lenet5-1998"] {
            let (network, images) = network(name);
            let plain = gradients(&network, images.clone());
            let (profiled, layers) = profile(|| gradients(&network, images));
            assert!(!plain.is_empty());
            assert!(plain == profiled, "{name}");
            // All but what comes before the first weights.
            let mut passed = layers.iter().skip(1);
            assert!(passed.all(|layer| layer.backward.is_some()), "{name}");
        }
    }

    #[test]
    fn layers_run_backward_in_the_reverse_of_their_order() {
        let (network, images) = network("resnet20");
        let steps = network.steps(find("resnet20").expect("it").form.task().input);
        let (_, layers) = profile(|| gradients(&network, images));
        let kinds: Vec<_> = layers.iter().map(|layer| layer.kind).collect();
        let expected: Vec<_> = steps.expect("fits").iter().map(|step| step.kind).collect();
        assert_eq!(kinds, expected);
        assert_eq!(layers[0].backward_end, None);
        for pair in layers.windows(2) {
            assert!(pair[0].forward[1] <= pair[1].forward[0]);
            assert!(pair[1].backward_end <= pair[0].backward);
        }
    }

    #[test]
    fn without_gradients_only_the_forward_is_timed() {
        let (network, images) = network("lenet");
        let (_, layers) = profile(|| network.valid().forward(images.inner()));
        assert!(!layers.is_empty());
        assert!(layers.iter().all(|layer| layer.backward.is_none()));
        assert!(!is_on());
    }
}
