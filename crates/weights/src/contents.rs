//! The tables of contents of files of weights, and what is said of files that
//! have none.

use crate::{checkpoint::pytorch, element::Element, file::Bytes};
use safetensors::tensor::{Metadata, TensorInfo};
use std::{
    collections::BTreeMap,
    fmt::Display,
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

/// The longest table of contents that safetensors allows.
const LONGEST_HEADER: u64 = 100_000_000;

pub(crate) const DAMAGED: &str = "copy or download it again";

/// A tensor as the file declares it: shape, element or its name, place.
pub(crate) type Declared = (Vec<usize>, Result<Element, String>, Bytes);

/// The tensors by name.
pub(crate) type Table = BTreeMap<String, Declared>;

/// Says what stands at a path that is there but is no file.
pub(crate) fn refuse_no_file(about: &fs::Metadata) -> Result<(), String> {
    match (about.is_file(), about.is_dir()) {
        (true, _) => Ok(()),
        (_, true) => Err("it is a folder; name a file in it".to_owned()),
        _ => Err("it is no regular file; copy the weights into one and name that".to_owned()),
    }
}

/// Tells the kind of a file from its first bytes and reads its table of
/// contents, or says what is wrong and what to do.
pub(crate) fn contents(path: &Path) -> Result<Table, String> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file; check the path".to_owned(),
        _ => error.to_string(),
    };
    // Before it is opened: to open a pipe is to wait for its writer.
    refuse_no_file(&fs::metadata(path).map_err(failed)?)?;
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length == 0 {
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
                true => safetensors(file, header, length),
                false => {
                    let why = format!("its table of contents would be {header} bytes long");
                    pytorch(path, &why)
                }
            }
        }
        [_, _, _, _, _, _, _, _, _] => pytorch(path, "it has no table of contents"),
        _ => pytorch(path, &format!("{length} bytes are too few for one")),
    }
}

fn safetensors(mut file: File, header: u64, length: u64) -> Result<Table, String> {
    let start = 8 + header;
    if start > length {
        return Err(format!(
            "it is a safetensors file that ends after {length} bytes, \
             within its table of contents of {header} bytes; {DAMAGED}"
        ));
    }
    let damaged =
        |error: &dyn Display| format!("as a safetensors file it is damaged ({error}); {DAMAGED}");
    let mut text = vec![0; header as usize];
    file.seek(SeekFrom::Start(8))
        .map_err(|error| damaged(&error))?;
    file.read_exact(&mut text)
        .map_err(|error| damaged(&error))?;
    let table: Metadata = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
    let whole = start + table.data_len() as u64;
    let problem = match length.checked_sub(whole) {
        Some(0) => None,
        Some(more) => Some(format!("with {more} more behind them")),
        None => Some(format!("of which {length} are there")),
    };
    if let Some(problem) = problem {
        return Err(format!(
            "it is a safetensors file of {whole} bytes {problem}; {DAMAGED}"
        ));
    }
    let declare = |(name, info): (String, &TensorInfo)| {
        let (from, to) = info.data_offsets;
        let bytes = Bytes::At {
            start: start + from as u64,
            count: to - from,
        };
        let element = Element::of_safetensors(info.dtype);
        (name, (info.shape.clone(), element, bytes))
    };
    Ok(table.tensors().into_iter().map(declare).collect())
}
