//! Records the end of an attempt in the ledger, then handles the original. Must not touch the outputs.

use std::path::{Path, PathBuf};

use super::outcome::{Outcome, SourceResult};
use super::placed::Placed;
use super::source::{Explained, Source};
use super::{Disposition, Job, JobContext, JobError, Origin};
use crate::config::SourcePolicy;
use crate::imaging::FileEnd;
use crate::ledger::{AttemptResult, Begun, LedgerError};
use crate::percent;
use crate::worker::Shortage;

/// Records the end of the attempt and handles the source.
pub(super) async fn conclude(
    job: &Job,
    context: &JobContext,
    begun: Option<Begun>,
    result: Result<Placed, JobError>,
) -> Outcome {
    let concluded = match (result, begun) {
        (Ok(placed), Some(begun)) => succeed(job, context, begun, placed).await,
        (Ok(_), None) => Ok(Outcome::Outdated),
        (Err(error), begun) => fail(job, context, begun, error).await,
    };
    match concluded {
        // Another attempt has the version, so what this one found is of no use.
        Err(error @ LedgerError::Lost(_)) => {
            let source = percent::display(job.file.relative());
            tracing::warn!(folder = job.folder.name, source, %error, "the result of an attempt is not recorded");
            Outcome::Outdated
        }
        concluded => concluded.unwrap_or_else(Outcome::Halted),
    }
}

async fn succeed(
    job: &Job,
    context: &JobContext,
    begun: Begun,
    placed: Placed,
) -> Result<Outcome, LedgerError> {
    let Placed {
        outputs,
        sha256,
        origin,
        is_doubtful,
    } = placed;
    let source = match (&job.folder.source, &origin) {
        // Deleting cannot be undone.
        (SourcePolicy::Delete, _) if is_doubtful => {
            context
                .ledger
                .call(move |ledger| ledger.placed_for_good(begun.hold, &sha256))
                .await?;
            // It does no harm if an earlier note stays.
            drop(Source::of(job).keep(context, begun.hold.id).await);
            SourceResult::Kept
        }
        (SourcePolicy::Delete | SourcePolicy::Move(_), Origin::Made { report, .. })
            if looks_again(report.end) =>
        {
            note_placed(context, begun, sha256).await?;
            record(context, begun, AttemptResult::Placed).await?;
            SourceResult::LooksAgain
        }
        (SourcePolicy::Keep | SourcePolicy::Delete | SourcePolicy::Move(_), _) => {
            note_placed(context, begun, sha256).await?;
            retire(job, context, begun, &outputs).await?
        }
    };
    Ok(match (origin, source) {
        (Origin::Touched, SourceResult::Stays) => Outcome::Unchanged { outputs },
        (Origin::Recorded, source) => Outcome::Retired { outputs, source },
        (origin, source) => Outcome::Done {
            outputs,
            origin,
            source,
        },
    })
}

/// Returns whether an original is looked at once more, after another `settle`, before it is moved or deleted. Without an end mark,
/// the first quiet time may have been a pause of the program that writes it.
fn looks_again(end: FileEnd) -> bool {
    match end {
        FileEnd::Marked => false,
        FileEnd::Unmarked | FileEnd::Zeros => true,
    }
}

async fn note_placed(
    context: &JobContext,
    begun: Begun,
    sha256: [u8; 32],
) -> Result<(), LedgerError> {
    context
        .ledger
        .call(move |ledger| ledger.placed(begun.hold, &sha256))
        .await
}

async fn retire(
    job: &Job,
    context: &JobContext,
    begun: Begun,
    outputs: &[PathBuf],
) -> Result<SourceResult, LedgerError> {
    // All outputs have the number of the first one, unless another file had that name.
    let output = outputs.first().map_or(Path::new(""), PathBuf::as_path);
    match Source::of(job).retire(context, begun.hold.id, output).await {
        Ok(is_gone) => {
            let (result, source) = if is_gone {
                (AttemptResult::Retired, SourceResult::Gone)
            } else {
                (AttemptResult::Done, SourceResult::Stays)
            };
            record(context, begun, result).await?;
            Ok(source)
        }
        Err(error) => {
            record(context, begun, AttemptResult::Placed).await?;
            Ok(SourceResult::Left(error))
        }
    }
}

