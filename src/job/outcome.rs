//! The outcome of an attempt, for the loop. Must not decide what follows.

use std::path::PathBuf;

use super::{JobError, Origin};
use crate::ledger::LedgerError;
use crate::worker::Shortage;

/// The outcome of an attempt, for the loop.
#[derive(Debug)]
pub enum Outcome {
    /// The outputs are in place.
    Done {
        /// Their paths, in the order of the folder's outputs.
        outputs: Vec<PathBuf>,
        /// How they were obtained.
        origin: Origin,
        /// The state of the original.
        source: SourceResult,
    },
    /// An earlier attempt placed the outputs and recorded that; this attempt only had to handle the original.
    Retired {
        /// Where the outputs were placed.
        outputs: Vec<PathBuf>,
        /// The state of the original.
        source: SourceResult,
    },
    /// The photo was done before and has not changed.
    Unchanged {
        /// The paths of its outputs.
        outputs: Vec<PathBuf>,
    },
    /// The file is not a photo for hotcut, such as its own output.
    Ignored(JobError),
    /// The file failed for good.
    Quarantined {
        /// Why.
        error: JobError,
        /// The number of workers that it was given to.
        attempts: u32,
        /// Set if the note could not be written or the source could not be moved.
        unexplained: Option<JobError>,
    },
    /// The attempt counted; another follows.
    Retry {
        /// Why.
        error: JobError,
        /// The number of workers that it was given to.
        attempts: u32,
    },
    /// The file is or may be incomplete; it settles again, with patience.
    Held(JobError),
    /// The file is gone or has changed; a new version must settle.
    Outdated,
    /// The file cannot be read, or its cutout cannot be placed, now.
    Waits(JobError),
    /// The output folder cannot be used now.
    Paused(JobError),
    /// The machine was short of memory; the file is not at fault.
    Short(Shortage),
    /// The ledger failed.
    Halted(LedgerError),
}

impl Outcome {
    /// Why the photo, or only its original, is tried again until it works.
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

/// The state of the original of a placed cutout.
#[derive(Debug)]
pub enum SourceResult {
    /// It was kept, as configured, or because another version has its name.
    Stays,
    /// It was moved or deleted.
    Gone,
    /// Its format has no end mark, so it is moved or deleted once it has not changed for another `settle`.
    LooksAgain,
    /// It is kept although its folder deletes originals, because it may be incomplete.
    Kept,
    /// It could not be moved or deleted yet, for this reason; it is tried again.
    Left(JobError),
}
