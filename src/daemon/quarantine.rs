//! Quarantined sources -> a look at each, and the reason with each; decides nothing about new files.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Daemon, FatalError, log};
use crate::config::{FailedPolicy, Folder};
use crate::intake::FolderId;
use crate::job::{self, Desk};
use crate::percent;

/// Leaves with the photos of a folder the reasons that an earlier run could not leave with them.
pub(super) async fn explain_late(folder: Arc<Folder>, desk: Desk) {
    let name = folder.name.clone();
    // A ledger that fails ends the daemon at its next call.
    let Ok(rows) = desk.ledger.call(move |book| book.unexplained(&name)).await else {
        return;
    };
    for late in rows {
        let source = percent::display(&late.version.source);
        if let Err(error) = job::explain_late(Arc::clone(&folder), &desk, late).await {
            log::untold(&folder, &source, &error);
        }
    }
}

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
