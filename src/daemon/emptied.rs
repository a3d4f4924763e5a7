//! Has empty subfolders removed that hotcut itself has emptied, if the folder is configured so. Must not access the disk itself.

use std::path::PathBuf;

use super::{Daemon, FatalError, log};
use crate::fs::path_error::PathError;
use crate::intake::{EmptyFolder, FolderId};

impl Daemon {
    /// Has the subfolders in `empty` removed from which hotcut has moved or deleted photos. A subfolder that a person has made, or
    /// made again, and that has held no photo yet stays.
    pub(super) async fn remove_emptied(
        &mut self,
        id: FolderId,
        empty: Vec<EmptyFolder>,
    ) -> Result<(), FatalError> {
        if empty.is_empty() {
            return Ok(());
        }
        let Some(folder) = self.folders.get(&id) else {
            return Ok(());
        };
        let name = folder.config.name.clone();
        let emptied = self.context.ledger.call(move |ledger| {
            let mut emptied = Vec::new();
            for subfolder in empty {
                if ledger.has_emptied(&name, &subfolder.relative, subfolder.born_ms)? {
                    emptied.push(subfolder);
                }
            }
            Ok(emptied)
        });
        let emptied = emptied.await?;
        match self.folders.get(&id) {
            Some(folder) if !emptied.is_empty() => Ok(folder.remove(emptied)?),
            _ => Ok(()),
        }
    }

    pub(super) fn take_removed(
        &mut self,
        id: FolderId,
        removed: &[PathBuf],
        error: Option<PathError>,
    ) {
        let Some(folder) = self.folders.get_mut(&id) else {
            return;
        };
        for subfolder in removed {
            log::removed(&folder.config, subfolder);
        }
        // Each listing tries the removal again, so the same failure is logged once.
        let path = error.as_ref().map(|error| error.path().to_owned());
        let is_new = folder.unremovable != path;
        folder.unremovable = path;
        if let Some(error) = error
            && is_new
        {
            log::unremovable(&folder.config, &error);
        }
    }
}
