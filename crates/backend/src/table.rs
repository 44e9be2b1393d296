//! The table of backends and the reading of `--backend name:index`.

use crate::BackendError;
use std::str::FromStr;

/// A backend that Burn offers and kiln can be built with.
#[derive(Debug, PartialEq, Eq)]
pub struct Backend {
    /// Name on the command line, of the Cargo feature and of `BURN_DEVICE`.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// Whether this binary holds it.
    pub compiled: bool,
    /// Whether `name:index` picks one of several devices.
    pub indexed: bool,
    /// What to do when no device is found.
    pub(crate) remedy: &'static str,
}

const VULKAN: &str = "install a graphics driver with Vulkan support (on Debian or Ubuntu `apt-get install mesa-vulkan-drivers libvulkan1` gives a software one) or use --backend flex";

/// Every backend, the default first.
pub const BACKENDS: &[Backend] = &[
    Backend {
        name: "flex",
        summary: "CPU, pure Rust, bitwise repeatable (the default)",
        compiled: true,
        indexed: false,
        remedy: "",
    },
    Backend {
        name: "ndarray",
        summary: "CPU, pure Rust, slower; deprecated by Burn",
        compiled: cfg!(feature = "ndarray"),
        indexed: false,
        remedy: "",
    },
    Backend {
        name: "wgpu",
        summary: "GPU through Vulkan, Metal or DirectX, whatever is there",
        compiled: cfg!(feature = "wgpu"),
        indexed: true,
        remedy: VULKAN,
    },
    Backend {
        name: "vulkan",
        summary: "GPU through Vulkan with SPIR-V shaders",
        compiled: cfg!(feature = "vulkan"),
        indexed: true,
        remedy: VULKAN,
    },
    Backend {
        name: "metal",
        summary: "GPU of a Mac through Metal",
        compiled: cfg!(feature = "metal"),
        indexed: true,
        remedy: "Metal needs macOS; use --backend wgpu or --backend flex elsewhere",
    },
    Backend {
        name: "webgpu",
        summary: "GPU through WebGPU's shading language",
        compiled: cfg!(feature = "webgpu"),
        indexed: true,
        remedy: VULKAN,
    },
    Backend {
        name: "cuda",
        summary: "NVIDIA GPU through CUDA",
        compiled: cfg!(feature = "cuda"),
        indexed: true,
        remedy: "install NVIDIA's driver and the CUDA toolkit or use --backend flex",
    },
    Backend {
        name: "rocm",
        summary: "AMD GPU through ROCm",
        compiled: cfg!(feature = "rocm"),
        indexed: true,
        remedy: "install AMD's ROCm or use --backend flex",
    },
    Backend {
        name: "tch",
        summary: "LibTorch on the CPU, with an index on that CUDA GPU; deprecated by Burn",
        compiled: cfg!(feature = "tch"),
        indexed: true,
        remedy: "install the PyTorch that torch-sys asks for, build with LIBTORCH_USE_PYTORCH=1, or use --backend flex",
    },
];

/// A backend and, for those that have several devices, which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The backend's row.
    pub backend: &'static Backend,
    /// The number after the colon.
    pub index: Option<usize>,
}

impl FromStr for Choice {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, BackendError> {
        let (name, index) = match text.split_once(':') {
            None => (text, None),
            Some((name, index)) => {
                let parsed = index.parse();
                (
                    name,
                    Some(parsed.map_err(|_| BackendError::Index(index.to_owned()))?),
                )
            }
        };
        let backend = find(name)?;
        match index {
            Some(_) if !backend.indexed => Err(BackendError::NoIndex(backend.name)),
            _ => Ok(Self { backend, index }),
        }
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.index {
            None => f.write_str(self.backend.name),
            Some(index) => write!(f, "{}:{index}", self.backend.name),
        }
    }
}

fn find(name: &str) -> Result<&'static Backend, BackendError> {
    let wanted = name.to_lowercase();
    if let Some(backend) = BACKENDS.iter().find(|backend| backend.name == wanted) {
        return Ok(backend);
    }
    let names = BACKENDS.iter().map(|backend| backend.name);
    Err(BackendError::Unknown {
        name: name.to_owned(),
        suggestion: kiln_names::suggestion(name, names.clone()),
        known: names.collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_and_its_index_are_read() {
        let choice: Choice = "cuda:1".parse().expect("reads");
        assert_eq!((choice.backend.name, choice.index), ("cuda", Some(1)));
        assert_eq!(choice.to_string(), "cuda:1");
        assert_eq!("Flex".parse::<Choice>().expect("reads").to_string(), "flex");
    }

    #[test]
    fn an_unknown_backend_lists_all_and_suggests_one() {
        let message = "wgppu".parse::<Choice>().expect_err("unknown").to_string();
        assert!(message.contains("did you mean 'wgpu'?"), "{message}");
        assert!(
            BACKENDS
                .iter()
                .all(|backend| message.contains(backend.name))
        );
        let far = "zzz".parse::<Choice>().expect_err("unknown").to_string();
        assert!(!far.contains("did you mean"), "{far}");
    }

    #[test]
    fn indices_are_numbers_and_only_where_there_are_devices() {
        assert_eq!(
            "cuda:x".parse::<Choice>(),
            Err(BackendError::Index("x".into()))
        );
        assert_eq!(
            "flex:0".parse::<Choice>(),
            Err(BackendError::NoIndex("flex"))
        );
    }

    #[test]
    fn names_are_unique() {
        for (at, backend) in BACKENDS.iter().enumerate() {
            assert!(
                BACKENDS[at + 1..]
                    .iter()
                    .all(|other| other.name != backend.name)
            );
        }
    }
}
