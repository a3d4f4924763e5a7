//! What happened to each version of a source, and the operations that read it. Must not change anything.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use crate::fs::stamp::Stamp;

/// The history of one version of a source. Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionHistory {
    /// Its stamp. The inode is lost once the source was moved or deleted.
    pub stamp: Stamp,
    /// When it was first seen; `None` in ledgers of hotcut 0.1.
    pub seen_at_ms: Option<i64>,
    /// When it settled.
    pub settled_at_ms: Option<i64>,
    /// The failed attempts, in order.
    pub failures: Vec<FailedAttempt>,
    /// When the last attempt began.
    pub begun_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// The number of attempts that count.
    pub attempts: u32,
    /// Its state.
    pub state: PhotoState,
    /// The reason, if it is quarantined or ignored.
    pub reason: Option<String>,
    /// The paths of its outputs, placed or planned.
    pub outputs: Vec<PathBuf>,
    /// The model.
    pub model: String,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// When it began, in milliseconds since the epoch.
    pub begun_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: i64,
    /// Whether it counts against the photo.
    pub is_counted: bool,
    /// The reason, for a person.
    pub reason: String,
}

/// The state of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoState {
    /// An attempt is running, or was when the daemon ended.
    Running,
    /// Another attempt follows.
    Waiting,
    /// Its cutout is in place; the source is not moved or deleted yet.
    Placed,
    /// The cutout is in place and the source is handled.
    Done,
    /// It failed for good.
    Quarantined,
    /// It is not a photo for hotcut, such as its own output.
    Ignored,
    /// It is gone, or another version has replaced it.
    Superseded,
}

impl PhotoState {
    /// The word for it in the ledger and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Placed => "placed",
            Self::Done => "done",
            Self::Quarantined => "quarantined",
            Self::Ignored => "ignored",
            Self::Superseded => "superseded",
        }
    }
}

/// Answers what happened to a source.
pub trait HistoryStore {
    /// Returns the history of each version of `source`, oldest first.
    fn history(&mut self, folder: &str, source: &Path) -> Result<Vec<VersionHistory>, LedgerError>;

    /// Returns the source of the file at `output`, placed or planned: its folder and its path below that.
    fn source_of(&mut self, output: &Path) -> Result<Option<(String, PathBuf)>, LedgerError>;

    /// Returns whether hotcut has moved or deleted a photo in or below `subfolder` of `folder` since the subfolder was created at
    /// `born_ms`, or ever if that time is unknown.
    fn has_emptied(
        &mut self,
        folder: &str,
        subfolder: &Path,
        born_ms: Option<i64>,
    ) -> Result<bool, LedgerError>;
}
