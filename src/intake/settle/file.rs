//! A settled file, and what led to it. Only [`super::Settle`] makes one.

use std::path::{Path, PathBuf};

use tokio::time::Instant;

use crate::fs::stamp::Stamp;

/// What led to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// An event from the kernel.
    Event,
    /// A listing of its folder.
    Listing,
    /// An earlier attempt at it.
    Again,
}

/// A file that was unchanged between two observations at least `settle` apart, and had no writer at the second one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledFile {
    pub(super) relative: PathBuf,
    pub(super) stamp: Stamp,
    pub(super) patience_is_over: bool,
    pub(super) seen_at: Instant,
    pub(super) settled_at: Instant,
    pub(super) discovery: Discovery,
}

impl SettledFile {
    /// The path below the hot folder.
    pub fn relative(&self) -> &Path {
        &self.relative
    }

    /// The version that settled.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// When this version was first seen.
    pub fn seen_at(&self) -> Instant {
        self.seen_at
    }

    /// When it settled.
    pub fn settled_at(&self) -> Instant {
        self.settled_at
    }

    /// What led to it.
    pub fn discovery(&self) -> Discovery {
        self.discovery
    }

    /// Returns whether the file was found to end early and has not changed for [`super::PATIENCE`] since.
    pub fn patience_is_over(&self) -> bool {
        self.patience_is_over
    }
}
