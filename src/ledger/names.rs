//! Names of outputs, their owners, and the operations on them. Must not choose a name.

use std::path::{Path, PathBuf};

use super::attempts::Version;
use super::error::LedgerError;

/// A name in an output folder that a source requests.
#[derive(Clone, Debug)]
pub struct OutputName {
    /// The output folder.
    pub output: PathBuf,
    /// The path below it.
    pub name: PathBuf,
    /// The path as a case-insensitive file system compares it.
    pub folded: Vec<u8>,
}

/// A name in an output folder that a source owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedName {
    /// The path below the output folder.
    pub name: PathBuf,
    /// Whether an earlier attempt at the version in question reserved it.
    pub is_own: bool,
    /// Whether the cutout of another version of the source was placed under it.
    pub is_used: bool,
    /// Set if the cutout is of another version of the same file, which was written to since.
    pub continued: Option<Continued>,
}

/// The progress of an earlier version of a file before the file was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continued {
    /// It was not moved or deleted yet.
    Unretired,
    /// Hotcut had finished it and left it where it was.
    Left,
}

/// A photo whose cutout is in place and which was the same file as another photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerName {
    /// Its row.
    pub id: i64,
    /// Its path below the hot folder.
    pub source: PathBuf,
    /// Where its outputs were placed.
    pub outputs: Vec<PathBuf>,
    /// The SHA-256 of its content.
    pub sha256: [u8; 32],
}

/// Records which source owns which names in output folders.
pub trait NameStore {
    /// Returns all names that the source of `version`, a file created at `born_ns`, owns below `output`; the last reserved name
    /// comes first.
    fn names_of(
        &mut self,
        version: &Version,
        born_ns: Option<i64>,
        output: &Path,
    ) -> Result<Vec<OwnedName>, LedgerError>;

    /// Returns the last name reserved for `source` below `output`.
    fn name_of(
        &mut self,
        folder: &str,
        source: &Path,
        output: &Path,
    ) -> Result<Option<PathBuf>, LedgerError>;

    /// Reserves all of `names` for `source`, for ever, or none if another source owns one of them. The source keeps the names that it
    /// already owns.
    fn reserve(
        &mut self,
        folder: &str,
        source: &Path,
        names: &[OutputName],
    ) -> Result<bool, LedgerError>;

    /// Returns the photo of the same folder whose cutout is in place under another name and which was the same file as `version`:
    /// with the same length, modification time and inode.
    fn former_name(&mut self, version: &Version) -> Result<Option<FormerName>, LedgerError>;

    /// Records that the photo of row `id`, and its cutout, now have the name `name`; the row is history from now on.
    fn renamed(&mut self, id: i64, name: &Path) -> Result<(), LedgerError>;
}
