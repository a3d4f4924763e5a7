//! What can be wrong with a sheet -> words for the person who asked for it; a photo that is not on it is no such error.

use std::io;
use std::path::PathBuf;

use crate::delivery::PlaceError;
use crate::fs::path_error::PathError;
use crate::percent;
use crate::worker::StartError;

/// Why no sheet is written.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// A file has the name, and is no sheet.
    #[error(
        "{} is there already and is no sheet of hotcut's: give `--sheet` another name, or remove it",
        percent::display(.0)
    )]
    Taken(PathBuf),
    /// No file can be made in its folder.
    #[error("no sheet can be written: the folder {} is not writable", percent::display(.0))]
    Closed(PathBuf),
    /// Its folder cannot be used.
    #[error("the sheet cannot be written: {0}")]
    Folder(#[from] PathError),
    /// It has not got its name.
    #[error("the sheet cannot be written: {0}")]
    Place(#[source] PlaceError),
    /// Its bytes have not got to the disk.
    #[error("the sheet cannot be written: {0}")]
    Bytes(#[from] io::Error),
    /// Nobody can make photos small.
    #[error("the sheet cannot be made: no worker can be started: {0}")]
    NoWorker(#[from] StartError),
    /// There is nothing to show.
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
