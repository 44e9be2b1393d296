//! Finding the layer in which numbers stop being numbers.

use crate::Network;
use burn::{
    module::{Module, ParamId},
    tensor::Tensor,
};
use kiln_weights::parameter_names;
use std::cell::RefCell;

/// The layers seen so far, while somebody looks.
struct Watch {
    layer: usize,
    /// Name of the weight of the last layer that had one.
    last: Option<ParamId>,
    found: Option<Found>,
}

struct Found {
    kind: &'static str,
    weight: Option<ParamId>,
    after: Option<ParamId>,
    layer: usize,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Whether outputs are looked at.
pub(crate) fn is_on() -> bool {
    WATCH.with_borrow(Option::is_some)
}

/// Looks at the output of a layer.
pub(crate) fn look<const D: usize>(kind: &'static str, weight: Option<ParamId>, y: &Tensor<D>) {
    let data = y.clone().try_into_data();
    let finite = data.is_ok_and(|data| data.iter::<f32>().all(f32::is_finite));
    WATCH.with_borrow_mut(|watch| {
        let Some(watch) = watch else { return };
        watch.layer += 1;
        if !finite && watch.found.is_none() {
            watch.found = Some(Found {
                kind,
                weight,
                after: watch.last,
                layer: watch.layer,
            });
        }
        watch.last = weight.or(watch.last);
    });
}

/// Names the first layer whose output for `images` is infinite or NaN, if
/// there is one.
///
/// # Shapes
/// `[batch, channels, height, width]`
pub fn first_not_finite(network: &Network, images: Tensor<4>) -> Option<String> {
    WATCH.set(Some(Watch {
        layer: 0,
        last: None,
        found: None,
    }));
    let _logits = network.valid().forward(images.without_autodiff());
    let found = WATCH.take()?.found?;
    let names = parameter_names(network);
    let layer = |id: ParamId| {
        let name = names.iter().find(|(other, _)| *other == id);
        name.map(|(_, name)| name.trim_end_matches(".weight").to_owned())
    };
    Some(
        match (found.weight.and_then(layer), found.after.and_then(layer)) {
            (Some(name), _) => format!("{name} ({})", found.kind),
            (None, Some(name)) => format!("the {} after {name}", found.kind),
            (None, None) => format!("layer {} ({})", found.layer, found.kind),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, build, find, materialize};
    use burn::{
        module::{ModuleMapper, Param},
        tensor::Device,
    };

    /// Makes the weights of one parameter infinite.
    struct Spoil(ParamId);

    impl ModuleMapper for Spoil {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            match param.id == self.0 {
                true => param.map(|weights| weights * f32::INFINITY),
                false => param,
            }
        }
    }

    #[test]
    fn the_layer_that_spoils_the_numbers_is_named() {
        let task = find("lenet").expect("a network").form.task();
        let device = Device::flex();
        let network = build("lenet", &task, &Options::default(), &device).expect("builds");
        materialize(&network);
        let images = Tensor::ones([2, 1, 28, 28], &device);
        assert_eq!(first_not_finite(&network, images.clone()), None);
        let names = parameter_names(&network);
        let second = names.iter().find(|(_, name)| name == "conv2.weight");
        let (id, _) = second.expect("a second convolution");
        let spoilt = network.map(&mut Spoil(*id));
        let found = first_not_finite(&spoilt, images.clone());
        assert_eq!(found.as_deref(), Some("conv2 (conv)"));
        let found = first_not_finite(&spoilt, images * f32::NAN);
        assert_eq!(found.as_deref(), Some("conv1 (conv)"));
        assert!(!is_on());
    }
}
