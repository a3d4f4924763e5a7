//! Quarantined sources -> a look at each, and the reason with each; decides nothing about new files.

use std::sync::Arc;

use super::{Daemon, FatalError, log};
use crate::config::{FailedPolicy, Folder};
use crate::intake::FolderId;
use crate::job::{self, Desk};
use crate::percent;

/// Quarantined sources looked at after one listing.
const LOOKS_MAX: usize = 1_000;

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
    /// Finds out which quarantined sources somebody has taken away while nobody watched: of very many, some after each
    /// listing.
    pub(super) async fn look_at_quarantined(&mut self, id: FolderId) -> Result<(), FatalError> {
        let Some(folder) = self
            .folders
            .get(&id)
            .filter(|folder| folder.config.failed == FailedPolicy::Note)
        else {
            return Ok(());
        };
        let (name, last) = (folder.config.name.clone(), folder.looked_at.clone());
        let page = self
            .desk
            .ledger
            .call(move |book| book.quarantined_after(&name, &last, LOOKS_MAX));
        let paths = page.await?;
        if let Some(folder) = self.folders.get_mut(&id) {
            // After the last page the first one comes again.
            let last = paths.last().filter(|_| paths.len() == LOOKS_MAX);
            folder.looked_at = last.cloned().unwrap_or_default();
            if !paths.is_empty() {
                folder.look(paths)?;
            }
        }
        Ok(())
    }
}
