//! Copies of files to import, beside their place, before anything is replaced.

use crate::{
    Candidate, PinnedSet, Store, StoreError,
    digest::{CopyError, copy_hashed, hash_stream},
    error::failed_to,
    hold::Staging,
    swap::Swap,
};
use kiln_vision::SourceFile;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

impl Store {
    /// Copies the files into `staging`, except those already in their place;
    /// what is to be moved and removed, and the files as they will lie.
    pub(crate) fn stage(
        &self,
        set: &PinnedSet,
        found: &Candidate,
        staging: &Staging,
    ) -> Result<(Swap, Vec<SourceFile>), StoreError> {
        let folder = self.folder(set);
        let mut swap = Swap::default();
        let mut files = Vec::new();
        for (from, name) in &found.files {
            let target = folder.join(name);
            let (sha256, bytes) = if same_file(from, &target) {
                let file = File::open(from).map_err(failed_to("open", from))?;
                hash_stream(file).map_err(failed_to("read", from))?
            } else {
                let to = staging.path().join(name);
                let copied = copy(from, &to)?;
                swap.moves.push((to, target));
                copied
            };
            files.push(SourceFile {
                name: name.clone(),
                bytes,
                sha256,
            });
        }
        // The other form of a file would be read instead, or linger.
        let forms = set.files.iter().flat_map(|file| {
            let names: Vec<_> = file.forms().map(|form| form.0).collect();
            let used = files.iter().any(|file| names.contains(&file.name.as_str()));
            names.into_iter().filter(move |_| used)
        });
        let unused = forms.filter(|name| files.iter().all(|file| file.name != *name));
        swap.removals = unused.map(|name| folder.join(name)).collect();
        Ok((swap, files))
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn copy(from: &Path, to: &Path) -> Result<(String, u64), StoreError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(failed_to("create", folder))?;
    }
    let source = File::open(from).map_err(failed_to("open", from))?;
    let mut target = File::create_new(to).map_err(failed_to("create", to))?;
    let facts = copy_hashed(source, &mut target).map_err(|error| match error {
        CopyError::Read(cause) => failed_to("read", from)(cause),
        CopyError::Write(cause) => failed_to("write", to)(cause),
    })?;
    target.sync_all().map_err(failed_to("write", to))?;
    Ok(facts)
}

/// Where a file lies: staged, or already in its place.
pub(crate) fn locate(folder: &Path, staging: &Staging, name: &str) -> PathBuf {
    let staged = staging.path().join(name);
    if staged.exists() {
        staged
    } else {
        folder.join(name)
    }
}
