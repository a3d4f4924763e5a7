//! The state of a path of a hot folder at one moment. Decides nothing.

use std::path::PathBuf;

use crate::fs::stamp::Stamp;

/// One file at one moment.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The path below the hot folder.
    pub relative: PathBuf,
    /// What is there.
    pub found: Found,
    /// Whether a program has it open for writing.
    pub writer: Writer,
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A regular file that the folder takes.
    File(Stamp),
    /// Nothing, or something else.
    Nothing,
    /// Unknown for now: the disk fails or the folder is not readable.
    Unknown,
}

/// Whether a file is held open for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Not checked: a listing does not check it.
    NotAsked,
    /// No writer, or the kernel cannot tell.
    Absent,
    /// A program has it open for writing.
    Present,
}
