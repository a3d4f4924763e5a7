//! Quarantined sources -> a look at each; decides nothing about new files.

use std::path::PathBuf;

use super::{Daemon, FatalError};
use crate::config::FailedPolicy;
use crate::intake::FolderId;

impl Daemon {
    /// Finds out which quarantined sources somebody has taken away while nobody watched.
    pub(super) async fn look_at_quarantined(&mut self, id: FolderId) -> Result<(), FatalError> {
        let Some(folder) = self
            .folders
            .get(&id)
            .filter(|folder| folder.config.failed == FailedPolicy::Note)
        else {
            return Ok(());
        };
        let name = folder.config.name.clone();
        let rows = self
            .desk
            .ledger
            .call(move |book| book.quarantined(&name))
            .await?;
        let paths: Vec<PathBuf> = rows.into_iter().map(|row| row.source).collect();
        if let Some(folder) = self.folders.get(&id).filter(|_| !paths.is_empty()) {
            folder.look(paths)?;
        }
        Ok(())
    }
}
