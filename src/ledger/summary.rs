//! Counts of photos and lists of those that failed for good, and the operations that read them. Must not change anything.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::LedgerError;

/// The numbers of photos of one folder in each state.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Versions that are done.
    pub done: u32,
    /// Versions whose attempt failed and that are tried again.
    pub waiting: u32,
    /// Versions that failed for good.
    pub quarantined: u32,
    /// When the last one was done, in milliseconds since the epoch.
    pub last_done_ms: Option<i64>,
    /// Photos done in the last minute.
    pub photos_per_minute: u32,
}

/// A source that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The path below the hot folder.
    pub source: PathBuf,
    /// The reason, for a person.
    pub reason: String,
    /// The number of workers that it was given to.
    pub attempts: u32,
    /// Whether hotcut has moved it to the `failed` folder.
    pub is_moved: bool,
}

/// Counts photos and lists those that failed for good.
pub trait SummaryStore {
    /// Counts the records of `folder`.
    fn counts(&mut self, folder: &str) -> Result<Counts, LedgerError>;

    /// Lists the sources of `folder` that failed for good, sorted by path.
    fn quarantined(&mut self, folder: &str) -> Result<Vec<Quarantined>, LedgerError>;

    /// Lists the `count` newest sources of `folder` that failed for good.
    fn newest_quarantined(
        &mut self,
        folder: &str,
        count: u32,
    ) -> Result<Vec<Quarantined>, LedgerError>;

    /// Returns the first `count` sources of `folder` after `last` that failed for good, sorted by path.
    fn quarantined_after(
        &mut self,
        folder: &str,
        last: &Path,
        count: usize,
    ) -> Result<Vec<PathBuf>, LedgerError>;
}
