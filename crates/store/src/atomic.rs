//! Writing a file so that a reader sees the old bytes or the new ones, and
//! nothing in between.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// Links that are followed before they count as a circle, as on Linux.
const LINKS: usize = 40;

/// Writes `bytes` to `path`: into a temporary file of the same folder, to the
/// disk, then over the old file in one step. Symbolic links are followed and
/// stay. On an error the old file stays as it was and no temporary file is
/// left.
///
/// # Errors
/// When the path is something else than a file, its folder is not there or
/// cannot be written, or the disk is full.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &behind_links(path)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    check(path, folder)?;
    // Opened here, for the errors of `tempfile` name the temporary file.
    let options = options_like(path);
    let mut temporary = tempfile::Builder::new()
        .prefix(".kiln-")
        .suffix(".tmp")
        .make_in(folder, |temporary| options.open(temporary))?;
    temporary.as_file_mut().write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

/// Where the links at `path` lead, also when nothing is there yet.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut behind = path.to_owned();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&behind) {
            Ok(about) if about.is_symlink() => {
                let target = fs::read_link(&behind)?;
                behind = match behind.parent() {
                    Some(parent) => parent.join(target),
                    None => target,
                };
            }
            _ => return Ok(behind),
        }
    }
    let text = format!("{} is a circle of links", path.display());
    Err(io::Error::new(ErrorKind::InvalidInput, text))
}

/// Whether a file can stand at `path` in `folder`.
fn check(path: &Path, folder: &Path) -> io::Result<()> {
    let refused = |kind, text| Err(io::Error::new(kind, text));
    match fs::metadata(path) {
        Ok(about) if !about.is_file() => {
            let text = format!("{} is no regular file", path.display());
            return refused(ErrorKind::InvalidInput, text);
        }
        Err(error) if !missing(&error) => return Err(error),
        _ => {}
    }
    match fs::metadata(folder) {
        Ok(about) if !about.is_dir() => {
            let text = format!("{} is no folder", folder.display());
            refused(ErrorKind::NotADirectory, text)
        }
        Err(error) if missing(&error) => {
            let text = format!("the folder {} is not there", folder.display());
            refused(ErrorKind::NotFound, text)
        }
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

fn missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Makes a rename in `folder` last through a power cut, where the system can.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Ok(folder) = fs::File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

/// Opens a new file with the permissions of the one at `path`, or else those of
/// an ordinary one.
#[cfg_attr(not(unix), allow(unused_variables))]
fn options_like(path: &Path) -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        // The system takes the user's mask off the second value, as ever.
        options.mode(fs::metadata(path).map_or(0o666, |old| old.permissions().mode() & 0o777));
    }
    options
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_new_bytes_replace_the_old_ones_and_nothing_is_left_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        atomic_write(&path, b"old").unwrap();
        atomic_write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named_and_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let error = atomic_write(&dir.path().join("no/a.json"), b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let text = error.to_string();
        assert!(text.contains("no is not there"), "{text}");
        assert!(!text.contains(".kiln-"), "{text}");
        fs::write(dir.path().join("file"), b"").unwrap();
        let error = atomic_write(&dir.path().join("file/a.json"), b"x").unwrap_err();
        assert!(error.to_string().ends_with("file is no folder"), "{error}");
    }

    #[test]
    fn a_folder_in_the_way_stays_and_no_temporary_file_is_left() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a.json/inside")).unwrap();
        let error = atomic_write(&dir.path().join("a.json"), b"x").unwrap_err();
        assert!(error.to_string().ends_with("a.json is no regular file"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_way_stays_one() {
        use std::os::unix::fs::FileTypeExt;
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let error = atomic_write(&pipe, b"x").unwrap_err();
        assert!(error.to_string().ends_with("pipe is no regular file"));
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        std::os::unix::fs::symlink("pipe", dir.path().join("link")).unwrap();
        assert!(atomic_write(&dir.path().join("link"), b"x").is_err());
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_written_through_whether_their_file_is_there_or_not() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        symlink("folder/file", at("near")).unwrap();
        symlink(at("near"), at("far")).unwrap();
        for bytes in [b"old", b"new"] {
            atomic_write(&at("far"), bytes).unwrap();
            assert_eq!(fs::read(at("folder/file")).unwrap(), bytes);
        }
        for link in ["near", "far"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
        }
        symlink("nowhere/file", at("lost")).unwrap();
        let error = atomic_write(&at("lost"), b"x").unwrap_err().to_string();
        assert!(error.ends_with("nowhere is not there"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_are_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("b", dir.path().join("a")).unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("b")).unwrap();
        let error = atomic_write(&dir.path().join("a"), b"x").unwrap_err();
        assert!(error.to_string().ends_with("a is a circle of links"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_can_be_read_by_others_as_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        atomic_write(&dir.path().join("ours"), b"x").unwrap();
        fs::write(dir.path().join("plain"), b"x").unwrap();
        let mode = |name| {
            fs::metadata(dir.path().join(name))
                .unwrap()
                .permissions()
                .mode()
        };
        assert_eq!(mode("ours"), mode("plain"));
    }
}
