//! Everything that can end an attempt -> what is done about it; does nothing itself.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::delivery::PlaceError;
use crate::fs::disk_space::{DiskSpaceError, TooFull};
use crate::fs::path_error::PathError;
use crate::imaging::CutoutError;
use crate::intake::SourceError;
use crate::ledger::LedgerError;
use crate::percent;
use crate::worker::{Ending, Shortage};

/// Why an attempt came to no cutout.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The source is not as it settled, or cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The worker found that there can be no cutout.
    #[error(transparent)]
    Cutout(CutoutError),
    /// The file is larger than a worker's whole memory.
    #[error(transparent)]
    TooHeavy(CutoutError),
    /// The worker died at it.
    #[error("the process that cuts it out crashed ({0})")]
    WorkerDied(Ending),
    /// The worker was killed because the machine was short of memory.
    #[error("its worker was stopped, at no fault of the photo: {0}")]
    Short(Shortage),
    /// The worker was killed at the deadline.
    #[error("it was not done after {} s (`timeout`)", .0.as_secs_f32())]
    TimedOut(Duration, Ending),
    /// A disk did not answer in time; by now it has.
    #[error("a disk has not answered for {} s", .0.as_secs_f32())]
    Stalled(Duration),
    /// The name of this cutout cannot be used, though the output folder can.
    #[error("its cutout has no place: {0}")]
    Unplaceable(#[source] PathError),
    /// The only name that the cutout may have belongs to something else.
    #[error(
        "{} is there already, and is no cutout of this photo: give another name, or remove it",
        percent::display(.0)
    )]
    NameTaken(PathBuf),
    /// A disk has less free than must stay free.
    #[error("{0}")]
    NoRoom(TooFull),
    /// The output folder cannot be used.
    #[error(transparent)]
    Output(#[from] PathError),
    /// The cutout could not be placed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The ledger failed; nothing may go on.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What is done about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The source is gone: nothing.
    Forget,
    /// The source has changed: it settles anew.
    Resettle,
    /// The source may still be on its way: back to settling, with patience.
    Hold,
    /// The source is none of our business.
    Ignore,
    /// The source cannot succeed.
    Quarantine,
    /// The attempt counts; another may follow.
    Retry,
    /// This file waits, at no cost to it.
    Wait,
    /// Every folder waits, at no cost to its files, and then fewer photos are worked on at a time.
    Relieve,
    /// The whole folder waits, at no cost to its files.
    Pause,
    /// The daemon ends.
    Halt,
}

impl JobError {
    /// Decides; `patience_is_over` tells that the source has ended early for long enough.
    pub fn disposition(&self, patience_is_over: bool) -> Disposition {
        match self {
            Self::Source(SourceError::Vanished) => Disposition::Forget,
            Self::Source(SourceError::Changed) => Disposition::Resettle,
            // Somebody took the name while the photo was cut out: the next try finds another.
            Self::Source(SourceError::Unreadable(_))
            | Self::Unplaceable(_)
            | Self::NameTaken(_)
            | Self::Place(PlaceError::Taken(_)) => Disposition::Wait,
            Self::Cutout(CutoutError::Truncated | CutoutError::ZeroEnd)
            | Self::Source(SourceError::Unwritten)
                if !patience_is_over =>
            {
                Disposition::Hold
            }
            Self::Cutout(CutoutError::OwnOutput) => Disposition::Ignore,
            // The network, not the file, is at fault; but only workers can tell by failing at it again.
            Self::Cutout(CutoutError::Inference(_)) | Self::WorkerDied(_) | Self::TimedOut(..) => {
                Disposition::Retry
            }
            Self::Cutout(
                CutoutError::NotAnImage(_)
                | CutoutError::TooLarge { .. }
                | CutoutError::Truncated
                | CutoutError::ZeroEnd
                | CutoutError::Damaged(_)
                | CutoutError::Unsupported(_)
                | CutoutError::NoSubject
                | CutoutError::OutOfMemory,
            )
            | Self::Source(SourceError::Unwritten)
            | Self::TooHeavy(_) => Disposition::Quarantine,
            Self::Short(_) => Disposition::Relieve,
            Self::Stalled(_)
            | Self::NoRoom(_)
            | Self::Output(_)
            | Self::Place(PlaceError::Short { .. } | PlaceError::Io(_)) => Disposition::Pause,
            Self::Ledger(_) => Disposition::Halt,
        }
    }

    /// Sorts an error below an output folder that is there: what a single name meets must not stop the others.
    pub(super) fn below_output(error: PathError) -> Self {
        let of_the_name = [
            io::ErrorKind::NotADirectory,
            io::ErrorKind::InvalidFilename,
            io::ErrorKind::InvalidInput,
        ];
        let is_link = error.io().raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        if is_link || of_the_name.contains(&error.io().kind()) {
            Self::Unplaceable(error)
        } else {
            Self::Output(error)
        }
    }

    /// The words for a folder that waits because of this.
    pub fn pause_reason(&self) -> PauseReason {
        if let Self::NoRoom(disk) = self {
            return PauseReason::NoRoom(disk.clone());
        }
        let kind = if let Self::Output(error) | Self::Place(PlaceError::Io(error)) = self {
            Some(error.io().kind())
        } else {
            None
        };
        match kind {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                PauseReason::Other("no space".to_owned())
            }
            _ => PauseReason::Other(self.to_string()),
        }
    }
}

impl From<DiskSpaceError> for JobError {
    fn from(error: DiskSpaceError) -> Self {
        match error {
            DiskSpaceError::TooFull(disk) => Self::NoRoom(disk),
            DiskSpaceError::Io(error) => Self::Output(error),
        }
    }
}

/// Why a folder waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// A disk has less free than must stay free.
    NoRoom(TooFull),
    /// Anything else, in words.
    Other(String),
}

impl PauseReason {
    /// Tells whether `other` is the same trouble; how much is free on a disk changes all the time.
    pub fn is_same_cause(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NoRoom(one), Self::NoRoom(two)) => one.folder == two.folder,
            _ => self == other,
        }
    }
}

impl fmt::Display for PauseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom(disk) => write!(f, "{disk}"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::path_error::AtPath as _;

    #[test]
    fn a_file_that_ends_early_is_held_until_patience_is_over() {
        for error in [
            JobError::Cutout(CutoutError::Truncated),
            JobError::Cutout(CutoutError::ZeroEnd),
            JobError::Source(SourceError::Unwritten),
        ] {
            assert_eq!(error.disposition(false), Disposition::Hold);
            assert_eq!(error.disposition(true), Disposition::Quarantine);
        }
    }

    /// P5: fails when a photo pays for what the machine was short of.
    #[test]
    fn a_shortage_of_the_machine_costs_no_attempt() {
        let shortage = Shortage::MachineMemory { bytes: None };
        let error = JobError::Short(shortage);
        assert_eq!(error.disposition(true), Disposition::Relieve);
        let crash = JobError::WorkerDied(Ending::default());
        assert_eq!(crash.disposition(true), Disposition::Retry);
    }

    #[test]
    fn a_full_disk_pauses_the_folder_in_plain_words() {
        let full = Err::<(), _>(rustix::io::Errno::NOSPC)
            .at("/out".as_ref())
            .unwrap_err();
        let error = JobError::Output(full);
        assert_eq!(error.disposition(false), Disposition::Pause);
        assert_eq!(error.pause_reason().to_string(), "no space");
    }
}
