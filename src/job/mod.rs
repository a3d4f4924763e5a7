//! Converts a settled file and a worker to one finished attempt. Must not know other jobs.

mod attempt;
mod context;
mod cut_options;
mod done_before;
mod error;
mod exchange;
mod existing;
mod finish;
mod outcome;
mod output_name;
mod output_place;
mod placed;
mod renamed;
mod request;
mod source;
mod watched;
mod worker_lease;

use std::sync::Arc;

pub use context::{JobContext, hidden_name, temp_name};
pub use cut_options::CutOptions;
pub use done_before::find_done;
pub use error::{Disposition, JobError, PauseReason};
pub use outcome::{Outcome, SourceResult};
pub use output_place::OutputPlace;
pub use placed::Origin;
pub use request::{EndedRequest, PhotoRequest, RequestEnd, RequestError, run as run_request};
pub use source::{Explained, explain_late, retire_late};
pub use worker_lease::{Stalled, Stalls, WorkerReturn};

use crate::config::Folder;
use crate::intake::SettledFile;
use crate::worker::Worker;
use attempt::Attempt;
use worker_lease::WorkerLease;

/// One unit of work, with the configuration as it was when the job was made.
#[derive(Clone, Debug)]
pub struct Job {
    /// The folder that the file came from.
    pub folder: Arc<Folder>,
    /// The file.
    pub file: SettledFile,
    /// The outputs to make; at least one.
    pub outputs: Vec<OutputPlace>,
    /// Set if a person waits for the cutout.
    pub cut_options: Option<CutOptions>,
}

/// An attempt that is over.
#[derive(Debug)]
pub struct Finished {
    /// The job.
    pub job: Job,
    /// The state of its worker.
    pub worker: WorkerReturn,
    /// The version's row in the ledger, if it has one.
    pub id: Option<i64>,
    /// How it ended.
    pub outcome: Outcome,
}

/// Runs one attempt to its end. If a disk does not answer, waits for it without the worker: an operation that has begun there may
/// still complete, so no other job may take the photo before.
pub async fn run(job: Job, worker: Worker, context: JobContext, stalls: Stalls) -> Finished {
    let mut lease = WorkerLease::new(worker, &job, context.timeout, stalls);
    let mut attempt = Attempt {
        job: &job,
        context: &context,
        begun: None,
    };
    let result = attempt.carry_out(&mut lease).await;
    let begun = attempt.begun;
    let concluded = finish::conclude(&job, &context, begun, result);
    let outcome = lease.wait(concluded).await;
    let worker = lease.release();
    Finished {
        job,
        worker,
        id: begun.map(|begun| begun.hold.id),
        outcome,
    }
}
