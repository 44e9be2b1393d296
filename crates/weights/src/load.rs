//! Putting weights into a network.

use crate::{
    Names, StateDict, WeightsError,
    file::WeightFile,
    names::{Found, inventory},
};
use burn::{
    module::{Module, ModuleMapper, Param},
    store::ModuleRecord,
    tensor::{Tensor, TensorData},
};
use std::{collections::BTreeSet, path::Path};

/// Differences that an error names.
const SHOWN: usize = 6;

/// Loads what [`StateDict::read`] reads into `module`, which must have exactly
/// these tensors. Parameters that were not drawn yet never are.
///
/// Clones of a module share its running statistics, which change in all of
/// them.
///
/// # Errors
/// Those of [`StateDict::read`], and when the tensors are not those of the
/// network.
pub fn load_weights<M: Module>(module: M, path: &Path) -> Result<M, WeightsError> {
    Ok(transfer_weights(module, path, &[])?.0)
}

/// Loads weights as [`load_weights`] does, except below the names in `head`,
/// such as `fc` or `classifier.6`: there, tensors that the file does not have
/// or has in another shape stay those of `module`, and are returned by name,
/// and tensors of the file that the network does not have are left out.
///
/// # Errors
/// Those of [`load_weights`], and when the network has nothing below one of
/// the names.
pub fn transfer_weights<M: Module>(
    module: M,
    path: &Path,
    head: &[&str],
) -> Result<(M, Vec<String>), WeightsError> {
    let network = inventory(&module);
    check_head(&network, head)?;
    let file = WeightFile::open(path)?;
    let (fitting, other): (Vec<&Found>, Vec<&Found>) = network
        .iter()
        .partition(|found| file.shape(&found.name) == Some(&found.shape));
    let (kept, wrong): (Vec<&Found>, Vec<&Found>) = other
        .into_iter()
        .partition(|found| head.iter().any(|head| is_below(&found.name, head)));
    let wanted: BTreeSet<&str> = network.iter().map(|found| found.name.as_str()).collect();
    let unknown = file
        .shapes()
        .map(|(name, _)| name)
        .filter(|name| !wanted.contains(name) && !head.iter().any(|head| is_below(name, head)));
    let mut differences: Vec<String> = wrong
        .into_iter()
        .map(|found| match file.shape(&found.name) {
            None => format!("{} is missing", found.name),
            Some(shape) => format!("{} is {shape:?} instead of {:?}", found.name, found.shape),
        })
        .collect();
    differences.sort();
    differences.extend(unknown.map(|name| format!("{name} is unknown")));
    if !differences.is_empty() {
        return Err(unfit(path, &differences, 2 * fitting.len() < network.len()));
    }
    let weights = file.read(fitting.iter().map(|found| found.name.as_str()))?;
    let kept = kept.iter().map(|found| found.name.clone()).collect();
    let names = Names::default();
    Ok((module.map(&mut Fill { names, weights }), kept))
}

/// Loads the weights of a checkpoint, in Burn's own format, into `module`.
///
/// # Errors
/// When the file is missing or damaged or holds another network's weights.
pub fn load_checkpoint_weights<M: Module>(module: M, path: &Path) -> Result<M, WeightsError> {
    let record = ModuleRecord::load(path).map_err(|error| WeightsError::Unreadable {
        path: path.display().to_string(),
        cause: format!(
            "{}; the file is missing, damaged or no checkpoint",
            innermost(&error.to_string())
        ),
    })?;
    module
        .try_load_record(record)
        .map_err(|error| WeightsError::AnotherNetwork {
            path: path.display().to_string(),
            differences: innermost(&error.to_string()),
        })
}

fn is_below(name: &str, head: &str) -> bool {
    let rest = name.strip_prefix(head.trim_end_matches('.'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn check_head(network: &[Found], head: &[&str]) -> Result<(), WeightsError> {
    let mut absent = head.iter().filter(|head| {
        let mut tensors = network.iter();
        !tensors.any(|found| is_below(&found.name, head))
    });
    let Some(head) = absent.next() else {
        return Ok(());
    };
    let mut known: Vec<&str> = Vec::new();
    for outermost in network
        .iter()
        .filter_map(|found| found.name.split('.').next())
    {
        if !known.contains(&outermost) {
            known.push(outermost);
        }
    }
    Err(WeightsError::NoHead {
        head: (*head).to_owned(),
        known: known.join(", "),
    })
}

fn unfit(path: &Path, differences: &[String], is_another_network: bool) -> WeightsError {
    let path = path.display().to_string();
    let plural = match differences.len() {
        1 => "",
        _ => "s",
    };
    let shown = &differences[..differences.len().min(SHOWN)];
    let more = match differences.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let count = differences.len();
    let differences = format!("{count} difference{plural}: {}{more}", shown.join(", "));
    match is_another_network {
        true => WeightsError::AnotherNetwork { path, differences },
        false => WeightsError::Unfit { path, differences },
    }
}

/// What the system said, without the layers that Burn wraps around it.
fn innermost(error: &str) -> String {
    let text = error.rsplit("I/O error: ").next().unwrap_or(error);
    let words: Vec<_> = text.trim_end_matches('`').split_whitespace().collect();
    words.join(" ")
}

/// Replaces every parameter that there are weights for; their shapes were
/// compared.
struct Fill {
    names: Names,
    weights: StateDict,
}

impl ModuleMapper for Fill {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.names.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(tensor) = self.weights.0.remove(&self.names.pytorch()) else {
            return param;
        };
        // Here and not on the device: a view with swapped axes would be
        // multiplied in another order, with other last bits.
        let tensor = match self.names.is_transposed() {
            true => tensor.transposed(),
            false => tensor,
        };
        let data = TensorData::new(tensor.values, tensor.shape);
        let tensor = Tensor::from_data(data, &param.lazy_device());
        let id = param.id;
        param.transform_for_load(tensor, id)
    }
}
