//! What the loop has just done -> what it tells others of it. Decides nothing.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Daemon, News, PhotoResult, Readiness, View};
use crate::job::{Job, Outcome};
use crate::percent;

/// The news of an attempt; `None` if nothing of note became of it.
pub(super) fn photo(job: &Job, id: Option<i64>, outcome: &Outcome) -> Option<News> {
    let (result, reason) = match outcome {
        Outcome::Done { .. } => (PhotoResult::Done, None),
        Outcome::Ignored(error) => (PhotoResult::Ignored, Some(error)),
        Outcome::Quarantined { error, .. } => (PhotoResult::Quarantined, Some(error)),
        Outcome::Retry { error, .. } => (PhotoResult::Retry, Some(error)),
        Outcome::Held
        | Outcome::Outdated
        | Outcome::Waits(_)
        | Outcome::Paused(_)
        | Outcome::Halted(_) => return None,
    };
    Some(News::Photo {
        folder: job.folder.name.clone(),
        source: percent::display(job.file.relative()),
        id,
        result,
        reason: reason.map(ToString::to_string),
    })
}

impl Daemon {
    /// Shows others the loop as it is now.
    pub(super) fn show(&self) {
        self.reception.show(View {
            config: Arc::clone(&self.config),
            live: self.live.status(&self.folders),
            workers: self.pool.fit(),
            is_proved: self.readiness != Readiness::Untried,
            beat: Instant::now(),
        });
    }
}
