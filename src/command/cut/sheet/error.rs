//! Why a sheet cannot be written. A single photo missing from the sheet is not such an error.

use std::io;
use std::path::PathBuf;

use crate::delivery::PlaceError;
use crate::fs::path_error::PathError;
use crate::percent;
use crate::worker::StartError;

/// Why no sheet is written.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The name belongs to a file that is not a sheet.
    #[error(
        "{} exists and is not a hotcut sheet: give `--sheet` another name, or remove it",
        percent::display(.0)
    )]
    Taken(PathBuf),
    /// The folder is not writable.
    #[error("no sheet can be written: the folder {} is not writable", percent::display(.0))]
    Closed(PathBuf),
    /// The folder cannot be used.
    #[error("the sheet cannot be written: {0}")]
    Folder(#[from] PathError),
    /// The file cannot be placed.
    #[error("the sheet cannot be written: {0}")]
    Place(#[source] PlaceError),
    /// The content cannot be written to disk.
    #[error("the sheet cannot be written: {0}")]
    Bytes(#[from] io::Error),
    /// No worker can be started.
    #[error("the sheet cannot be made: no worker can be started: {0}")]
    NoWorker(#[from] StartError),
    /// No photo can be shown.
    #[error("the sheet cannot be made: none of the photos can be shown")]
    Empty,
}

impl From<PlaceError> for SheetError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Taken(path) => Self::Taken(path),
            other @ (PlaceError::Short { .. } | PlaceError::Io(_)) => Self::Place(other),
        }
    }
}
