//! The end of an attempt -> the ledger, then the original. Touches no output.

use std::path::PathBuf;

use super::original::Original;
use super::placed::Placed;
use super::{Desk, Disposition, Job, JobError, Origin};
use crate::delivery::{Begun, LedgerError, Verdict};

/// How an attempt ended, for the loop.
#[derive(Debug)]
pub enum Outcome {
    /// The cutout is in place.
    Done {
        /// Its path.
        output: PathBuf,
        /// Where it comes from.
        origin: Origin,
        /// Set if the source could not be moved or deleted yet; it is tried again.
        source_left: Option<JobError>,
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
        origin,
    } = placed;
    desk.ledger
        .call(move |book| book.placed(begun.id, &sha256))
        .await?;
    let source_left = match Original::of(job).retire(desk, begun.id, &output).await {
        Ok(is_gone) => {
            record(desk, begun, Verdict::Done).await?;
            if is_gone {
                desk.ledger.call(move |book| book.retire(begun.id)).await?;
            } else if matches!(origin, Origin::Touched) {
                return Ok(Outcome::Unchanged { output });
            }
            None
        }
        Err(error) => {
            record(desk, begun, Verdict::Placed).await?;
            Some(error)
        }
    };
    Ok(Outcome::Done {
        output,
        origin,
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
        | JobError::TimedOut(..)
        | JobError::Stalled(_)
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
    let why = reason.clone();
    let (verdict, outcome) = match disposition {
        Disposition::Forget | Disposition::Resettle => (Verdict::Superseded, Outcome::Outdated),
        Disposition::Hold => (Verdict::Refunded, Outcome::Held),
        Disposition::Wait | Disposition::Halt => (Verdict::Refunded, Outcome::Waits(error)),
        Disposition::Pause => (Verdict::Refunded, Outcome::Paused(error)),
        Disposition::Ignore => (Verdict::Ignored { reason }, Outcome::Ignored(error)),
        Disposition::Retry => (Verdict::Waiting, Outcome::Retry { error, attempts }),
        Disposition::Quarantine => {
            if let Some(begun) = begun {
                let verdict = Verdict::Quarantined {
                    reason: reason.clone(),
                };
                record_failure(desk, begun, verdict, why).await?;
                let explained = Original::of(job).explain(desk, begun.id, reason).await;
                let unexplained = match explained {
                    Ok(()) => None,
                    Err(JobError::Ledger(error)) => return Err(error),
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
    match begun {
        Some(begun) if matches!(verdict, Verdict::Superseded) => {
            record(desk, begun, verdict).await?;
        }
        Some(begun) => record_failure(desk, begun, verdict, why).await?,
        None => {}
    }
    Ok(outcome)
}

async fn record_failure(
    desk: &Desk,
    begun: Begun,
    verdict: Verdict,
    reason: String,
) -> Result<(), LedgerError> {
    desk.ledger
        .call(move |book| book.fail(begun.id, &verdict, &reason))
        .await
}

async fn record(desk: &Desk, begun: Begun, verdict: Verdict) -> Result<(), LedgerError> {
    desk.ledger
        .call(move |book| book.end(begun.id, &verdict))
        .await
}
