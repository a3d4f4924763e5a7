//! Converts the outcome of an attempt to an event for other threads. Sends nothing.

use serde::Serialize;

use crate::intake::Discovery;
use crate::job::{Job, Outcome};
use crate::percent;

/// The end of an attempt at a photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhotoEvent {
    /// The photo's folder.
    pub folder: String,
    /// Its path below the folder, for a person.
    pub source: String,
    /// Its version in the ledger; `None` if it has none.
    pub id: Option<i64>,
    /// How it ended.
    pub result: PhotoResult,
    /// The reason, unless the photo is done.
    pub reason: Option<String>,
}

impl PhotoEvent {
    /// Makes the event of an attempt; `None` if there is nothing to report.
    pub(super) fn of(job: &Job, id: Option<i64>, outcome: &Outcome) -> Option<Self> {
        let (result, reason) = match outcome {
            // The attempt that placed the cutout was already reported, unless it ran in an earlier process.
            Outcome::Retired { .. } if job.file.discovery() == Discovery::Again => return None,
            Outcome::Done { .. } | Outcome::Retired { .. } => (PhotoResult::Done, None),
            Outcome::Ignored(error) => (PhotoResult::Ignored, Some(error)),
            Outcome::Quarantined { error, .. } => (PhotoResult::Quarantined, Some(error)),
            Outcome::Retry { error, .. } => (PhotoResult::Retry, Some(error)),
            Outcome::Held(_)
            | Outcome::Unchanged { .. }
            | Outcome::Outdated
            | Outcome::Waits(_)
            | Outcome::Paused(_)
            | Outcome::Short(_)
            | Outcome::Halted(_) => return None,
        };
        Some(Self {
            folder: job.folder.name.clone(),
            source: percent::display(job.file.relative()),
            id,
            result,
            reason: reason.map(ToString::to_string),
        })
    }
}

#[cfg(test)]
impl PhotoEvent {
    /// The event of a placed cutout, in folder `a`.
    pub(crate) fn done() -> Self {
        Self {
            folder: "a".to_owned(),
            source: "a.jpg".to_owned(),
            id: Some(1),
            result: PhotoResult::Done,
            reason: None,
        }
    }
}

/// The result of an attempt, as reported to other threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoResult {
    /// The cutout is in place.
    Done,
    /// The photo failed for good.
    Quarantined,
    /// The file is not a photo for hotcut, such as its own output.
    Ignored,
    /// Another attempt follows.
    Retry,
}
