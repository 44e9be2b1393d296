//! Unpacking an archive (`.tar.gz`) of known content. Anything that the layout
//! does not name is refused: other names, absolute paths, `..`, links,
//! devices, files of another length, and archives that go on for too long.

use crate::{
    Layout, Member, PinnedSet, Store, StoreError,
    check::Depth,
    digest::{CopyError, copy_hashed},
    error::failed_to,
    hold::{Fresh, Hold},
    plan::published,
    register::{Register, UNPACKED},
};
use flate2::read::GzDecoder;
use kiln_vision::SourceFile;
use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Component, Path},
};
use tar::{Entry, EntryType};

/// What headers and padding may add to the files: far more than they need.
const SLACK: u64 = 1 << 20;

impl Store {
    /// Unpacks the verified archive of `set`, held by `_hold`, and records what
    /// came out. Files that are there already stay as they are.
    pub(crate) fn unpack(&self, set: &PinnedSet, _hold: &Hold) -> Result<(), StoreError> {
        let (Some(layout), Some(archive)) = (&set.layout, set.files.first()) else {
            return Ok(());
        };
        let folder = self.folder(set);
        if Register::unpacked(set, &folder)?.is_some_and(|known| known.is_complete(&folder)) {
            return Ok(());
        }
        published(set, &folder, archive).check(&mut self.memory(set), Depth::Full)?;
        let fresh = Fresh::create(folder.join(".unpacking"), &folder)?;
        let packed = folder.join(archive.name);
        let files = unpack(set, layout, (&packed, &packed), (fresh.path(), &folder))?;
        // The record says nothing until all files are there, and tells files
        // of an unpacking that was interrupted from those of the user.
        let register = Register {
            origin: archive.sha256.to_owned(),
            files,
        };
        register.write(&folder, UNPACKED, &folder)?;
        let target = folder.join(layout.folder);
        fs::create_dir_all(&target).map_err(failed_to("create", target))?;
        for file in &register.files {
            let target = folder.join(&file.name);
            if !target.exists() {
                fs::rename(fresh.path().join(&file.name), &target)
                    .map_err(failed_to("write", target))?;
            }
        }
        Ok(())
    }
}

/// Unpacks `archive` into the new folder `layout.folder` of `into`; the files
/// written, named relative to `into`. Errors name the archive as `shown`, and
/// the files as in `target`, for which they are meant.
pub(crate) fn unpack(
    set: &PinnedSet,
    layout: &Layout,
    (archive, shown): (&Path, &Path),
    (into, target): (&Path, &Path),
) -> Result<Vec<SourceFile>, StoreError> {
    let refuse = |reason: String| StoreError::Archive {
        set: set.folder,
        path: shown.to_owned(),
        reason,
    };
    let broken = |cause: io::Error| refuse(format!("is cut off or broken ({cause})"));
    fs::create_dir(into.join(layout.folder))
        .map_err(failed_to("create", target.join(layout.folder)))?;
    let file = File::open(archive).map_err(failed_to("open", shown))?;
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
        files.push(extract(entry, name, (into, target), broken)?);
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
    (into, target): (&Path, &Path),
    broken: impl Fn(io::Error) -> StoreError,
) -> Result<SourceFile, StoreError> {
    let path = target.join(&name);
    let mut file = File::create_new(into.join(&name)).map_err(failed_to("create", &path))?;
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
