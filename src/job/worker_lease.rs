//! A worker in a job's hands -> given back at the latest when a disk has kept it for too long; touches no disk itself.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::Job;
use crate::config::Folder;
use crate::worker::{Ending, Pool, Worker};

/// Where jobs tell that a disk does not answer. At most one message for each worker is under way.
pub type Stalls = UnboundedSender<Stalled>;

/// A job that waits for a disk and needs no worker for that.
#[derive(Debug)]
pub struct Stalled {
    /// The folder of the job.
    pub folder: Arc<Folder>,
    /// Its photo.
    pub relative: PathBuf,
    /// How long the disk has not answered.
    pub limit: Duration,
    /// The worker, or that it is no more: another one can be started for it.
    pub worker: WorkerReturn,
}

/// What became of a job's worker.
#[derive(Debug)]
pub enum WorkerReturn {
    /// It can be used again.
    Fit(Box<Worker>),
    /// It is no more.
    Lost,
    /// It was given back before.
    Earlier,
}

impl WorkerReturn {
    /// Gives back to `pool` what there is to give.
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

    /// Waits for `work` for as long as it takes, but keeps the worker from others only until the limit.
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
        // Nobody listens any more once the loop has ended, and workers end with it.
        self.stalls.send(stalled).ok();
    }

    /// The worker, unless it is gone.
    pub(super) fn worker(&mut self) -> Option<&mut Worker> {
        match &mut self.worker {
            WorkerReturn::Fit(worker) => Some(worker),
            WorkerReturn::Lost | WorkerReturn::Earlier => None,
        }
    }

    /// Kills the worker; what it has of the photo is of no use any more.
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
