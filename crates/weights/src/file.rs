//! Files of weights: their tables of contents and their tensors.

use crate::{HostTensor, StateDict, WeightsError};
use half::{bf16, f16};
use pytorch_reader::{DType, PytorchError, PytorchReader};
use safetensors::{Dtype, tensor::Metadata};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// Where checkpoints keep the weights if not at the top.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// What `DataParallel` and `torch.compile` put before every name.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];

/// The longest table of contents that safetensors allows.
const LONGEST_HEADER: u64 = 100_000_000;

const DAMAGED: &str = "copy or download it again";

/// An open file whose table of contents was read, and no tensor yet.
pub(crate) struct WeightFile {
    path: PathBuf,
    tensors: BTreeMap<String, Entry>,
}

struct Entry {
    shape: Vec<usize>,
    element: Element,
    bytes: Bytes,
}

#[derive(Clone, Copy)]
enum Element {
    F16,
    BF16,
    F32,
    F64,
}

/// Where the bytes of a tensor are.
enum Bytes {
    At { start: u64, count: usize },
    Checkpoint(pytorch_reader::Tensor),
}

/// A tensor as the file declares it: shape, element or its name, place.
type Declared = (Vec<usize>, Result<Element, String>, Bytes);

impl WeightFile {
    /// Reads the table of contents.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let unreadable = |cause| WeightsError::Unreadable {
            path: path.display().to_string(),
            cause,
        };
        let declared = unwrapped(contents(path).map_err(unreadable)?);
        let mut tensors = BTreeMap::new();
        for (name, (shape, element, bytes)) in declared {
            if name.rsplit('.').next() == Some("num_batches_tracked") {
                continue;
            }
            let element = element.map_err(|dtype| WeightsError::NotFloat {
                path: path.display().to_string(),
                name: name.clone(),
                dtype,
            })?;
            let entry = Entry {
                shape,
                element,
                bytes,
            };
            tensors.insert(name, entry);
        }
        match tensors.is_empty() {
            true => Err(unreadable(
                "it holds no tensors; save the state dict of a network in it".to_owned(),
            )),
            false => Ok(Self {
                path: path.to_owned(),
                tensors,
            }),
        }
    }

    /// The tensors and their shapes, sorted by name.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        let entries = self.tensors.iter();
        entries.map(|(name, entry)| (name.as_str(), entry.shape.as_slice()))
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.tensors.get(name)?.shape)
    }

    /// Reads the tensors called `names`, of those that there are.
    pub fn read<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<StateDict, WeightsError> {
        let path = || self.path.display().to_string();
        let failed = |error: io::Error| WeightsError::Unreadable {
            path: path(),
            cause: format!("{error}; {DAMAGED}"),
        };
        let mut file = File::open(&self.path).map_err(failed)?;
        let mut tensors = BTreeMap::new();
        for name in names {
            let Some(entry) = self.tensors.get(name) else {
                continue;
            };
            let bytes = entry.bytes.read(&mut file).map_err(failed)?;
            let values = entry.element.decode(&bytes);
            if !values.iter().all(|value| value.is_finite()) {
                return Err(WeightsError::NotFiniteInFile {
                    path: path(),
                    name: name.to_owned(),
                });
            }
            let shape = entry.shape.clone();
            tensors.insert(name.to_owned(), HostTensor { shape, values });
        }
        Ok(StateDict(tensors))
    }
}

impl Bytes {
    fn read(&self, file: &mut File) -> io::Result<Vec<u8>> {
        match self {
            Self::At { start, count } => {
                let mut bytes = vec![0; *count];
                file.seek(SeekFrom::Start(*start))?;
                file.read_exact(&mut bytes)?;
                Ok(bytes)
            }
            Self::Checkpoint(tensor) => tensor.read(),
        }
    }
}

impl Element {
    fn of_safetensors(dtype: Dtype) -> Result<Self, String> {
        match dtype {
            Dtype::F16 => Ok(Self::F16),
            Dtype::BF16 => Ok(Self::BF16),
            Dtype::F32 => Ok(Self::F32),
            Dtype::F64 => Ok(Self::F64),
            other => Err(format!("{other:?}")),
        }
    }

    fn of_pytorch(dtype: DType) -> Result<Self, String> {
        match dtype {
            DType::F16 => Ok(Self::F16),
            DType::BF16 => Ok(Self::BF16),
            DType::F32 => Ok(Self::F32),
            DType::F64 => Ok(Self::F64),
            other => Err(format!("{other:?}")),
        }
    }

