//! Photos that a user wants to be processed again, and the operations on them. Must not start an attempt.

use std::path::Path;

use super::attempts::Version;
use super::error::LedgerError;

/// A photo that is done.
#[derive(Clone, Debug)]
pub struct DonePhoto {
    /// The version that was cut out last.
    pub version: Version,
    /// The model that made its cutout.
    pub model: String,
}

/// Records what a user asks for.
pub trait RedoStore {
    /// Lists the photos of `folder` that are done, sorted by path.
    fn done(&mut self, folder: &str) -> Result<Vec<DonePhoto>, LedgerError>;

    /// Returns a done version to the queue; its next cutout replaces the existing one. False if it is no longer done.
    fn redo(&mut self, version: &Version) -> Result<bool, LedgerError>;

    /// Returns whether a user has asked for a new cutout of this version.
    fn is_redo(&mut self, version: &Version) -> Result<bool, LedgerError>;

    /// Returns one quarantined source to the queue with all its attempts. False if it is not quarantined, or was moved to the
    /// `failed` folder, so that it cannot be tried again.
    fn retry(&mut self, folder: &str, source: &Path) -> Result<bool, LedgerError>;
}
