//! Writing a file so that a reader sees the old bytes or the new ones, and
//! nothing in between.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Writes `bytes` to `path`: into a temporary file of the same folder, to the
/// disk, then over the old file in one step. On an error the old file stays as
/// it was and no temporary file is left.
///
/// # Errors
/// When the folder cannot be written or the disk is full.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut temporary = tempfile::Builder::new()
        .prefix(".kiln-")
        .suffix(".tmp")
        .permissions_of(path)
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

/// Makes a rename in `folder` last through a power cut, where the system can.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Ok(folder) = fs::File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

/// Gives a temporary file the permissions of an ordinary one.
trait PermissionsOf {
    fn permissions_of(&mut self, path: &Path) -> &mut Self;
}

impl PermissionsOf for tempfile::Builder<'_, '_> {
    #[cfg(unix)]
    fn permissions_of(&mut self, path: &Path) -> &mut Self {
        use std::os::unix::fs::PermissionsExt;
        // The system takes the user's mask off the second value, as ever.
        let mode = fs::metadata(path).map_or(0o666, |old| old.permissions().mode() & 0o777);
        self.permissions(fs::Permissions::from_mode(mode))
    }

    #[cfg(not(unix))]
    fn permissions_of(&mut self, _: &Path) -> &mut Self {
        self
    }
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
    fn what_the_system_says_is_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        let error = atomic_write(&dir.path().join("no/a.json"), b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_folder_in_the_way_stays_and_no_temporary_file_is_left() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a.json/inside")).unwrap();
        assert!(atomic_write(&dir.path().join("a.json"), b"x").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
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
