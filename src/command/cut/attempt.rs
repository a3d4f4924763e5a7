//! One attempt at a photo -> how it ended and how long it took, with its cutout on stdout if that is where it goes.

use std::fs::File;
use std::io::{self, Write as _, stdout};
use std::time::Duration;

use tokio::time::Instant;

use crate::blocking::blocking;
use crate::job::{self, Finished, Job, JobContext, Outcome, Stalls};
use crate::worker::Worker;

/// An attempt that is over.
#[derive(Debug)]
pub(super) struct CutAttempt {
    pub(super) finished: Finished,
    pub(super) duration: Duration,
    /// How the cutout got to stdout, if that is where it goes.
    pub(super) sent: io::Result<()>,
}

/// Carries one out.
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
        let Outcome::Done { output, .. } = &self.finished.outcome else {
            return self;
        };
        let output = output.clone();
        let copy = move || {
            let mut stdout = stdout().lock();
            io::copy(&mut File::open(output)?, &mut stdout)?;
            stdout.flush()
        };
        let sent = blocking(copy).await;
        Self { sent, ..self }
    }
}
