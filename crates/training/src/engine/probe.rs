//! Where numbers stop being numbers: asked when a training diverges.

use crate::Batch;
use burn::{
    module::{Module, ParamId},
    tensor::Tensor,
};
use kiln_weights::parameter_names;

/// Names the first layer of a network whose output is infinite or NaN for some
/// images, if there is one.
pub type Probe<N> = fn(&N, Tensor<4>) -> Option<String>;

/// In which layer the loss of a batch went wrong.
pub(super) fn loss_place<N: Module>(network: &N, batch: Batch, probe: Probe<N>) -> String {
    match probe(network, batch.images) {
        Some(layer) => format!(", first in {layer}"),
        None => ", in the loss itself".to_owned(),
    }
}

/// Which parameter's gradient went wrong.
pub(super) fn gradient_place<N: Module>(network: &N, id: ParamId) -> String {
    let names = parameter_names(network);
    let name = names.iter().find(|(other, _)| *other == id);
    match name {
        Some((_, name)) => format!(", in the gradient of {name}"),
        None => ", in a gradient".to_owned(),
    }
}
