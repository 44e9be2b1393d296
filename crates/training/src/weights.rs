//! The weights of a network under PyTorch's names and in PyTorch's layout:
//! as a safetensors file and as a fingerprint.

use crate::engine::innermost;
use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    store::ModuleRecord,
    tensor::{Tensor, TensorData},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fs, path::Path};

/// Why weights cannot be read or do not fit.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file is not there or cannot be read.
    #[error(
        "the weights {path} cannot be read: {cause}; the file is missing, damaged or no weight file"
    )]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The file holds the weights of another network.
    #[error("{path} holds the weights of another network: {differences}")]
    Unfit {
        /// The file.
        path: String,
        /// The first tensors that are missing, unknown or of another shape.
        differences: String,
    },
    /// The device did not give the weights back.
    #[error("the weights could not be read from the device: {0}")]
    Device(String),
    /// A weight is infinite or no number.
    #[error("the weight {0} is infinite or NaN")]
    NotFinite(String),
    /// Safetensors refused to write.
    #[error("the weights could not be written as safetensors: {0}")]
    Format(String),
}

/// A tensor on the host.
struct Values {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Every parameter and running statistic by its PyTorch name, sorted.
type StateDict = BTreeMap<String, Values>;

/// SHA-256 over name, dtype, shape and little-endian bytes of every parameter
/// and running statistic, sorted by name: equal weights give equal hashes
/// whatever file or device they are in.
///
/// # Errors
/// When the device does not give a tensor back.
pub fn weights_sha256<M: Module>(module: &M) -> Result<String, WeightsError> {
    let mut hash = Sha256::new();
    for (name, values) in state_dict(module)? {
        hash.update(format!("{name} F32 {:?}\n", values.shape));
        hash.update(values.bytes);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// The weights as a safetensors file without metadata: equal weights are equal
/// bytes.
///
/// # Errors
/// When the device does not give a tensor back.
pub fn weights_bytes<M: Module>(module: &M) -> Result<Vec<u8>, WeightsError> {
    let tensors = state_dict(module)?;
    let format = |error: safetensors::SafeTensorError| WeightsError::Format(error.to_string());
    let views = tensors
        .iter()
        .map(|(name, values)| {
            let view = TensorView::new(Dtype::F32, values.shape.clone(), &values.bytes);
            Ok((name, view.map_err(format)?))
        })
        .collect::<Result<Vec<_>, WeightsError>>()?;
    safetensors::serialize(views, None).map_err(format)
}

/// Loads a safetensors file with PyTorch's names and layout into `module`.
///
/// # Errors
/// When the file is missing or damaged, or its tensors are not those of the
/// network.
pub fn load_weights<M: Module>(module: M, path: &Path) -> Result<M, WeightsError> {
    let unreadable = |cause: String| WeightsError::Unreadable {
        path: path.display().to_string(),
        cause,
    };
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| unreadable(error.to_string()))?;
    let wanted = state_dict(&module)?;
    let differences: Vec<String> = wanted
        .iter()
        .filter_map(|(name, values)| match file.tensor(name) {
            Err(_) => Some(format!("{name} is missing")),
            Ok(tensor) if tensor.dtype() != Dtype::F32 => {
                Some(format!("{name} is {:?} instead of F32", tensor.dtype()))
            }
            Ok(tensor) if tensor.shape() != values.shape => Some(format!(
                "{name} is {:?} instead of {:?}",
                tensor.shape(),
                values.shape
            )),
            Ok(_) => None,
        })
        .chain(
            file.names()
                .into_iter()
                .filter(|name| !wanted.contains_key(*name))
                .map(|name| format!("{name} is unknown")),
        )
        .collect();
    if !differences.is_empty() {
        let shown = differences
            .iter()
            .take(6)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match differences.len() {
            0..=6 => String::new(),
            count => format!(" and {} more", count - 6),
        };
        return Err(WeightsError::Unfit {
            path: path.display().to_string(),
            differences: shown + &more,
        });
    }
    Ok(module.map(&mut Fill {
        names: Names::default(),
        file: &file,
    }))
}

/// Loads the weights of a checkpoint, in Burn's own format, into `module`.
///
/// # Errors
/// When the file is missing or damaged or holds another network's weights.
pub fn load_checkpoint_weights<M: Module>(module: M, path: &Path) -> Result<M, WeightsError> {
    let record = ModuleRecord::load(path).map_err(|error| WeightsError::Unreadable {
        path: path.display().to_string(),
        cause: innermost(&error.to_string()),
    })?;
    module
        .try_load_record(record)
        .map_err(|error| WeightsError::Unfit {
            path: path.display().to_string(),
            differences: innermost(&error.to_string()),
        })
}

fn state_dict<M: Module>(module: &M) -> Result<StateDict, WeightsError> {
    let mut collect = Collect::default();
    module.visit(&mut collect);
    match collect.error {
        Some(error) => Err(error),
        None => Ok(collect.tensors),
    }
}

/// The way from the root of a module to a parameter.
#[derive(Default)]
struct Names(Vec<(String, String)>);

impl Names {
    fn enter(&mut self, name: &str, container: &str) {
        self.0.push((name.to_owned(), container.to_owned()));
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    /// PyTorch's name: without variants of enums, and with a norm's `gamma`
    /// and `beta` as `weight` and `bias`.
    fn pytorch(&self) -> String {
        let parts = self
            .0
            .iter()
            .filter(|(_, container)| !container.starts_with("Enum:"));
        let parts =
            parts.map(
                |(name, container)| match (container.contains("Norm"), name.as_str()) {
                    (true, "gamma") => "weight",
                    (true, "beta") => "bias",
                    (_, name) => name,
                },
            );
        parts.collect::<Vec<_>>().join(".")
    }

    /// Whether PyTorch keeps this parameter transposed: the weight of a linear layer.
    fn is_transposed(&self) -> bool {
        matches!(self.0.last(), Some((name, container)) if name == "weight" && container == "Struct:Linear")
    }
}

#[derive(Default)]
struct Collect {
    names: Names,
    tensors: StateDict,
    error: Option<WeightsError>,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.names.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.names.is_transposed() {
            true => param.val().swap_dims(0, 1),
            false => param.val(),
        };
        match tensor.try_into_data() {
            Ok(data) => {
                let shape = data.shape().to_vec();
                if !data.iter::<f32>().all(f32::is_finite) {
                    self.error = Some(WeightsError::NotFinite(self.names.pytorch()));
                }
                let bytes = data.iter::<f32>().flat_map(f32::to_le_bytes).collect();
                self.tensors
                    .insert(self.names.pytorch(), Values { shape, bytes });
            }
            Err(error) => self.error = Some(WeightsError::Device(error.to_string())),
        }
    }
}

/// Replaces every parameter by the file's, which was checked to be complete.
struct Fill<'a> {
    names: Names,
    file: &'a SafeTensors<'a>,
}

impl ModuleMapper for Fill<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.names.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Ok(view) = self.file.tensor(&self.names.pytorch()) else {
            return param;
        };
        let mut values: Vec<f32> = view
            .data()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        let mut shape = view.shape().to_vec();
        if self.names.is_transposed() {
            // Here and not on the device: a view with swapped axes would be
            // multiplied in another order, with other last bits.
            let columns = shape[1];
            values = (0..values.len())
                .map(|at| values[at % shape[0] * columns + at / shape[0]])
                .collect();
            shape.swap(0, 1);
        }
        param.map(|old| Tensor::from_data(TensorData::new(values, shape), &old.device()))
    }
}