    fn decode(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            let chunks = bytes.as_chunks().0.iter();
            chunks.map(|chunk| value(*chunk)).collect()
        }
        match self {
            Self::F16 => each(bytes, |chunk| f16::from_le_bytes(chunk).to_f32()),
            Self::BF16 => each(bytes, |chunk| bf16::from_le_bytes(chunk).to_f32()),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F64 => each(bytes, |chunk| f64::from_le_bytes(chunk) as f32),
        }
    }
}

/// Removes the wrappers' prefixes that every name carries.
fn unwrapped(mut declared: BTreeMap<String, Declared>) -> BTreeMap<String, Declared> {
    while let Some(prefix) = WRAPPERS.iter().find(|prefix| {
        !declared.is_empty() && declared.keys().all(|name| name.starts_with(**prefix))
    }) {
        let entries = declared.into_iter();
        declared = entries
            .map(|(name, entry)| (name[prefix.len()..].to_owned(), entry))
            .collect();
    }
    declared
}

/// Tells the kind of a file from its first bytes and reads its table of
/// contents, or says what is wrong and what to do.
fn contents(path: &Path) -> Result<BTreeMap<String, Declared>, String> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file; check the path".to_owned(),
        _ => error.to_string(),
    };
    let mut file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_dir() {
        return Err("it is a folder; name a file in it".to_owned());
    }
    if about.len() == 0 {
        return Err(format!("the file is empty; {DAMAGED}"));
    }
    let mut start = Vec::new();
    Read::by_ref(&mut file)
        .take(9)
        .read_to_end(&mut start)
        .map_err(failed)?;
    match start[..] {
        [a, b, c, d, e, f, g, h, b'{'] => {
            let header = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
            match header <= LONGEST_HEADER {
                true => safetensors(file, header, about.len()),
                false => pytorch(path),
            }
        }
        _ => pytorch(path),
    }
}

fn safetensors(
    mut file: File,
    header: u64,
    length: u64,
) -> Result<BTreeMap<String, Declared>, String> {
    let short = |wanted: u64| {
        format!("it is a safetensors file of {wanted} bytes of which {length} are there; {DAMAGED}")
    };
    if 8 + header > length {
        return Err(short(8 + header));
    }
    let damaged = |error: &dyn std::fmt::Display| {
        format!("as a safetensors file it is damaged ({error}); {DAMAGED}")
    };
    let mut text = vec![0; header as usize];
    file.seek(SeekFrom::Start(8))
        .map_err(|error| damaged(&error))?;
    file.read_exact(&mut text)
        .map_err(|error| damaged(&error))?;
    let table: Metadata = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
    let whole = 8 + header + table.data_len() as u64;
    if whole != length {
        return Err(short(whole));
    }
    let declare = |(name, info): (String, &safetensors::tensor::TensorInfo)| {
        let (from, to) = info.data_offsets;
        let bytes = Bytes::At {
            start: 8 + header + from as u64,
            count: to - from,
        };
        let element = Element::of_safetensors(info.dtype);
        (name, (info.shape.clone(), element, bytes))
    };
    Ok(table.tensors().into_iter().map(declare).collect())
}

fn pytorch(path: &Path) -> Result<BTreeMap<String, Declared>, String> {
    let reader = checkpoint(path).map_err(|error| {
        let reason = match error {
            PytorchError::InvalidFormat(reason) => reason,
            other => other.to_string(),
        };
        format!(
            "it is neither a safetensors file nor a whole PyTorch checkpoint ({reason}); \
             {DAMAGED}, or save it with torch.save(model.state_dict(), path)"
        )
    })?;
    let declare = |(name, tensor): (String, pytorch_reader::Tensor)| {
        let element = Element::of_pytorch(tensor.dtype());
        let shape = tensor.shape().to_vec();
        (name, (shape, element, Bytes::Checkpoint(tensor)))
    };
    Ok(reader.into_tensors().into_iter().map(declare).collect())
}

/// Opens a checkpoint at the place where it keeps the weights. A name like
/// `net.0.weight` may also be a tensor at the top, so it only hints at one.
fn checkpoint(path: &Path) -> Result<PytorchReader, PytorchError> {
    let top = PytorchReader::new(path)?;
    let mut nested = NESTED.iter().filter(|key| {
        let mut names = top.tensors().keys();
        names.any(|name| name.split('.').next() == Some(**key))
    });
    let nested = nested.find_map(|key| PytorchReader::with_top_level_key(path, key).ok());
    Ok(nested.unwrap_or(top))
}
