//! Replacing several files at once: all of them, or none.

use crate::{StoreError, error::failed_to};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files to move into place, and files to take away.
#[derive(Debug, Default)]
pub(crate) struct Swap {
    /// From where to where.
    pub(crate) moves: Vec<(PathBuf, PathBuf)>,
    /// What must not be there any more.
    pub(crate) removals: Vec<PathBuf>,
}

impl Swap {
    /// Does it all. What was there before goes to the folder `backup` first,
    /// and comes back if anything fails.
    pub(crate) fn perform(self, backup: &Path) -> Result<(), StoreError> {
        fs::create_dir_all(backup).map_err(failed_to("create", backup))?;
        let mut done: Vec<(PathBuf, PathBuf)> = Vec::new();
        let result = self.steps(backup, &mut done);
        if result.is_err() {
            for (from, to) in done.iter().rev() {
                let _ = fs::rename(to, from);
            }
        }
        result
    }

    fn steps(self, backup: &Path, done: &mut Vec<(PathBuf, PathBuf)>) -> Result<(), StoreError> {
        let mut step = |from: &Path, to: &Path| {
            fs::rename(from, to).map_err(failed_to("write", to))?;
            done.push((from.to_owned(), to.to_owned()));
            Ok(())
        };
        let targets = self.moves.iter().map(|(_, to)| to);
        for (index, old) in targets.chain(&self.removals).enumerate() {
            if old.is_dir() {
                return Err(StoreError::Io {
                    doing: "replace",
                    path: old.clone(),
                    cause: std::io::ErrorKind::IsADirectory.into(),
                });
            }
            if old.exists() {
                step(old, &backup.join(index.to_string()))?;
            }
        }
        for (from, to) in &self.moves {
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(failed_to("create", folder))?;
            }
            step(from, to)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_swap_that_fails_half_way_brings_everything_back() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("new-a"), "new").unwrap();
        fs::write(at("a"), "old").unwrap();
        fs::write(at("gone"), "still").unwrap();
        let swap = Swap {
            moves: vec![(at("new-a"), at("a")), (at("missing"), at("b"))],
            removals: vec![at("gone")],
        };
        assert!(swap.perform(&at("backup")).is_err());
        assert_eq!(fs::read_to_string(at("a")).unwrap(), "old");
        assert_eq!(fs::read_to_string(at("new-a")).unwrap(), "new");
        assert_eq!(fs::read_to_string(at("gone")).unwrap(), "still");
    }

    #[test]
    fn a_swap_replaces_and_removes() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("new-a"), "new").unwrap();
        fs::write(at("a"), "old").unwrap();
        fs::write(at("gone"), "still").unwrap();
        let swap = Swap {
            moves: vec![(at("new-a"), at("a"))],
            removals: vec![at("gone")],
        };
        swap.perform(&at("backup")).unwrap();
        assert_eq!(fs::read_to_string(at("a")).unwrap(), "new");
        assert!(!at("gone").exists() && !at("new-a").exists());
    }
}
