//! Versions that ended long ago, and the operations that find and remove them. Must not look at a photo.

use super::attempts::Version;
use super::error::LedgerError;

/// The position of a walk through the old versions of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldCursor {
    pub(super) state: usize,
    pub(super) ended_at_ms: i64,
    pub(super) id: i64,
}

/// A version that ended long ago.
#[derive(Clone, Debug)]
pub struct OldVersion {
    pub(super) id: i64,
    pub(super) state: &'static str,
    pub(super) ended_at_ms: i64,
    /// The version.
    pub version: Version,
    /// Whether hotcut itself has moved or deleted its source.
    pub is_retired: bool,
}

/// A version to remove, because its source is gone.
#[derive(Clone, Debug)]
pub struct Forgotten {
    /// The version.
    pub old: OldVersion,
    /// Whether no other photo is known to have its path.
    pub is_path_free: bool,
}

/// Removes old versions.
pub trait ForgetStore {
    /// Returns the next versions of `folder` that ended before `before_ms`, and the position to continue at; `None` at the end.
    fn old_versions(
        &mut self,
        folder: &str,
        before_ms: i64,
        cursor: &OldCursor,
        count: u32,
    ) -> Result<(Vec<OldVersion>, Option<OldCursor>), LedgerError>;

    /// Removes versions that are unchanged since they were listed. Returns how many were removed.
    ///
    /// A name is removed with the last version that had it. A cutout that still has the name is safe, since nothing is placed over
    /// a file.
    fn forget(&mut self, forgotten: &[Forgotten]) -> Result<usize, LedgerError>;
}
