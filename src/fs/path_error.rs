//! Attaches a path to an I/O error. Must not depend on a stage.

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

    /// The error of the operating system.
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
