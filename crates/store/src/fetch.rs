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
        self.settle(set)?;
        let Some(missing) = self.missing(set, None)? else {
            return Ok(());
        };
        if let (Some(first), true) = (missing.first(), self.offline()) {
            return Err(StoreError::Offline {
                set: set.folder,
                file: first.name,
            });
        }
        let hold = Hold::take(self, set)?;
        // Another process may have been at work while this one waited.
        let Some(missing) = self.missing(set, Some(&hold))? else {
            return Ok(());
        };
        let folder = self.folder(set);
        fs::create_dir_all(&folder).map_err(failed_to("create", &folder))?;
        let mut files = missing.into_iter();
        let result = files.try_for_each(|file| self.download(set, file, progress));
        // Only a folder to which nothing came is empty and goes away.
        let _ = fs::remove_dir(&folder);
        result?;
        self.unpack(set, &hold)
    }

    /// The published files that are not there, or none if nothing is to be
    /// done; those that are there are checked.
    fn missing<'a>(
        &self,
        set: &'a PinnedSet,
        hold: Option<&Hold>,
    ) -> Result<Option<Vec<&'a PinnedFile>>, StoreError> {
        let folder = self.folder(set);
        if let Some(register) = Register::unofficial(&folder)? {
            return Err(StoreError::UnofficialThere {
                set: set.folder,
                folder,
                note: register.origin,
            });
        }
        if Register::unpacked(set, &folder)?.is_some_and(|known| known.is_complete(&folder)) {
            self.verify_held(set, &set.contents(), hold)?;
            return Ok(None);
        }
        refuse_loose(set, &folder)?;
        let mut memory = self.memory(set);
        let mut missing = Vec::new();
        for file in set.files {
            match published(set, &folder, file).check(&mut memory, Depth::Full) {
                Ok(_) => {}
                Err(StoreError::Missing { .. }) => missing.push(file),
                Err(error) => return Err(error),
            }
        }
        Ok((!missing.is_empty() || set.layout.is_some()).then_some(missing))
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
