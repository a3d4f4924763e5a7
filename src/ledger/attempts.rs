//! Versions and attempts, and the operations that record them. Must not know how they are stored.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::attempt_result::AttemptResult;
use super::error::LedgerError;
use crate::config::{OnSameName, OutputSpec};
use crate::fs::stamp::Stamp;

/// One version of one source.
#[derive(Clone, Debug)]
pub struct Version {
    /// The name of the hot folder.
    pub folder: String,
    /// The path below it.
    pub source: PathBuf,
    /// The stamp of the version.
    pub stamp: Stamp,
}

/// When a version arrived. Times are milliseconds since the epoch, except the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it was first seen.
    pub seen_at_ms: i64,
    /// When it settled.
    pub settled_at_ms: i64,
    /// When its file was created, in nanoseconds since the epoch of its file system's clock, if known.
    pub born_ns: Option<i64>,
}

impl Arrival {
    /// Makes the arrival of a version that was first seen `seen` ago and settled `settled` ago.
    pub fn ago(seen: Duration, settled: Duration) -> Self {
        let before = |ago: Duration| {
            now_ms().saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))
        };
        Self {
            seen_at_ms: before(seen),
            settled_at_ms: before(settled),
            born_ns: None,
        }
    }
}

/// The right to record the result of one attempt at a version. It is lost when another attempt begins, when a later version of the
/// source supersedes this one, or when a start finds the attempt interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The version's row.
    pub id: i64,
    /// Increases with each attempt at the version.
    pub claim: i64,
}

/// An attempt that may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The right to record its result.
    pub hold: Hold,
    /// The number of this attempt, from 1.
    pub attempt: u32,
}

/// One file that is made of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedOutput {
    /// Its path.
    pub path: PathBuf,
    /// What is made.
    pub spec: OutputSpec,
}

/// Records attempts at versions. A change by a [`Hold`] that is lost changes nothing and returns [`LedgerError::Lost`].
pub trait AttemptStore {
    /// Returns for each version whether it still needs work. A running version does not: a job has it, perhaps for a folder that a
    /// reload has replaced. A done version that came back after a later version needs work if the later cutout has replaced its
    /// own, which depends on `on_same_name`.
    fn unfinished(
        &mut self,
        versions: &[Version],
        on_same_name: OnSameName,
    ) -> Result<Vec<bool>, LedgerError>;

    /// Begins and counts an attempt that is to make `outputs`. Supersedes earlier versions of the source. `None`
    /// if a job for a folder that a reload has replaced is at work on this version.
    fn begin(
        &mut self,
        version: &Version,
        arrival: Arrival,
        model: &str,
        outputs: &[PlannedOutput],
    ) -> Result<Option<Begun>, LedgerError>;

    /// Notes that the outputs of the attempt are in place. The attempt still handles the source; after a crash, only the source is
    /// left to do.
    fn placed(&mut self, hold: Hold, sha256: &[u8; 32]) -> Result<(), LedgerError>;

    /// Notes in one step that the outputs of the attempt are in place and that its source stays. With two steps, a crash in between
    /// would cause the source to be deleted.
    fn placed_for_good(&mut self, hold: Hold, sha256: &[u8; 32]) -> Result<(), LedgerError>;

    /// Records how the attempt ended.
    fn end(&mut self, hold: Hold, result: &AttemptResult) -> Result<(), LedgerError>;

    /// Records that the attempt failed, and why.
    fn fail(&mut self, hold: Hold, result: &AttemptResult, reason: &str)
    -> Result<(), LedgerError>;

    /// Marks the records of a source that is gone, so that it is no longer reported.
    fn vanish(&mut self, folder: &str, source: &Path) -> Result<(), LedgerError>;
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
