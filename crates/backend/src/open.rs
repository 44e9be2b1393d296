//! Opening a device without a panic, and listing those that could be opened.

use crate::{BACKENDS, Backend, BackendError, Choice, threads};
use burn::tensor::{Device, Tensor};
use std::panic::{self, AssertUnwindSafe};

/// Opens the device of a backend and makes it compute once.
///
/// # Errors
/// When the backend is not compiled in, finds no device or driver, or has no
/// device of that index. Drivers that panic are caught.
pub fn open(choice: &Choice) -> Result<Device, BackendError> {
    let backend = choice.backend;
    if !backend.compiled {
        return Err(not_compiled(backend));
    }
    if !backend.indexed {
        return only_device(backend);
    }
    let no_device = |cause| BackendError::NoDevice {
        name: backend.name,
        cause,
        remedy: backend.remedy,
    };
    let devices = quietly(|| enumerate(backend)).map_err(no_device)?;
    // LibTorch lists its GPUs only, and has the CPU without an index.
    let cpu = backend.name == "tch" && choice.index.is_none();
    if devices.is_empty() && !cpu {
        return Err(no_device("no adapter or driver".to_owned()));
    }
    let device = match choice.index {
        None => quietly(|| default_device(backend)).map_err(no_device)?,
        Some(index) => devices.get(index).cloned(),
    };
    let device = device.ok_or(BackendError::NoSuchDevice {
        name: backend.name,
        index: choice.index.unwrap_or(0),
        count: devices.len(),
    })?;
    quietly(|| computes(&device)).map_err(no_device)?;
    Ok(device)
}

/// The names of the devices that a compiled backend finds; the position is the
/// index that `--backend name:index` takes.
///
/// # Errors
/// When the backend is not compiled in or its driver fails.
pub fn adapters(backend: &'static Backend) -> Result<Vec<String>, BackendError> {
    if !backend.compiled {
        return Err(not_compiled(backend));
    }
    if !backend.indexed {
        return Ok(vec![describe(&only_device(backend)?)]);
    }
    let mut found = match backend.name {
        "tch" => vec!["CPU, without an index".to_owned()],
        _ => Vec::new(),
    };
    let devices = quietly(|| enumerate(backend).iter().map(describe).collect::<Vec<_>>());
    let devices = devices.map_err(|cause| BackendError::NoDevice {
        name: backend.name,
        cause,
        remedy: backend.remedy,
    })?;
    found.extend(devices);
    Ok(found)
}

fn computes(device: &Device) {
    let _ = Tensor::<1>::ones([2], device).sum().into_data();
}

/// A device's name: the adapter of a GPU, or CPU.
#[cfg_attr(not(feature = "cubecl"), allow(unused_variables))]
pub fn describe(device: &Device) -> String {
    #[cfg(feature = "cubecl")]
    if let Some(identity) = device.identity() {
        return identity.name;
    }
    match threads() {
        1 => "CPU, 1 thread".to_owned(),
        threads => format!("CPU, {threads} threads"),
    }
}

#[allow(deprecated, unreachable_patterns)]
fn only_device(backend: &'static Backend) -> Result<Device, BackendError> {
    match backend.name {
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        "ndarray" => Ok(Device::ndarray()),
        _ => Err(not_compiled(backend)),
    }
}

/// Names the command that builds what is in this binary and `backend` too,
/// with the arguments that this program was given.
fn not_compiled(backend: &Backend) -> BackendError {
    let compiled = BACKENDS.iter().filter(|backend| backend.compiled);
    let features = compiled
        .map(|backend| backend.name)
        .filter(|name| *name != "flex")
        .chain([backend.name]);
    let arguments = std::env::args().skip(1).map(|argument| {
        match argument.contains(|c: char| c.is_whitespace() || "'\"$".contains(c)) {
            true => format!("'{}'", argument.replace('\'', "'\\''")),
            false => argument,
        }
    });
    BackendError::NotCompiled {
        name: backend.name,
        command: format!(
            "cargo run --release --features {} -- {}",
            features.collect::<Vec<_>>().join(","),
            arguments.collect::<Vec<_>>().join(" ")
        ),
    }
}

#[allow(deprecated, unused_variables)]
fn default_device(backend: &Backend) -> Option<Device> {
    #[cfg(feature = "cubecl")]
    use burn::tensor::DeviceKind::DefaultDevice;
    match backend.name {
        #[cfg(feature = "wgpu")]
        "wgpu" => Some(Device::wgpu(DefaultDevice)),
        #[cfg(feature = "vulkan")]
        "vulkan" => Some(Device::vulkan(DefaultDevice)),
        #[cfg(feature = "metal")]
        "metal" => Some(Device::metal(DefaultDevice)),
        #[cfg(feature = "webgpu")]
        "webgpu" => Some(Device::webgpu(DefaultDevice)),
        #[cfg(feature = "cuda")]
        "cuda" => Some(Device::cuda(0)),
        #[cfg(feature = "rocm")]
        "rocm" => Some(Device::rocm(0)),
        #[cfg(feature = "tch")]
        "tch" => Some(Device::libtorch()),
        _ => None,
    }
}

fn enumerate(backend: &Backend) -> Vec<Device> {
    #[cfg(any(feature = "cubecl", feature = "tch"))]
    use burn::tensor::DeviceType;
    match backend.name {
        #[cfg(feature = "wgpu")]
        "wgpu" => Device::enumerate(DeviceType::Wgpu).into_vec(),
        #[cfg(feature = "vulkan")]
        "vulkan" => Device::enumerate(DeviceType::Vulkan).into_vec(),
        #[cfg(feature = "metal")]
        "metal" => Device::enumerate(DeviceType::Metal).into_vec(),
        #[cfg(feature = "webgpu")]
        "webgpu" => Device::enumerate(DeviceType::WebGpu).into_vec(),
        #[cfg(feature = "cuda")]
        "cuda" => Device::enumerate(DeviceType::Cuda).into_vec(),
        #[cfg(feature = "rocm")]
        "rocm" => Device::enumerate(DeviceType::Rocm).into_vec(),
        #[cfg(feature = "tch")]
        "tch" => Device::enumerate(DeviceType::LibTorch).into_vec(),
        _ => Vec::new(),
    }
}

/// Runs what may panic in a driver; a panic becomes its first line.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    panic::set_hook(hook);
    result.map_err(|panic| {
        let text = match panic.downcast_ref::<String>() {
            Some(text) => text.as_str(),
            None => panic
                .downcast_ref::<&str>()
                .copied()
                .unwrap_or("the driver panicked"),
        };
        text.lines().next().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BACKENDS;

    #[test]
    fn the_default_backend_opens_and_the_absent_ones_say_how_to_add_them() {
        for backend in BACKENDS {
            let choice = Choice {
                backend,
                index: None,
            };
            match open(&choice) {
                Ok(_) => assert!(backend.compiled),
                Err(BackendError::NotCompiled { name, command }) => {
                    assert!(!backend.compiled);
                    assert!(command.contains(name) && command.contains("--features"));
                }
                Err(error) => assert!(error.to_string().contains(backend.remedy)),
            }
        }
    }

    #[test]
    fn a_panic_becomes_its_first_line() {
        assert_eq!(
            quietly(|| panic!("no driver\nand a long story")).map(|()| 0),
            Err("no driver".to_owned())
        );
        assert_eq!(quietly(|| 3), Ok(3));
    }
}
