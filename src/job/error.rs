//! The errors that can end an attempt, and what follows from each. Does nothing itself.

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

/// Why an attempt made no cutout.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The source differs from the version that settled, or cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The worker found that no cutout can be made.
    #[error(transparent)]
    Cutout(CutoutError),
    /// The file is larger than a worker's whole memory.
    #[error(transparent)]
    TooHeavy(CutoutError),
    /// The worker died while it processed the photo.
    #[error("the process that cuts it out crashed ({0})")]
    WorkerDied(Ending),
    /// The worker was killed because the machine was short of memory.
    #[error("its worker was stopped, at no fault of the photo: {0}")]
    Short(Shortage),
    /// The worker was killed at the deadline.
    #[error("it was not done after {} s (`timeout`)", .0.as_secs_f32())]
    TimedOut(Duration, Ending),
    /// A disk did not answer in time; it has answered since.
    #[error("a disk has not answered for {} s", .0.as_secs_f32())]
    Stalled(Duration),
    /// The name of this cutout cannot be used, although the output folder can.
    #[error("its cutout has no place: {0}")]
    Unplaceable(#[source] PathError),
    /// The only name that the cutout may have belongs to something else.
    #[error(
        "{} is there already, and is no cutout of this photo: give another name, or remove it",
        percent::display(.0)
    )]
    NameTaken(PathBuf),
    /// A disk has less free space than must stay free.
    #[error("{0}")]
    NoRoom(TooFull),
    /// The output folder cannot be used.
    #[error(transparent)]
    Output(#[from] PathError),
    /// The cutout could not be placed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The ledger failed; the daemon must end.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What follows from a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The source is gone: nothing follows.
    Forget,
    /// The source has changed: it must settle again.
    Resettle,
    /// The source may be incomplete: it returns to settling, with patience.
    Hold,
    /// The source is not a photo for hotcut, such as its own output.
    Ignore,
    /// The source failed for good.
    Quarantine,
    /// The attempt counts; another one may follow.
    Retry,
    /// This file waits; the attempt does not count.
    Wait,
    /// Every folder waits, then fewer photos are processed at a time; the attempt does not count.
    Relieve,
    /// The whole folder waits; the attempt does not count.
    Pause,
    /// The daemon ends.
    Halt,
}

impl JobError {
    /// Returns what follows; `patience_is_over` means that the source has ended early for long enough.
    pub fn disposition(&self, patience_is_over: bool) -> Disposition {
        match self {
            Self::Source(SourceError::Vanished) => Disposition::Forget,
            Self::Source(SourceError::Changed) => Disposition::Resettle,
            // `Taken`: another file took the name during the attempt; the next attempt finds another name.
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
            // The network is at fault, not the file, but only further attempts can show that.
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

    /// Classifies an error below a usable output folder: an error of a single name must not stop the other photos.
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

    /// The reason to show for a folder that waits because of this error.
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
    /// A disk has less free space than must stay free.
    NoRoom(TooFull),
    /// Any other reason, as text.
    Other(String),
}

impl PauseReason {
    /// Returns whether `other` has the same cause. The amount of free space is ignored, since it changes all the time.
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

    /// P5: fails when a shortage of the machine counts against a photo.
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
