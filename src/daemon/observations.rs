//! Compares what a scanner has seen with the ledger, and passes on the photos that need work.

use std::path::PathBuf;

use tokio::time::Instant;

use super::{Daemon, FatalError};
use crate::config::FailedPolicy;
use crate::intake::{FolderId, Found, Observation};
use crate::ledger::Version;

impl Daemon {
    /// Takes the observations; `is_listing` is true if they come from the listing of the whole folder.
    pub(super) async fn take_observations(
        &mut self,
        id: FolderId,
        found: Vec<Observation>,
        is_listing: bool,
        now: Instant,
    ) -> Result<(), FatalError> {
        let Some(folder) = self.folders.get(&id) else {
            return Ok(());
        };
        let name = folder.config.name.clone();
        let forgets_gone = folder.config.failed == FailedPolicy::Note;
        let on_same_name = folder.config.on_same_name;
        let (there, gone): (Vec<_>, Vec<_>) = found
            .into_iter()
            .filter(|file| !folder.is_in_hand(&file.relative))
            .partition(|file| matches!(file.found, Found::File(_)));
        let versions: Vec<Version> = there
            .iter()
            .filter_map(|file| match file.found {
                Found::File(stamp) => Some(Version {
                    folder: name.clone(),
                    source: file.relative.clone(),
                    stamp,
                }),
                Found::Nothing | Found::Unknown => None,
            })
            .collect();
        let is_nothing = |file: &&Observation| file.found == Found::Nothing;
        let vanished = gone.iter().filter(is_nothing);
        let vanished: Vec<PathBuf> = vanished.map(|file| file.relative.clone()).collect();
        let unfinished = self.context.ledger.call(move |ledger| {
            // Sources moved to the `failed` folder are gone from here but stay in the list of failures.
            for source in vanished.iter().filter(|_| forgets_gone) {
                ledger.vanish(&name, source)?;
            }
            ledger.unfinished(&versions, on_same_name)
        });
        let unfinished = unfinished.await?;
        let metrics = &self.endpoint.metrics;
        let Some(folder) = self.folders.get_mut(&id) else {
            return Ok(());
        };
        for (file, is_unfinished) in there.into_iter().zip(unfinished) {
            if is_unfinished && is_listing {
                folder.meet(file, now);
            } else if is_unfinished {
                if let Some(discovery) = folder.observe(file, now) {
                    metrics.settled(&folder.config.name, discovery);
                }
            } else {
                folder.forget(&file.relative, now);
            }
        }
        for file in gone {
            folder.observe(file, now);
        }
        Ok(())
    }
}
