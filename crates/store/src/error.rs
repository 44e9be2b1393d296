//! Everything that can be wrong with the data folder, each as one sentence:
//! what, where, and what to do.

use crate::Fault;
use std::{io, path::PathBuf};

/// Why files are not there, not to be trusted, or could not be brought.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the sentences name")]
pub enum StoreError {
    /// No place for the data.
    #[error(
        "this system names no cache folder; set KILN_DATA_DIR to the folder that is to hold the data sets"
    )]
    NoCacheFolder,
    /// The data folder is something else.
    #[error("the data folder '{}' is not a folder; name another one or set KILN_DATA_DIR", path.display())]
    NotAFolder { path: PathBuf },
    /// A file is not there.
    #[error("'{}' is missing; run `kiln data fetch {set}`, or `kiln data import DIR --dataset {set}` with a folder that holds the files", path.display())]
    Missing { set: &'static str, path: PathBuf },
    /// A file is there but is not what it must be.
    #[error("'{}' {fault}; {advice}", path.display())]
    Damaged {
        path: PathBuf,
        fault: Fault,
        advice: String,
    },
    /// Unpacked files that nothing vouches for.
    #[error("the files in '{}' were not unpacked by kiln from the official archive, so nothing vouches for them; run `kiln data import '{}' --dataset {set} --unofficial \"where they come from\"`, or delete the folder and run `kiln data fetch {set}`", folder.display(), folder.display())]
    Unregistered { set: &'static str, folder: PathBuf },
    /// The operating system refused.
    #[error("cannot {doing} '{}': {cause}{}", path.display(), advice(cause))]
    Io {
        doing: &'static str,
        path: PathBuf,
        cause: io::Error,
    },
    /// A record file of this program is broken.
    #[error("the record '{}' cannot be understood ({reason}); delete it and import the files again", path.display())]
    Register { path: PathBuf, reason: String },
    /// A download is needed but not allowed.
    #[error(
        "'{file}' of {set} is missing and downloads are switched off (offline); run `kiln data fetch {set}` without that, or `kiln data import DIR --dataset {set}` with a folder that holds the files"
    )]
    Offline {
        set: &'static str,
        file: &'static str,
    },
    /// A download is needed but not built in.
    #[error(
        "'{file}' of {set} is missing and this kiln was built without downloads (Cargo feature `download`); run `kiln data import DIR --dataset {set}` with a folder that holds the files"
    )]
    NoDownloads {
        set: &'static str,
        file: &'static str,
    },
    /// A proxy that cannot be used.
    #[error(
        "the proxy in {variable} is of the kind '{kind}', which cannot be used; set {variable} to an http or https proxy, or unset it"
    )]
    Proxy {
        variable: &'static str,
        kind: String,
    },
    /// No mirror had the file.
    #[error(
        "no mirror delivered '{file}' ({causes}); check the network and run `kiln data fetch {set}` again, or get the file otherwise and run `kiln data import DIR --dataset {set}`"
    )]
    Mirrors {
        set: &'static str,
        file: &'static str,
        causes: String,
    },
    /// The folder of an interrupted import is still aside.
    #[error("the files of '{}' are in '{}' since an import was interrupted, and cannot be brought back ({cause}); rename that folder yourself", folder.display(), old.display())]
    NotBroughtBack {
        folder: PathBuf,
        old: PathBuf,
        cause: io::Error,
    },
    /// An archive holds what it must not, or is cut off.
    #[error("the archive '{}' {reason}; delete it and run `kiln data fetch {set}`", path.display())]
    Archive {
        set: &'static str,
        path: PathBuf,
        reason: String,
    },
    /// A folder to import holds none of the files.
    #[error("'{}' holds no file of {set} such as '{file}'; name the folder that holds the files", dir.display())]
    NothingToImport {
        set: &'static str,
        dir: PathBuf,
        file: &'static str,
    },
    /// A folder to import holds some of the files.
    #[error("'{}' lacks '{file}'; name a folder that holds all files of {set}", folder.display())]
    Incomplete {
        set: &'static str,
        folder: PathBuf,
        file: &'static str,
    },
    /// Files to import are not the published ones.
    #[error("'{}' {reason}; get the official files, or say where this copy comes from: `kiln data import DIR --dataset {set} --unofficial \"where it comes from\"`", path.display())]
    NotOfficial {
        set: &'static str,
        path: PathBuf,
        reason: String,
    },
    /// An archive to import is not the published one.
    #[error("'{}' {reason}; get the official archive of {set}, or name a folder of its unpacked files", path.display())]
    WrongArchive {
        set: &'static str,
        path: PathBuf,
        reason: String,
    },
    /// A file to import was written meanwhile.
    #[error("'{}' changed while it was being copied; import it again once nothing writes to it", path.display())]
    Changed { path: PathBuf },
    /// More than one copy to choose from.
    #[error("'{}' holds more than one copy of {set} ({folders}); name one of these folders", dir.display())]
    Ambiguous {
        set: &'static str,
        dir: PathBuf,
        folders: String,
    },
    /// An empty origin.
    #[error(
        "--unofficial needs a text that says where the copy comes from, such as --unofficial \"rebuilt from PNG files\""
    )]
    NoOrigin,
    /// An unofficial copy that is no such data set.
    #[error("nothing was imported from '{}', which holds no copy of {set}: {reason}; name another folder", folder.display())]
    Structure {
        set: &'static str,
        folder: PathBuf,
        reason: String,
    },
    /// An unofficial copy would replace the official files.
    #[error("'{}' already holds the official files of {set}; delete that folder first if the unofficial copy is to replace them", folder.display())]
    OfficialThere { set: &'static str, folder: PathBuf },
    /// A download would replace an unofficial copy.
    #[error("'{}' holds an unofficial copy of {set} ({note}); delete that folder first if the official files are to replace it", folder.display())]
    UnofficialThere {
        set: &'static str,
        folder: PathBuf,
        note: String,
    },
}

