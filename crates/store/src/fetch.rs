//! Bringing a set's files from its mirrors: what is missing is downloaded,
//! what is there is checked and never replaced.

use crate::{
    PinnedFile, PinnedSet, Progress, Store, StoreError,
    check::Depth,
    error::failed_to,
    hold::Hold,
    plan::{published, refuse_loose},
    register::Register,
};
use std::fs;

impl Store {
    /// Makes the official files of `set` complete: downloads those that are
    /// missing, going on where an interrupted download stopped, compares every
    /// SHA-256, and unpacks the archive if the set is one.
    ///
    /// # Errors
    /// When a file that is there is damaged or unofficial, when downloads are
    /// switched off or not built in, and when no mirror delivers.
    pub fn fetch(&self, set: &PinnedSet, progress: &mut dyn Progress) -> Result<(), StoreError> {
        let folder = self.folder(set);
        if let Some(register) = Register::unofficial(&folder)? {
            return Err(StoreError::UnofficialThere {
                set: set.folder,
                folder,
                note: register.origin,
            });
        }
        if Register::unpacked(set, &folder)?.is_some() {
            return self.verify_all(set).map(drop);
        }
        refuse_loose(set, &folder)?;
        let missing = self.missing(set)?;
        if let (Some(first), true) = (missing.first(), self.offline()) {
            return Err(StoreError::Offline {
                set: set.folder,
                file: first.name,
            });
        }
        if !missing.is_empty() || set.layout.is_some() {
            let _hold = Hold::take(self, set)?;
            fs::create_dir_all(&folder).map_err(failed_to("create", &folder))?;
            let result = self.bring(set, &missing, progress);
            // Only a folder to which nothing came is empty and goes away.
            let _ = fs::remove_dir(&folder);
            return result;
        }
        Ok(())
    }

    fn bring(
        &self,
        set: &PinnedSet,
        missing: &[&PinnedFile],
        progress: &mut dyn Progress,
    ) -> Result<(), StoreError> {
        for file in missing {
            self.download(set, file, progress)?;
        }
        self.unpack_held(set)
    }

    /// The published files that are not there; those that are, are checked.
    fn missing<'a>(&self, set: &'a PinnedSet) -> Result<Vec<&'a PinnedFile>, StoreError> {
        let folder = self.folder(set);
        let mut memory = self.memory(set);
        let mut missing = Vec::new();
        for file in set.files {
            match published(set, &folder, file).check(&mut memory, Depth::Full) {
                Ok(_) => {}
                Err(StoreError::Missing { .. }) => missing.push(file),
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }

    #[cfg(feature = "download")]
    fn download(
        &self,
        set: &PinnedSet,
        file: &PinnedFile,
        progress: &mut dyn Progress,
    ) -> Result<(), StoreError> {
        let patience = crate::mirror::Patience::default();
        crate::mirror::download(set, file, &self.folder(set), (patience, progress))?;
        // Remembers the hash that was just compared.
        published(set, &self.folder(set), file).check(&mut self.memory(set), Depth::Full)?;
        Ok(())
    }

    #[cfg(not(feature = "download"))]
    fn download(
        &self,
        set: &PinnedSet,
        file: &PinnedFile,
        _: &mut dyn Progress,
    ) -> Result<(), StoreError> {
        Err(StoreError::NoDownloads {
            set: set.folder,
            file: file.name,
        })
    }
}
