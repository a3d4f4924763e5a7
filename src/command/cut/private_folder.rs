//! A photo from stdin, or a cutout for stdout -> a folder of this run alone, in which a job finds it. Reads and writes no photo.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::fs::path_error::{AtPath as _, PathError};

/// A folder that only this user may enter. Dropped, it is gone with all that is in it.
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

    /// Where the photo from stdin lies in it. The provenance in its cutout tells this name.
    pub(super) fn photo(&self) -> PathBuf {
        self.0.path().join("stdin")
    }
}
