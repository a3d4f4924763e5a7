//! The operations that record where folders are mounted. Must not look at a disk.

use std::path::{Path, PathBuf};

use super::error::LedgerError;

/// Records the mount points of folders.
pub trait MountStore {
    /// Returns the mount point that `folder` lay under when it was first used.
    fn mount_of(&mut self, folder: &Path) -> Result<Option<PathBuf>, LedgerError>;

    /// Remembers the mount point that `folder` lies under.
    fn remember_mount(&mut self, folder: &Path, mount_point: &Path) -> Result<(), LedgerError>;
}
