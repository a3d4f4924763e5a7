//! A private folder for a photo from stdin or a cutout for stdout, used by the job like any other folder. Must not read or write
//! photos.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::fs::path_error::{AtPath as _, PathError};

/// A folder that only this user may enter. It is removed with its content on drop.
#[derive(Debug)]
pub(super) struct PrivateFolder(TempDir);

impl PrivateFolder {
    /// Makes one in the system's temporary folder.
    pub(super) fn new() -> Result<Self, PathError> {
        let place = std::env::temp_dir();
        let folder = tempfile::Builder::new()
            .prefix(".hotcut-cut-")
            .tempdir_in(&place);
        Ok(Self(folder.at(&place)?))
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path for the photo from stdin. The cutout's provenance contains this name.
    pub(super) fn photo(&self) -> PathBuf {
        self.0.path().join("stdin")
    }
}
