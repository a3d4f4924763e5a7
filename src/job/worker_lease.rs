//! Lends a worker to a job, and takes it back at the latest when a disk has not answered for too long. Must not access the disk
//! itself.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::Job;
use crate::config::Folder;
use crate::worker::{Ending, Pool, Worker};

/// The channel on which jobs report that a disk does not answer. It holds at most one message per worker.
pub type Stalls = UnboundedSender<Stalled>;

/// A job that waits for a disk and needs no worker meanwhile.
#[derive(Debug)]
pub struct Stalled {
    /// The folder of the job.
    pub folder: Arc<Folder>,
    /// Its photo.
    pub relative: PathBuf,
    /// How long the disk has not answered.
    pub limit: Duration,
    /// The worker, or that it is gone, so that another can be started.
    pub worker: WorkerReturn,
}

/// How a job returns its worker.
#[derive(Debug)]
pub enum WorkerReturn {
    /// It can be used again.
    Fit(Box<Worker>),
    /// It is gone.
    Lost,
    /// It was returned earlier.
    Earlier,
}

impl WorkerReturn {
    /// Returns the worker to `pool`, if there is one.
    pub fn hand_to(self, pool: &mut Pool) {
        match self {
            Self::Fit(worker) => pool.put(Some(*worker)),
            Self::Lost => pool.put(None),
            Self::Earlier => {}
        }
    }
}

/// Holds the worker of one job.
pub(super) struct WorkerLease {
    worker: WorkerReturn,
    folder: Arc<Folder>,
    relative: PathBuf,
    limit: Duration,
    stalls: Stalls,
}

impl WorkerLease {
    pub(super) fn new(worker: Worker, job: &Job, limit: Duration, stalls: Stalls) -> Self {
        Self {
            worker: WorkerReturn::Fit(Box::new(worker)),
            folder: Arc::clone(&job.folder),
            relative: job.file.relative().to_owned(),
            limit,
            stalls,
        }
    }

    /// Waits for `work` without limit, but returns the worker when the limit is over.
    pub(super) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Ok(done) = tokio::time::timeout(self.limit, &mut work).await {
            return done;
        }
        self.give_back();
        work.await
    }

    fn give_back(&mut self) {
        let worker = std::mem::replace(&mut self.worker, WorkerReturn::Earlier);
        if matches!(worker, WorkerReturn::Earlier) {
            return;
        }
        let stalled = Stalled {
            folder: Arc::clone(&self.folder),
            relative: self.relative.clone(),
            limit: self.limit,
            worker,
        };
        // There is no receiver once the loop has ended, and workers end with the loop.
        self.stalls.send(stalled).ok();
    }

    /// Returns the worker, unless it is gone.
    pub(super) fn worker(&mut self) -> Option<&mut Worker> {
        match &mut self.worker {
            WorkerReturn::Fit(worker) => Some(worker),
            WorkerReturn::Lost | WorkerReturn::Earlier => None,
        }
    }

    /// Kills the worker; its work on the photo is discarded.
    pub(super) async fn end_worker(&mut self) -> Ending {
        match std::mem::replace(&mut self.worker, WorkerReturn::Lost) {
            WorkerReturn::Fit(worker) => worker.end().await,
            other @ (WorkerReturn::Lost | WorkerReturn::Earlier) => {
                self.worker = other;
                Ending::default()
            }
        }
    }

    pub(super) fn release(self) -> WorkerReturn {
        self.worker
    }
}
