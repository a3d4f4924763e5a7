//! Quarantined versions whose reason was not left for the photographer, and the operations on them. Must not touch a photo.

use super::attempts::{Hold, Version};
use super::error::LedgerError;

/// A quarantined version whose reason was not left for the photographer yet.
#[derive(Clone, Debug)]
pub struct Unexplained {
    /// Its row.
    pub id: i64,
    /// The version.
    pub version: Version,
    /// The reason of its failure.
    pub reason: String,
}

/// Records whether the reason of a failure was left for the photographer.
pub trait ExplanationStore {
    /// Records that the attempt has ended and its version failed for good. Begins its explanation in the same step, as
    /// [`Self::begin_explaining`] does, so that no other task can begin it in between.
    fn quarantine(&mut self, hold: Hold, reason: String) -> Result<bool, LedgerError>;

    /// Begins the explanation of version `id`. False if it needs none, or if one is already running: two would use the same hidden
    /// names.
    fn begin_explaining(&mut self, id: i64) -> Result<bool, LedgerError>;

    /// Ends the explanation of version `id`, which failed. Returns whether it failed for the first time.
    fn fail_explaining(&mut self, id: i64) -> bool;

    /// Notes that the reason of version `id` was left for the photographer.
    fn explained(&mut self, id: i64) -> Result<(), LedgerError>;

    /// As [`Self::explained`], for a source that was moved along with its reason. Its inode no longer identifies the version.
    fn explained_and_moved(&mut self, id: i64) -> Result<(), LedgerError>;

    /// Returns the quarantined versions of `folder`, from the row after `after`, that a crash or an unwritable folder has left
    /// unexplained. If there are more, also returns the row after which they follow.
    fn unexplained(
        &mut self,
        folder: &str,
        after: i64,
    ) -> Result<(Vec<Unexplained>, Option<i64>), LedgerError>;
}
