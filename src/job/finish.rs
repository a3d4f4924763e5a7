//! The end of an attempt -> the ledger, then the original. Touches no output.

use std::path::Path;

use super::original::{Explained, Original};
use super::outcome::{Outcome, SourceFate};
use super::placed::Placed;
use super::{Desk, Disposition, Job, JobError, Origin};
use crate::config::SourcePolicy;
use crate::cutout::FileEnd;
use crate::delivery::{Begun, LedgerError, Verdict};
use crate::pool::Shortage;

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
        is_doubtful,
    } = placed;
    let fate = match (&job.folder.source, &origin) {
        // Deleting cannot be undone.
        (SourcePolicy::Delete, _) if is_doubtful => {
            desk.ledger
                .call(move |book| book.placed_for_good(begun.id, &sha256))
                .await?;
            // An earlier note that stays does no harm.
            drop(Original::of(job).keep(desk, begun.id).await);
            SourceFate::Kept
        }
        (SourcePolicy::Delete | SourcePolicy::Move(_), Origin::Made { report, .. })
            if looks_again(report.end) =>
        {
            note_placed(desk, begun, sha256).await?;
            record(desk, begun, Verdict::Placed).await?;
            SourceFate::LooksAgain
        }
        (SourcePolicy::Keep | SourcePolicy::Delete | SourcePolicy::Move(_), _) => {
            note_placed(desk, begun, sha256).await?;
            retire(job, desk, begun, &output).await?
        }
    };
    Ok(match (origin, fate) {
        (Origin::Touched, SourceFate::Stays) => Outcome::Unchanged { output },
        (Origin::Recorded, source) => Outcome::Retired { output, source },
        (origin, source) => Outcome::Done {
            output,
            origin,
            source,
        },
    })
}

/// Whether an original is looked at once more, after another `settle`, before it is moved or deleted: without an end mark
/// the first quiet time may have been a pause of the program that writes it.
fn looks_again(end: FileEnd) -> bool {
    match end {
        FileEnd::Marked => false,
        FileEnd::Unmarked | FileEnd::Zeros => true,
    }
}

async fn note_placed(desk: &Desk, begun: Begun, sha256: [u8; 32]) -> Result<(), LedgerError> {
    desk.ledger
        .call(move |book| book.placed(begun.id, &sha256))
        .await
}

async fn retire(
    job: &Job,
    desk: &Desk,
    begun: Begun,
    output: &Path,
) -> Result<SourceFate, LedgerError> {
    match Original::of(job).retire(desk, begun.id, output).await {
        Ok(is_gone) => {
            record(desk, begun, Verdict::Done).await?;
            if !is_gone {
                return Ok(SourceFate::Stays);
            }
            desk.ledger.call(move |book| book.retire(begun.id)).await?;
            Ok(SourceFate::Gone)
        }
        Err(error) => {
            record(desk, begun, Verdict::Placed).await?;
            Ok(SourceFate::Left(error))
        }
    }
}

async fn fail(
    job: &Job,
    desk: &Desk,
    begun: Option<Begun>,
    error: JobError,
) -> Result<Outcome, LedgerError> {
    let error = match error {
        JobError::Ledger(error) => return Err(error),
        JobError::Short(shortage) => return run_short(desk, begun, shortage).await,
        error @ (JobError::Source(_)
        | JobError::Cutout(_)
        | JobError::TooHeavy(_)
        | JobError::WorkerDied(_)
        | JobError::TimedOut(..)
        | JobError::Stalled(_)
        | JobError::Unplaceable(_)
        | JobError::NameTaken(_)
        | JobError::NoRoom(_)
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
        Disposition::Hold => (Verdict::Refunded, Outcome::Held(error)),
        Disposition::Wait | Disposition::Relieve | Disposition::Halt => {
            (Verdict::Refunded, Outcome::Waits(error))
        }
        Disposition::Pause => (Verdict::Refunded, Outcome::Paused(error)),
        Disposition::Ignore => (Verdict::Ignored { reason }, Outcome::Ignored(error)),
        Disposition::Retry => (Verdict::Waiting, Outcome::Retry { error, attempts }),
        Disposition::Quarantine => {
            if let Some(begun) = begun {
                return quarantine(job, desk, begun, error).await;
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

/// Gives the source up, and tells the photographer.
async fn quarantine(
    job: &Job,
    desk: &Desk,
    begun: Begun,
    error: JobError,
) -> Result<Outcome, LedgerError> {
    let reason = error.to_string();
    let why = reason.clone();
    let record = desk.ledger.call(move |book| book.quarantine(begun.id, why));
    let explained = if record.await? {
        Original::of(job).explain(desk, begun.id, reason).await
    } else {
        Ok(Explained::NoNews)
    };
    let unexplained = match explained {
        Ok(_) => None,
        Err(JobError::Ledger(error)) => return Err(error),
        Err(error) => Some(error),
    };
    Ok(Outcome::Quarantined {
        error,
        attempts: begun.attempt.min(desk.max_attempts),
        unexplained,
    })
}

/// Gives the attempt back.
async fn run_short(
    desk: &Desk,
    begun: Option<Begun>,
    shortage: Shortage,
) -> Result<Outcome, LedgerError> {
    if let Some(begun) = begun {
        let why = JobError::Short(shortage.clone()).to_string();
        record_failure(desk, begun, Verdict::Refunded, why).await?;
    }
    Ok(Outcome::Short(shortage))
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