impl StoreError {
    /// What is wrong, without advice: for a table, or for part of a sentence.
    pub fn reason(&self) -> String {
        match self {
            Self::Missing { path, .. } => format!("'{}' is missing", path.display()),
            Self::Damaged { path, fault, .. } => format!("'{}' {fault}", path.display()),
            Self::Unregistered { folder, .. } => {
                format!("nothing vouches for the files in '{}'", folder.display())
            }
            Self::Io { doing, path, cause } => {
                format!("cannot {doing} '{}': {cause}", path.display())
            }
            Self::Register { path, reason } => {
                format!(
                    "the record '{}' cannot be understood ({reason})",
                    path.display()
                )
            }
            other => other.to_string(),
        }
    }

    /// Whether data is missing, wrong or out of reach; otherwise the system
    /// refused something, such as room on the disk, or the command is wrong.
    pub fn is_data(&self) -> bool {
        match self {
            Self::NoCacheFolder
            | Self::NotAFolder { .. }
            | Self::Proxy { .. }
            | Self::NotBroughtBack { .. }
            | Self::NoOrigin => false,
            Self::Io { cause, .. } => matches!(
                cause.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ),
            _ => true,
        }
    }
}

fn advice(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => "; check who may read and write there",
        io::ErrorKind::ReadOnlyFilesystem => "; set KILN_DATA_DIR to a folder that can be written",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space or set KILN_DATA_DIR to a larger disk"
        }
        _ => "",
    }
}

/// Makes an I/O error into one that says what was being done, and where.
pub(crate) fn failed_to(
    doing: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.into();
    move |cause| StoreError::Io { doing, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_comes_with_advice() {
        let sentence = |kind: io::ErrorKind| failed_to("write", "/data/a")(kind.into()).to_string();
        for (kind, words) in [
            (io::ErrorKind::StorageFull, "free some space"),
            (io::ErrorKind::PermissionDenied, "who may read and write"),
            (io::ErrorKind::ReadOnlyFilesystem, "set KILN_DATA_DIR"),
        ] {
            let sentence = sentence(kind);
            assert!(
                sentence.starts_with("cannot write '/data/a': "),
                "{sentence}"
            );
            assert!(sentence.contains(words), "{sentence}");
        }
    }
}
