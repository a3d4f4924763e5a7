//! What lies at a path of a hot folder at one moment; decides nothing.

use std::path::PathBuf;

use crate::fs::stamp::Stamp;

/// One file at one moment.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The path below the hot folder.
    pub relative: PathBuf,
    /// What is there.
    pub found: Found,
    /// Whether somebody is writing it.
    pub writer: Writer,
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A regular file that the folder takes.
    File(Stamp),
    /// Nothing, or something else.
    Nothing,
    /// What it is cannot be told now: a disk fails, a folder is closed.
    Unknown,
}

/// Whether a file is held open for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A listing does not ask.
    NotAsked,
    /// Nobody does, or the kernel cannot tell.
    Absent,
    /// Somebody does.
    Present,
}
