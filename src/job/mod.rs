//! Converts a settled file and a worker to one finished attempt. Must not know other jobs.

mod attempt;
mod desk;
mod done_before;
mod error;
mod exchange;
mod finish;
mod hands;
mod original;
mod outcome;
mod placed;
mod renamed;
mod request;
mod seat;
mod watched;
mod wish;

use std::path::PathBuf;
use std::sync::Arc;

pub use desk::{Desk, hidden_name};
pub use done_before::find_done;
pub use error::{Disposition, JobError, PauseReason};
pub use hands::{Return, Stalled, Stalls};
pub use original::{Explained, explain_late, retire_late};
pub use outcome::{Outcome, SourceFate};
pub use placed::Origin;
pub use request::{EndedRequest, PhotoRequest, RequestEnd, RequestError, run as run_request};
pub use wish::Wish;

use crate::config::Folder;
use crate::intake::SettledFile;
use crate::pool::Worker;
use attempt::Attempt;
use hands::Hands;

/// One unit of work, with the configuration as it was when the job was made.
#[derive(Clone, Debug)]
pub struct Job {
    /// The folder that the file came from.
    pub folder: Arc<Folder>,
    /// The file.
    pub file: SettledFile,
    /// The mount point that the output folder must lie under.
    pub output_mount: Option<PathBuf>,
    /// Set if a person waits for the cutout.
    pub wish: Option<Wish>,
}

/// An attempt that is over.
#[derive(Debug)]
pub struct Finished {
    /// The job.
    pub job: Job,
    /// What became of its worker.
    pub worker: Return,
    /// The version's row in the ledger, if it got there.
    pub id: Option<i64>,
    /// How it ended.
    pub outcome: Outcome,
}

/// Runs one attempt to its end, whatever that is. A disk that does not answer is waited for, without the worker: what is
/// begun there may still come to pass, so nobody else may have the photo before that.
pub async fn run(job: Job, worker: Worker, desk: Desk, stalls: Stalls) -> Finished {
    let mut hands = Hands::new(worker, &job, desk.timeout, stalls);
    let mut attempt = Attempt {
        job: &job,
        desk: &desk,
        begun: None,
    };
    let result = attempt.carry_out(&mut hands).await;
    let begun = attempt.begun;
    let concluded = finish::conclude(&job, &desk, begun, result);
    let outcome = hands.wait(concluded).await;
    let worker = hands.release();
    Finished {
        job,
        worker,
        id: begun.map(|begun| begun.id),
        outcome,
    }
}

/// Runs `work` where waiting for a disk holds up nobody else.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
