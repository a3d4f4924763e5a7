//! Cutouts found in output folders, and the operations that restore a lost ledger from them. Must not read a file.

use std::path::PathBuf;

use super::error::LedgerError;

/// How many of the cutouts of a lost ledger were looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebuildExtent {
    /// All of it: the ledger is whole from now on.
    Whole,
    /// A part: the next start looks for all of them again.
    Part,
}

/// A cutout in an output folder, recognised by its provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCutout {
    /// The name of the hot folder that it comes from.
    pub folder: String,
    /// The path of its source below that.
    pub source: PathBuf,
    /// The output folder.
    pub output: PathBuf,
    /// Its path below that.
    pub name: PathBuf,
    /// The path as a case-insensitive file system compares it.
    pub folded: Vec<u8>,
    /// When it was written, in milliseconds since the epoch.
    pub written_at_ms: i64,
    /// The SHA-256 of its source.
    pub sha256: [u8; 32],
    /// The model that cut it out.
    pub model: String,
    /// Whether its source is no longer in the hot folder.
    pub is_source_gone: bool,
}

/// Restores the records of a lost ledger.
pub trait RebuildStore {
    /// Makes the temporary table for found cutouts.
    fn begin_relearning(&mut self) -> Result<(), LedgerError>;

    /// Stores one found cutout, on disk, so that any number fits.
    fn note_found(&mut self, found: &FoundCutout) -> Result<(), LedgerError>;

    /// Records the found cutouts and returns the number of newly known names. Existing records have priority.
    ///
    /// A source owns the names of all its cutouts; the name of the latest counts as reserved last. A version is recorded for the
    /// cutouts of one name whose source is gone, one in each output folder. An existing source is compared with its latest cutout
    /// when its folder is listed.
    fn end_relearning(&mut self, extent: RebuildExtent) -> Result<usize, LedgerError>;
}
