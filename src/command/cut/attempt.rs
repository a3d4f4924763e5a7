//! Runs one attempt at a photo, measures its duration and copies the cutout to stdout if requested.

use std::fs::File;
use std::io::{self, Write as _, stdout};
use std::time::Duration;

use tokio::time::Instant;

use crate::blocking::blocking;
use crate::job::{self, Finished, Job, JobContext, Outcome, Stalls};
use crate::worker::Worker;

/// A finished attempt.
#[derive(Debug)]
pub(super) struct CutAttempt {
    pub(super) finished: Finished,
    pub(super) duration: Duration,
    /// The result of copying the cutout to stdout; `Ok` when that was not requested.
    pub(super) sent: io::Result<()>,
}

/// Runs one attempt.
pub(super) async fn run(
    job: Job,
    worker: Worker,
    context: JobContext,
    stalls: Stalls,
) -> CutAttempt {
    let begun = Instant::now();
    let finished = job::run(job, worker, context, stalls).await;
    CutAttempt {
        finished,
        duration: begun.elapsed(),
        sent: Ok(()),
    }
}

impl CutAttempt {
    /// Copies the cutout, if there is one, to stdout.
    pub(super) async fn send(self) -> Self {
        let Outcome::Done { outputs, .. } = &self.finished.outcome else {
            return self;
        };
        // A cut has one output.
        let output = outputs.first().cloned().unwrap_or_default();
        let copy = move || {
            let mut stdout = stdout().lock();
            io::copy(&mut File::open(output)?, &mut stdout)?;
            stdout.flush()
        };
        let sent = blocking(copy).await;
        Self { sent, ..self }
    }
}
