//! Putting weights into a network.

use crate::{
    Names, StateDict, WeightsError,
    contents::refuse_no_file,
    differences::{Differences, Reshaped},
    file::WeightFile,
    names::{Found, inventory},
};
use burn::{
    module::{Module, ModuleMapper, Param},
    store::ModuleRecord,
    tensor::{Tensor, TensorData},
};
use std::{collections::BTreeSet, fs, path::Path};

/// Loads what [`StateDict::read`] reads into `module`, which must have exactly
/// these tensors. What all names of the file have before those of the network,
/// such as `model.`, is left out. Parameters that were not drawn yet never are.
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
    let mut file = WeightFile::open(path)?;
    let wanted: BTreeSet<&str> = network.iter().map(|found| found.name.as_str()).collect();
    let prefix = file.unwrap_for(&wanted);
    let in_head = |name: &str| head.iter().any(|head| is_below(name, head));
    let (fitting, other): (Vec<&Found>, Vec<&Found>) = network
        .iter()
        .partition(|found| file.shape(&found.name) == Some(&found.shape));
    let (kept, wrong): (Vec<&Found>, Vec<&Found>) =
        other.into_iter().partition(|found| in_head(&found.name));
    let mut differences = differences(&file, wrong);
    let unknown = file
        .names()
        .filter(|name| !wanted.contains(name) && !in_head(name));
    differences.unknown.extend(unknown.map(str::to_owned));
    if !differences.is_empty() {
        let counts = (fitting.len(), network.len());
        return Err(differences.error(path, prefix.as_ref(), counts));
    }
    let weights = file.read(fitting.iter().map(|found| found.name.as_str()))?;
    let kept = kept.iter().map(|found| found.name.clone()).collect();
    let names = Names::default();
    Ok((module.map(&mut Fill { names, weights }), kept))
}

/// What `file` has in another shape or not at all.
fn differences(file: &WeightFile, mut wrong: Vec<&Found>) -> Differences {
    let mut differences = Differences::default();
    wrong.sort_by(|a, b| a.name.cmp(&b.name));
    for found in wrong {
        let name = found.name.clone();
        match file.shape(&name) {
            None => differences.missing.push(name),
            Some(shape) => differences.reshaped.push(Reshaped {
                name,
                found: shape.to_vec(),
                wanted: found.shape.clone(),
            }),
        }
    }
    differences
}

/// Loads the weights of a checkpoint, in Burn's own format, into `module`.
///
/// # Errors
/// When the file is missing or damaged or holds another network's weights.
pub fn load_checkpoint_weights<M: Module>(module: M, path: &Path) -> Result<M, WeightsError> {
    let unreadable = |cause| WeightsError::Unreadable {
        path: path.display().to_string(),
        cause,
    };
    if let Ok(about) = fs::metadata(path) {
        refuse_no_file(&about).map_err(unreadable)?;
    }
    let record = ModuleRecord::load(path).map_err(|error| {
        let said = innermost(&error.to_string());
        unreadable(format!(
            "{said}; the file is missing, damaged or no checkpoint"
        ))
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
