//! Files of weights: their tensors by name.

use crate::{
    HostTensor, StateDict, WeightsError,
    contents::{DAMAGED, Table, contents},
    element::{Element, Fault},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// What `DataParallel` and `torch.compile` put before every name.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];

/// An open file whose table of contents was read, and no tensor yet.
pub(crate) struct WeightFile {
    path: PathBuf,
    tensors: BTreeMap<String, Entry>,
}

struct Entry {
    shape: Vec<usize>,
    /// Or the name of what is no float.
    element: Result<Element, String>,
    bytes: Bytes,
}

/// Where the bytes of a tensor are.
pub(crate) enum Bytes {
    At { start: u64, count: usize },
    Checkpoint(pytorch_reader::Tensor),
}

/// What all names of a file have before them.
pub(crate) enum Prefix {
    /// It is none of the names, and was removed.
    Removed(String),
    /// Without it, too, no name is one of the network.
    Strange(String),
}

impl WeightFile {
    /// Reads the table of contents.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let unreadable = |cause| WeightsError::Unreadable {
            path: path.display().to_string(),
            cause,
        };
        let mut tensors = BTreeMap::new();
        for (name, (shape, element, bytes)) in unwrapped(contents(path).map_err(unreadable)?) {
            if name.rsplit('.').next() == Some("num_batches_tracked") {
                continue;
            }
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

    /// If none of the names is `wanted`, removes the components that all of
    /// them share, as many as it takes until one is.
    pub fn unwrap_for(&mut self, wanted: &BTreeSet<&str>) -> Option<Prefix> {
        let mut cut = 0;
        while !self
            .tensors
            .keys()
            .any(|name| wanted.contains(&name[cut..]))
        {
            let Some(shared) = shared(self.tensors.keys().map(|name| &name[cut..])) else {
                let outermost = shared(self.tensors.keys().map(String::as_str));
                return outermost.map(Prefix::Strange);
            };
            cut += shared.len();
        }
        let prefix = self.tensors.keys().next()?[..cut].to_owned();
        let entries = std::mem::take(&mut self.tensors).into_iter();
        self.tensors = entries
            .map(|(name, entry)| (name[cut..].to_owned(), entry))
            .collect();
        (cut > 0).then_some(Prefix::Removed(prefix))
    }

    /// The tensors, sorted by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
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
        let failed = |error| self.failed(&error);
        let mut file = File::open(&self.path).map_err(failed)?;
        let mut tensors = BTreeMap::new();
        for name in names {
            let Some(entry) = self.tensors.get(name) else {
                continue;
            };
            let element = match &entry.element {
                Ok(element) => *element,
                Err(dtype) => return Err(self.no_float(name, dtype)),
            };
            let bytes = entry.bytes.read(&mut file).map_err(failed)?;
            let values = element.decode(&bytes);
            let values = values.map_err(|fault| self.faulty(name, &fault))?;
            let is_variance = name.rsplit('.').next() == Some("running_var");
            if is_variance && values.iter().any(|value| *value < 0.0) {
                return Err(WeightsError::NegativeVariance {
                    path: self.shown(),
                    name: name.to_owned(),
                });
            }
            let shape = entry.shape.clone();
            tensors.insert(name.to_owned(), HostTensor { shape, values });
        }
        Ok(StateDict(tensors))
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, error: &io::Error) -> WeightsError {
        WeightsError::Unreadable {
            path: self.shown(),
            cause: format!("{error}; {DAMAGED}"),
        }
    }

    fn no_float(&self, name: &str, dtype: &str) -> WeightsError {
        WeightsError::NotFloat {
            path: self.shown(),
            name: name.to_owned(),
            dtype: dtype.to_owned(),
        }
    }

    fn faulty(&self, name: &str, fault: &Fault) -> WeightsError {
        let (path, name) = (self.shown(), name.to_owned());
        match *fault {
            Fault::NotFinite => WeightsError::NotFiniteInFile { path, name },
            Fault::TooLarge(value) => WeightsError::TooLarge { path, name, value },
        }
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

/// The first component of all `names`, with its dot.
fn shared<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<String> {
    let first = names.next()?;
    let prefix = &first[..=first.find('.')?];
    names
        .all(|name| name.starts_with(prefix))
        .then(|| prefix.to_owned())
}

/// Removes the wrappers' prefixes that every name carries.
fn unwrapped(mut table: Table) -> Table {
    while let Some(prefix) = WRAPPERS
        .iter()
        .find(|prefix| !table.is_empty() && table.keys().all(|name| name.starts_with(**prefix)))
    {
        let entries = table.into_iter();
        table = entries
            .map(|(name, entry)| (name[prefix.len()..].to_owned(), entry))
            .collect();
    }
    table
}
