//! Describes how an attempt ended, for the loop. Must not decide what follows.

use std::path::PathBuf;

use super::{JobError, Origin};
use crate::ledger::LedgerError;
use crate::worker::Shortage;

/// How an attempt ended, for the loop.
#[derive(Debug)]
pub enum Outcome {
    /// The cutout is in place.
    Done {
        /// Its path.
        output: PathBuf,
        /// Where it comes from.
        origin: Origin,
        /// What became of the original.
        source: SourceResult,
    },
    /// An earlier attempt placed the cutout and recorded that; this one had to do with the original alone.
    Retired {
        /// Where the cutout was placed.
        output: PathBuf,
        /// What became of the original.
        source: SourceResult,
    },
    /// The photo was done before, and is no other than it was.
    Unchanged {
        /// The path of its cutout.
        output: PathBuf,
    },
    /// The file is not for us.
    Ignored(JobError),
    /// The file cannot succeed.
    Quarantined {
        /// Why.
        error: JobError,
        /// Workers that it was given to.
        attempts: u32,
        /// Set if the note could not be written, or the source not be moved.
        unexplained: Option<JobError>,
    },
    /// The attempt counted; another follows.
    Retry {
        /// Why.
        error: JobError,
        /// Workers that it was given to.
        attempts: u32,
    },
    /// The file is not complete yet, or may not be; it settles again, with patience.
    Held(JobError),
    /// The file is gone or has changed; what is there now settles anew.
    Outdated,
    /// The file cannot be read now.
    Waits(JobError),
    /// The output folder cannot be used now.
    Paused(JobError),
    /// The machine was short of memory; the file had no part in it.
    Short(Shortage),
    /// The ledger failed.
    Halted(LedgerError),
}

impl Outcome {
    /// Why the photo, or its original alone, is tried again until it works.
    pub fn wait_reason(&self) -> Option<&JobError> {
        match self {
            Self::Done {
                source: SourceResult::Left(error),
                ..
            }
            | Self::Retired {
                source: SourceResult::Left(error),
                ..
            }
            | Self::Waits(error) => Some(error),
            Self::Done { .. }
            | Self::Retired { .. }
            | Self::Unchanged { .. }
            | Self::Ignored(_)
            | Self::Quarantined { .. }
            | Self::Retry { .. }
            | Self::Held(_)
            | Self::Outdated
            | Self::Paused(_)
            | Self::Short(_)
            | Self::Halted(_) => None,
        }
    }
}

/// What became of the original of a cutout that is in place.
#[derive(Debug)]
pub enum SourceResult {
    /// It was kept, as its folder says, or because another version has its name.
    Stays,
    /// It was moved or deleted.
    Gone,
    /// Its format has no end mark, so it is moved or deleted once it has not changed for another `settle`.
    LooksAgain,
    /// It is not deleted though its folder says so: it may lack its end.
    Kept,
    /// It could not be moved or deleted yet, and why; it is tried again.
    Left(JobError),
}
