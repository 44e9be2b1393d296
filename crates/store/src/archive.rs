//! Unpacking an archive (`.tar.gz`) of known content. Anything that the layout
//! does not name is refused: other names, absolute paths, `..`, links,
//! devices, files of another length, and archives that go on for too long.

use crate::{
    Layout, Member, PinnedSet, Store, StoreError, atomic_write,
    check::Depth,
    digest::{CopyError, copy_hashed},
    error::failed_to,
    hold::{Hold, Staging},
    plan::published,
    register::{Register, UNPACKED},
};
use flate2::read::GzDecoder;
use kiln_vision::SourceFile;
use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Component, Path, PathBuf},
};
use tar::{Entry, EntryType};

/// What headers and padding may add to the files: far more than they need.
const SLACK: u64 = 1 << 20;

impl Store {
    /// Unpacks the verified archive of `set` and records what came out.
    pub(crate) fn unpack(&self, set: &PinnedSet) -> Result<(), StoreError> {
        let _hold = Hold::take(self, set)?;
        self.unpack_held(set)
    }

    /// As [`Store::unpack`], by whoever holds the set already.
    pub(crate) fn unpack_held(&self, set: &PinnedSet) -> Result<(), StoreError> {
        let (Some(layout), Some(archive)) = (&set.layout, set.files.first()) else {
            return Ok(());
        };
        let folder = self.folder(set);
        if Register::unpacked(set, &folder)?.is_some() {
            return Ok(());
        }
        published(set, &folder, archive).check(&mut self.memory(set), Depth::Full)?;
        let staging = Staging::create(&folder)?;
        let files = unpack(set, layout, &folder.join(archive.name), staging.path())?;
        let register = Register {
            origin: archive.sha256.to_owned(),
            files,
        };
        // The record counts only once the folder is there, so it goes first.
        atomic_write(&folder.join(UNPACKED), &register.to_json())?;
        let target = folder.join(layout.folder);
        fs::rename(staging.path().join(layout.folder), &target)
            .map_err(failed_to("put the unpacked files into", target))
    }
}

/// Unpacks `archive` into the new folder `layout.folder` of `into`; the files
/// written, named relative to `into`.
pub(crate) fn unpack(
    set: &PinnedSet,
    layout: &Layout,
    archive: &Path,
    into: &Path,
) -> Result<Vec<SourceFile>, StoreError> {
    let refuse = |reason: String| StoreError::Archive {
        set: set.folder,
        path: archive.to_owned(),
        reason,
    };
    let broken = |cause: io::Error| refuse(format!("is cut off or broken ({cause})"));
    let target = into.join(layout.folder);
    fs::create_dir(&target).map_err(failed_to("create", &target))?;
    let file = File::open(archive).map_err(failed_to("open", archive))?;
    let limit = layout
        .members
        .iter()
        .map(|member| member.size.limit())
        .sum::<u64>()
        + SLACK;
    let mut tar = tar::Archive::new(Limited {
        inner: GzDecoder::new(BufReader::new(file)),
        left: limit,
    });
    let mut files: Vec<SourceFile> = Vec::new();
    for entry in tar.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let Some(member) = admit(layout, &entry).map_err(&refuse)? else {
            continue;
        };
        let name = layout.place(member.name);
        if files.iter().any(|file| file.name == name) {
            return Err(refuse(format!("holds '{name}' twice")));
        }
        files.push(extract(entry, name, into, broken)?);
    }
    // What follows the last entry: padding and the checksum of the stream.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(broken)?;
    for member in layout.required() {
        let name = layout.place(member.name);
        if !files.iter().any(|file| file.name == name) {
            return Err(refuse(format!("does not hold '{name}'")));
        }
    }
    Ok(files)
}

/// The member that `entry` is; none for the folder itself.
fn admit<R: Read>(layout: &Layout, entry: &Entry<'_, R>) -> Result<Option<Member>, String> {
    let kind = entry.header().entry_type();
    if kind == EntryType::XGlobalHeader {
        return Ok(None);
    }
    let path = entry
        .path()
        .map_err(|cause| format!("names a file that is no path ({cause})"))?;
    let shown = path.display();
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir => {
                return Err(format!("holds '{shown}', which climbs out with '..'"));
            }
            Component::RootDir | Component::Prefix(_) => {
                return Err(format!("holds the absolute path '{shown}'"));
            }
        }
    }
    match (kind, parts.as_slice()) {
        (EntryType::Symlink | EntryType::Link, _) => Err(format!("holds the link '{shown}'")),
        (EntryType::Directory, []) => Ok(None),
        (EntryType::Directory, [folder]) if folder == layout.folder => Ok(None),
        (EntryType::Regular, [folder, name]) if folder == layout.folder => {
            let member = layout.members.iter().find(|member| member.name == name);
            let member =
                member.ok_or_else(|| format!("holds '{shown}', which does not belong there"))?;
            if !member.size.allows(entry.size()) {
                return Err(format!(
                    "holds '{shown}' with {} bytes, which is not its size ({})",
                    entry.size(),
                    member.size.limit()
                ));
            }
            Ok(Some(*member))
        }
        _ => Err(format!("holds '{shown}', which does not belong there")),
    }
}

fn extract(
    entry: impl Read,
    name: String,
    into: &Path,
    broken: impl Fn(io::Error) -> StoreError,
) -> Result<SourceFile, StoreError> {
    let path: PathBuf = into.join(&name);
    let mut file = File::create_new(&path).map_err(failed_to("create", &path))?;
    let (sha256, bytes) = copy_hashed(entry, &mut file).map_err(|error| match error {
        CopyError::Read(cause) => broken(cause),
        CopyError::Write(cause) => failed_to("write", &path)(cause),
    })?;
    file.sync_all().map_err(failed_to("write", &path))?;
    Ok(SourceFile {
        name,
        bytes,
        sha256,
    })
}

/// A stream that fails when it goes on for too long.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other("it holds more than the data set"))?;
        Ok(count)
    }
}
