//! An I/O error -> the same error with the path it happened on; knows no stage.

use std::io;
use std::path::{Path, PathBuf};

/// An I/O error together with the path that it concerns.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct PathError {
    path: PathBuf,
    source: io::Error,
}

impl PathError {
    /// Attaches `path` to an error.
    pub fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            source,
        }
    }

    /// The path that could not be used.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the operating system answered.
    pub fn io(&self) -> &io::Error {
        &self.source
    }
}

/// Attaches a path to an I/O result.
pub trait AtPath<T> {
    /// Returns the value, or the error with `path` attached.
    fn at(self, path: &Path) -> Result<T, PathError>;
}

impl<T, E: Into<io::Error>> AtPath<T> for Result<T, E> {
    fn at(self, path: &Path) -> Result<T, PathError> {
        self.map_err(|error| PathError::new(path, error.into()))
    }
}
