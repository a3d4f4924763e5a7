//! Looks at quarantined sources, and leaves the missing reasons with them. Decides nothing about new files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Daemon, FatalError, log};
use crate::blocking::unpanicked;
use crate::config::{FailedPolicy, Folder};
use crate::intake::FolderId;
use crate::job::{self, JobContext, JobError};
use crate::ledger::LedgerError;
use crate::percent;

/// The most quarantined sources that are looked at after one listing.
const LOOKS_MAX: usize = 1_000;

/// The time until missing reasons are tried again, or `rescan` if that is less.
const EXPLAIN_INTERVAL: Duration = Duration::from_mins(1);

/// The late explanations of each folder, by folder name. They outlast the folder, so that a reload does not start a second step
/// while a disk holds up the first.
#[derive(Debug, Default)]
pub(super) struct Explanations {
    folders: BTreeMap<String, LateExplanation>,
}

/// A repeated walk through the photos of one folder whose reason could not be left with them.
#[derive(Debug, Default)]
struct LateExplanation {
    /// The row after which the next step starts.
    after: i64,
    /// The current step; it does not end while its disk does not answer.
    step: Option<JoinHandle<Result<Option<i64>, LedgerError>>>,
    /// When the next walk begins; set when this one is over.
    next_at: Option<Instant>,
}

impl Explanations {
    /// Lets the next walk of the folder `name`, which has come online, begin at once, unless a step is running.
    pub(super) fn hasten(&mut self, name: &str) {
        if let Some(late) = self.folders.get_mut(name) {
            late.next_at = None;
        }
    }
}

impl LateExplanation {
    fn may_go_on(&self, now: Instant) -> bool {
        self.step.is_none() && self.next_at.is_none_or(|at| now >= at)
    }

    /// Takes the result of the step, if it has ended.
    async fn take_step(&mut self, now: Instant, interval: Duration) -> Result<(), LedgerError> {
        let Some(step) = self.step.take_if(|step| step.is_finished()) else {
            return Ok(());
        };
        let next = unpanicked(step.await)?;
        self.next_at = next.is_none().then(|| now + interval);
        self.after = next.unwrap_or_default();
        Ok(())
    }
}

/// Leaves reasons with the next photos of a folder that lack them. Returns the row after which the next step starts.
async fn step(
    folder: Arc<Folder>,
    context: JobContext,
    after: i64,
) -> Result<Option<i64>, LedgerError> {
    let name = folder.name.clone();
    let unexplained = context
        .ledger
        .call(move |ledger| ledger.unexplained(&name, after))
        .await;
    let (rows, next) = unexplained?;
    for late in rows {
        let source = percent::display(&late.version.source);
        match job::explain_late(Arc::clone(&folder), &context, late).await {
            Ok(explained) => log::told_late(&folder, &source, explained),
            Err(JobError::Ledger(error)) => return Err(error),
            Err(error) => log::untold(&folder, &source, &error),
        }
    }
    Ok(next)
}

impl Daemon {
    /// Tries again to leave reasons with photos, at most one step per folder at a time.
    pub(super) async fn explain_late(&mut self, now: Instant) -> Result<(), FatalError> {
        let interval = self.config.daemon.rescan.min(EXPLAIN_INTERVAL);
        for late in self.explanations.folders.values_mut() {
            late.take_step(now, interval).await?;
        }
        let there = self.folders.values().filter(|one| one.state.is_there());
        for folder in there {
            let name = folder.config.name.clone();
            let late = self.explanations.folders.entry(name).or_default();
            if late.may_go_on(now) {
                let (config, context) = (Arc::clone(&folder.config), self.context.clone());
                late.step = Some(tokio::spawn(step(config, context, late.after)));
            }
        }
        Ok(())
    }

    /// Finds quarantined sources that were removed while the folder was not watched. Of very many, it looks at some after each
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
            .context
            .ledger
            .call(move |ledger| ledger.quarantined_after(&name, &last, LOOKS_MAX));
        let paths = page.await?;
        if let Some(folder) = self.folders.get_mut(&id) {
            // After the last page, start again at the first.
            let last = paths.last().filter(|_| paths.len() == LOOKS_MAX);
            folder.looked_at = last.cloned().unwrap_or_default();
            if !paths.is_empty() {
                folder.look(paths)?;
            }
        }
        Ok(())
    }
}
