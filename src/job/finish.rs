//! The end of an attempt -> the ledger, then the source: moved, deleted, annotated or left. Touches no output.

use std::path::{Path, PathBuf};

use super::{Begun, Desk, Disposition, Job, JobError, Placed, blocking};
use crate::config::{FailedPolicy, SourcePolicy};
use crate::delivery::{
    Destination, LedgerError, PlaceError, Retired, Retiree, Verdict, remove_note, write_note,
};
use crate::intake::{Root, SourceError};
use crate::pool::CutReport;

/// How an attempt ended, for the loop.
#[derive(Debug)]
pub enum Outcome {
    /// The cutout is in place.
    Done {
        /// Its path.
        output: PathBuf,
        /// What the worker told; `None` if the cutout was there already.
        report: Option<CutReport>,
        /// Set if the source could not be moved or deleted yet; it is tried again.
        source_left: Option<JobError>,
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
    /// The file ends early; it settles again, with patience.
    Held,
    /// The file is gone or has changed; what is there now settles anew.
    Outdated,
    /// The file cannot be read now.
    Waits(JobError),
    /// The output folder cannot be used now.
    Paused(JobError),
    /// The ledger failed.
    Halted(LedgerError),
}

/// Records the end of the attempt and deals with the source.
pub(super) async fn conclude(
    job: &Job,
    desk: &Desk,
    begun: Option<Begun>,
    result: Result<Placed, JobError>,
) -> Outcome {
    let concluded = match (result, begun) {
        (Ok(placed), Some(begun)) => succeed(job, desk, begun, placed).await,
        (Ok(_), None) => Ok(Outcome::Outdated),
        (Err(error), begun) => fail(job, desk, begun, error).await,
    };
    concluded.unwrap_or_else(Outcome::Halted)
}

async fn succeed(
    job: &Job,
    desk: &Desk,
    begun: Begun,
    placed: Placed,
) -> Result<Outcome, LedgerError> {
    let Placed {
        output,
        sha256,
        report,
    } = placed;
    desk.ledger
        .call(move |book| book.placed(begun.id, &sha256))
        .await?;
    let source_left = match retire(job, desk, begun).await {
        Ok(is_gone) => {
            record(desk, begun, Verdict::Done).await?;
            forget_inode(desk, begun, is_gone).await?;
            None
        }
        Err(error) => {
            record(desk, begun, Verdict::Placed).await?;
            Some(error)
        }
    };
    Ok(Outcome::Done {
        output,
        report,
        source_left,
    })
}

async fn fail(
    job: &Job,
    desk: &Desk,
    begun: Option<Begun>,
    error: JobError,
) -> Result<Outcome, LedgerError> {
    let error = match error {
        JobError::Ledger(error) => return Err(error),
        error @ (JobError::Source(_)
        | JobError::Cutout(_)
        | JobError::TooHeavy(_)
        | JobError::WorkerDied(_)
        | JobError::TimedOut(_)
        | JobError::Unplaceable(_)
        | JobError::Output(_)
        | JobError::Place(_)) => error,
    };
    let mut disposition = error.disposition(job.file.patience_is_over());
    let attempts = begun.map_or(0, |begun| begun.attempt.min(desk.max_attempts));
    if disposition == Disposition::Retry && attempts >= desk.max_attempts {
        disposition = Disposition::Quarantine;
    }
    let reason = error.to_string();
    let (verdict, outcome) = match disposition {
        Disposition::Forget | Disposition::Resettle => (Verdict::Superseded, Outcome::Outdated),
        Disposition::Hold => (Verdict::Refunded, Outcome::Held),
        Disposition::Wait | Disposition::Halt => (Verdict::Refunded, Outcome::Waits(error)),
        Disposition::Pause => (Verdict::Refunded, Outcome::Paused(error)),
        Disposition::Ignore => (Verdict::Ignored { reason }, Outcome::Ignored(error)),
        Disposition::Retry => (Verdict::Waiting, Outcome::Retry { error, attempts }),
        Disposition::Quarantine => {
            if let Some(begun) = begun {
                record(
                    desk,
                    begun,
                    Verdict::Quarantined {
                        reason: reason.clone(),
                    },
                )
                .await?;
                let unexplained = match explain(job, desk, begun, reason).await {
                    Ok(is_gone) => {
                        forget_inode(desk, begun, is_gone).await?;
                        None
                    }
                    Err(error) => Some(error),
                };
                return Ok(Outcome::Quarantined {
                    error,
                    attempts,
                    unexplained,
                });
            }
            (Verdict::Waiting, Outcome::Waits(error))
        }
    };
    if let Some(begun) = begun {
        record(desk, begun, verdict).await?;
    }
    Ok(outcome)
}

async fn record(desk: &Desk, begun: Begun, verdict: Verdict) -> Result<(), LedgerError> {
    desk.ledger
        .call(move |book| book.end(begun.id, &verdict))
        .await
}

async fn forget_inode(desk: &Desk, begun: Begun, is_gone: bool) -> Result<(), LedgerError> {
    if is_gone {
        desk.ledger.call(move |book| book.retire(begun.id)).await?;
    }
    Ok(())
}

/// Does to a source that has succeeded what its folder says, and takes away an earlier note on it. Tells whether
/// the source is gone from its name.
async fn retire(job: &Job, desk: &Desk, begun: Begun) -> Result<bool, JobError> {
    let (aside, job) = (desk.hidden_name(begun.id, "source"), job.clone());
    blocking(move || {
        let retiree = retiree(&job, aside)?;
        remove_note(&retiree.folder, &retiree.name)?;
        let fate = match &job.folder.source {
            SourcePolicy::Keep => return Ok(false),
            SourcePolicy::Delete => retiree.delete()?,
            SourcePolicy::Move(done) => retiree.move_to(mirror(done, &job)?)?,
        };
        Ok(fate != Retired::Superseded)
    })
    .await
}

/// Tells the photographer: by a note beside the source, or by moving both to the `failed` folder. Tells
/// whether the source is gone from its name.
async fn explain(job: &Job, desk: &Desk, begun: Begun, reason: String) -> Result<bool, JobError> {
    let note = desk.hidden_name(begun.id, "note").into();
    let (aside, job) = (desk.hidden_name(begun.id, "source"), job.clone());
    blocking(move || {
        let retiree = retiree(&job, aside)?;
        let failed = match &job.folder.failed {
            FailedPolicy::Leave => return Ok(false),
            FailedPolicy::Note => {
                let name = retiree.name.clone();
                write_note(retiree.folder, &name, note, &reason)?;
                return Ok(false);
            }
            FailedPolicy::Move(failed) => failed,
        };
        let Retired::Moved(path) = retiree.move_to(mirror(failed, &job)?)? else {
            return Ok(false);
        };
        let name = path.file_name().unwrap_or_default();
        write_note(mirror(failed, &job)?, name, note, &reason)?;
        Ok(true)
    })
    .await
}

fn retiree(job: &Job, aside: String) -> Result<Retiree, JobError> {
    let relative = job.file.relative();
    let parent = relative.parent().unwrap_or(Path::new(""));
    let root = Root::open(&job.folder.input, None).map_err(SourceError::from)?;
    let directory = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
    let folder = root
        .open_below(parent, directory)
        .map_err(SourceError::from)?;
    Ok(Retiree {
        folder: Destination::from_directory(folder, root.join(parent)),
        name: relative.file_name().unwrap_or_default().to_owned(),
        stamp: job.file.stamp(),
        aside: aside.into(),
    })
}

fn mirror(root: &Path, job: &Job) -> Result<Destination, PlaceError> {
    let parent = job.file.relative().parent().unwrap_or(Path::new(""));
    Ok(Destination::open(root, None)?.subfolder(parent)?)
}