async fn fail(
    job: &Job,
    context: &JobContext,
    begun: Option<Begun>,
    error: JobError,
) -> Result<Outcome, LedgerError> {
    let error = match error {
        JobError::Ledger(error) => return Err(error),
        JobError::Short(shortage) => return run_short(context, begun, shortage).await,
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
    let attempts = begun.map_or(0, |begun| begun.attempt.min(context.max_attempts));
    if disposition == Disposition::Retry && attempts >= context.max_attempts {
        disposition = Disposition::Quarantine;
    }
    let reason = error.to_string();
    let why = reason.clone();
    let (result, outcome) = match disposition {
        Disposition::Forget | Disposition::Resettle => {
            (AttemptResult::Superseded, Outcome::Outdated)
        }
        Disposition::Hold => (AttemptResult::Refunded, Outcome::Held(error)),
        Disposition::Wait | Disposition::Relieve | Disposition::Halt => {
            (AttemptResult::Refunded, Outcome::Waits(error))
        }
        Disposition::Pause => (AttemptResult::Refunded, Outcome::Paused(error)),
        Disposition::Ignore => (AttemptResult::Ignored { reason }, Outcome::Ignored(error)),
        Disposition::Retry => (AttemptResult::Waiting, Outcome::Retry { error, attempts }),
        Disposition::Quarantine => {
            if let Some(begun) = begun {
                return quarantine(job, context, begun, error).await;
            }
            (AttemptResult::Waiting, Outcome::Waits(error))
        }
    };
    match begun {
        Some(begun) if matches!(result, AttemptResult::Superseded) => {
            record(context, begun, result).await?;
        }
        Some(begun) => record_failure(context, begun, result, why).await?,
        None => {}
    }
    Ok(outcome)
}

/// Quarantines the source and leaves the reason for the photographer.
async fn quarantine(
    job: &Job,
    context: &JobContext,
    begun: Begun,
    error: JobError,
) -> Result<Outcome, LedgerError> {
    let reason = error.to_string();
    let why = reason.clone();
    let record = context
        .ledger
        .call(move |ledger| ledger.quarantine(begun.hold, why));
    let explained = if record.await? {
        Source::of(job)
            .explain(context, begun.hold.id, reason)
            .await
    } else {
        Ok(Explained::NothingNew)
    };
    let unexplained = match explained {
        Ok(_) => None,
        Err(JobError::Ledger(error)) => return Err(error),
        Err(error) => Some(error),
    };
    Ok(Outcome::Quarantined {
        error,
        attempts: begun.attempt.min(context.max_attempts),
        unexplained,
    })
}

/// Records the attempt as one that does not count.
async fn run_short(
    context: &JobContext,
    begun: Option<Begun>,
    shortage: Shortage,
) -> Result<Outcome, LedgerError> {
    if let Some(begun) = begun {
        let why = JobError::Short(shortage.clone()).to_string();
        record_failure(context, begun, AttemptResult::Refunded, why).await?;
    }
    Ok(Outcome::Short(shortage))
}

async fn record_failure(
    context: &JobContext,
    begun: Begun,
    result: AttemptResult,
    reason: String,
) -> Result<(), LedgerError> {
    context
        .ledger
        .call(move |ledger| ledger.fail(begun.hold, &result, &reason))
        .await
}

async fn record(
    context: &JobContext,
    begun: Begun,
    result: AttemptResult,
) -> Result<(), LedgerError> {
    context
        .ledger
        .call(move |ledger| ledger.end(begun.hold, &result))
        .await
}
