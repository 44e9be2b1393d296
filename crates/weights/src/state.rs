//! Weights on the host, by name.

use crate::{Names, WeightsError, file::WeightFile};
use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};
use safetensors::{Dtype, View};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, collections::BTreeMap, path::Path};

/// A tensor on the host, in PyTorch's layout.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// Its extents, outermost first.
    pub shape: Vec<usize>,
    /// Its values, the last axis fastest.
    pub values: Vec<f32>,
}

impl HostTensor {
    /// The values as bytes, the lowest first.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 4 * self.values.len()];
        let places = bytes.as_chunks_mut().0.iter_mut();
        for (place, value) in places.zip(&self.values) {
            *place = value.to_le_bytes();
        }
        bytes
    }

    /// A matrix with rows for columns; anything else as it is.
    pub(crate) fn transposed(self) -> Self {
        const TILE: usize = 32;
        let [rows, columns] = self.shape[..] else {
            return self;
        };
        let mut values = vec![0.0; self.values.len()];
        for (top, left) in (0..rows)
            .step_by(TILE)
            .flat_map(|top| (0..columns).step_by(TILE).map(move |left| (top, left)))
        {
            for row in top..rows.min(top + TILE) {
                for column in left..columns.min(left + TILE) {
                    values[column * rows + row] = self.values[row * columns + column];
                }
            }
        }
        Self {
            shape: vec![columns, rows],
            values,
        }
    }
}

impl View for &HostTensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.bytes())
    }

    fn data_len(&self) -> usize {
        4 * self.values.len()
    }
}

/// Every parameter and running statistic of a network by its PyTorch name,
/// sorted.
#[derive(Clone, Debug, PartialEq)]
pub struct StateDict(pub(crate) BTreeMap<String, HostTensor>);

impl StateDict {
    /// The weights of `module`.
    ///
    /// # Errors
    /// When the device does not give a tensor back, or a value is infinite or
    /// no number.
    pub fn of<M: Module>(module: &M) -> Result<Self, WeightsError> {
        let mut collect = Collect::default();
        module.visit(&mut collect);
        match collect.error {
            Some(error) => Err(error),
            None => Ok(Self(collect.tensors)),
        }
    }

    /// The weights in a safetensors file or a PyTorch checkpoint: which of
    /// them is seen from the content. A checkpoint may hold them at the top
    /// or under `state_dict`, `model_state_dict`, `model` or `net`, and every
    /// name may carry the prefix of `DataParallel` or `torch.compile`. The
    /// counters `num_batches_tracked` are left out.
    ///
    /// # Errors
    /// When the file is missing or damaged, is of another kind, or holds
    /// integers, negative variances, or values that are infinite, no number or
    /// too large for float32.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        let file = WeightFile::open(path)?;
        file.read(file.names())
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, HostTensor> {
        &self.0
    }

    /// A safetensors file without metadata: equal weights are equal bytes.
    ///
    /// # Errors
    /// When safetensors refuses.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WeightsError> {
        safetensors::serialize(&self.0, None)
            .map_err(|error| WeightsError::Format(error.to_string()))
    }

    /// SHA-256 over name, dtype, shape and little-endian bytes of every
    /// tensor, sorted by name: equal weights give equal hashes whatever file
    /// or device they were in.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for (name, tensor) in &self.0 {
            hash.update(format!("{name} F32 {:?}\n", tensor.shape));
            hash.update(tensor.bytes());
        }
        let digest = hash.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The fingerprint of [`StateDict::sha256`].
///
/// # Errors
/// When the device does not give a tensor back, or a value is infinite or no
/// number.
pub fn weights_sha256<M: Module>(module: &M) -> Result<String, WeightsError> {
    Ok(StateDict::of(module)?.sha256())
}

/// The safetensors file of [`StateDict::to_bytes`].
///
/// # Errors
/// When the device does not give a tensor back, or a value is infinite or no
/// number.
pub fn weights_bytes<M: Module>(module: &M) -> Result<Vec<u8>, WeightsError> {
    StateDict::of(module)?.to_bytes()
}

#[derive(Default)]
struct Collect {
    names: Names,
    tensors: BTreeMap<String, HostTensor>,
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
        if self.error.is_some() {
            return;
        }
        let name = self.names.pytorch();
        match host(param.val()) {
            Ok(tensor) if !tensor.values.iter().all(|value| value.is_finite()) => {
                self.error = Some(WeightsError::NotFinite(name));
            }
            Ok(tensor) => {
                let tensor = match self.names.is_transposed() {
                    true => tensor.transposed(),
                    false => tensor,
                };
                self.tensors.insert(name, tensor);
            }
            Err(error) => self.error = Some(WeightsError::Device(error)),
        }
    }
}

fn host<const D: usize>(tensor: Tensor<D>) -> Result<HostTensor, String> {
    let data = tensor.try_into_data().map_err(|error| error.to_string())?;
    let shape = data.shape().to_vec();
    let values = data.convert::<f32>().try_into_vec::<f32>();
    let values = values.map_err(|error| format!("{error:?}"))?;
    Ok(HostTensor { shape, values })
}
