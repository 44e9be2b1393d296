//! The floats that a file can hold.

use half::{bf16, f16};
use pytorch_reader::DType;
use safetensors::Dtype;

#[derive(Clone, Copy)]
pub(crate) enum Element {
    F16,
    BF16,
    F32,
    F64,
}

/// A value that is no weight.
pub(crate) enum Fault {
    NotFinite,
    /// A float64 that no float32 can hold.
    TooLarge(f64),
}

impl Element {
    /// The element, or its name if it is no float.
    pub fn of_safetensors(dtype: Dtype) -> Result<Self, String> {
        match dtype {
            Dtype::F16 => Ok(Self::F16),
            Dtype::BF16 => Ok(Self::BF16),
            Dtype::F32 => Ok(Self::F32),
            Dtype::F64 => Ok(Self::F64),
            other => Err(format!("{other:?}")),
        }
    }

    /// The element, or its name if it is no float.
    pub fn of_pytorch(dtype: DType) -> Result<Self, String> {
        match dtype {
            DType::F16 => Ok(Self::F16),
            DType::BF16 => Ok(Self::BF16),
            DType::F32 => Ok(Self::F32),
            DType::F64 => Ok(Self::F64),
            other => Err(format!("{other:?}")),
        }
    }

    /// The values in `bytes`, all of them finite.
    pub fn decode(self, bytes: &[u8]) -> Result<Vec<f32>, Fault> {
        fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            let chunks = bytes.as_chunks().0.iter();
            chunks.map(|chunk| value(*chunk)).collect()
        }
        let values = match self {
            Self::F16 => each(bytes, |chunk| f16::from_le_bytes(chunk).to_f32()),
            Self::BF16 => each(bytes, |chunk| bf16::from_le_bytes(chunk).to_f32()),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F64 => each(bytes, |chunk| f64::from_le_bytes(chunk) as f32),
        };
        let Some(at) = values.iter().position(|value| !value.is_finite()) else {
            return Ok(values);
        };
        let wide = match self {
            Self::F64 => bytes.as_chunks().0.get(at).copied().map(f64::from_le_bytes),
            _ => None,
        };
        match wide {
            Some(wide) if wide.is_finite() => Err(Fault::TooLarge(wide)),
            _ => Err(Fault::NotFinite),
        }
    }
}
