//! A file that has settled, and what had led to it. Only [`super::Settle`] makes one.

use std::path::{Path, PathBuf};

use tokio::time::Instant;

use crate::fs::stamp::Stamp;

/// What led to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// A notice of the system.
    Event,
    /// A listing of its folder.
    Listing,
    /// An earlier try at it.
    Again,
}

/// A file that was the same in two observations at least `settle` apart, with no writer at the second.
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

    /// When it had settled.
    pub fn settled_at(&self) -> Instant {
        self.settled_at
    }

    /// What had led to it.
    pub fn discovery(&self) -> Discovery {
        self.discovery
    }

    /// Tells whether the file was found to end early and has lain so for [`super::PATIENCE`].
    pub fn patience_is_over(&self) -> bool {
        self.patience_is_over
    }
}
