//! The pool of idle workers, and when to start new ones. Must not depend on files or folders.
//!
//! A worker is also the permit for a job: the loop takes one out to start a job, so there are never more jobs than workers.

mod cgroup;
#[cfg(feature = "chaos")]
mod chaos;
mod child;
mod connection;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod png_check;
mod process;
mod protocol;
mod sandbox;
mod shortage;
mod spec;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::doubled;
pub use child::{Setting, serve};
pub use connection::{OrderError, StartError, Worker};
pub use process::Ending;
pub use protocol::{Confinement, Task};
pub use shortage::Shortage;
pub use spec::WorkerSpec;

/// The wait after the first failed start is twice this. Each further failure doubles it, up to the longest.
const START_AGAIN_FIRST: Duration = Duration::from_millis(250);
const START_AGAIN_LONGEST: Duration = Duration::from_secs(32);

/// Consecutive failed starts before the service gives up.
const FAILED_STARTS_MAX: u32 = 6;

/// The idle workers, and the number of busy and starting ones.
#[derive(Debug)]
pub struct Pool {
    spec: Arc<WorkerSpec>,
    wanted: usize,
    /// The reduced size while the machine is short of something.
    limit: Option<usize>,
    idle: Vec<Worker>,
    busy: usize,
    starting: usize,
    failed_starts: u32,
    start_at: Instant,
}

impl Pool {
    /// Makes an empty pool for `size` workers.
    pub fn new(spec: WorkerSpec, size: usize, now: Instant) -> Self {
        Self {
            spec: Arc::new(spec),
            wanted: size,
            limit: None,
            idle: Vec::new(),
            busy: 0,
            starting: 0,
            failed_starts: 0,
            start_at: now,
        }
    }

    /// The specification for new workers.
    pub fn spec(&self) -> &Arc<WorkerSpec> {
        &self.spec
    }

    /// Sets a new size and, with `first`, a new kind of worker that has already started. Busy workers of the old kind finish their
    /// photo.
    pub fn change(&mut self, size: usize, first: Option<Worker>) {
        self.wanted = size;
        if let Some(first) = first {
            self.spec = Arc::clone(first.spec());
            self.idle.clear();
            self.idle.push(first);
        }
        self.shrink();
    }

    /// Limits the number of workers and drops idle ones beyond the limit; `None` removes the limit.
    pub fn limit(&mut self, limit: Option<usize>) {
        self.limit = limit;
        self.shrink();
    }

    fn shrink(&mut self) {
        self.idle.truncate(self.size().saturating_sub(self.busy));
    }

    /// The allowed number of workers.
    fn size(&self) -> usize {
        self.limit
            .map_or(self.wanted, |limit| limit.min(self.wanted))
    }

    /// Whether another worker should be started now; counts it as starting.
    pub fn wants_start(&mut self, now: Instant) -> bool {
        let wants =
            self.idle.len() + self.busy + self.starting < self.size() && now >= self.start_at;
        if wants {
            self.starting += 1;
        }
        wants
    }

    /// When the next start may be tried, if one has failed and a worker is missing.
    pub fn start_at(&self) -> Option<Instant> {
        let is_short = self.idle.len() + self.busy + self.starting < self.size();
        (self.failed_starts > 0 && is_short).then_some(self.start_at)
    }

    /// Adds a worker that is ready.
    pub fn started(&mut self, worker: Worker) {
        self.starting = self.starting.saturating_sub(1);
        self.failed_starts = 0;
        self.keep(worker);
    }

    /// Records a start that failed because the machine was short of something. Does not count as a failed start.
    pub fn start_was_short(&mut self) {
        self.starting = self.starting.saturating_sub(1);
    }

    /// Records a failed start; `false` when there were too many in succession.
    pub fn start_failed(&mut self, now: Instant) -> bool {
        self.starting = self.starting.saturating_sub(1);
        self.failed_starts += 1;
        self.start_at = now + doubled(START_AGAIN_FIRST, self.failed_starts, START_AGAIN_LONGEST);
        self.failed_starts < FAILED_STARTS_MAX
    }

    /// Reaps idle workers that exited or wrote unexpected output. Returns their number, and what the machine was short of if that
    /// killed one of them.
    pub fn reap(&mut self) -> (usize, Option<Shortage>) {
        let before = self.idle.len();
        let mut shortage = None;
        self.idle.retain_mut(|worker| {
            let is_fit = worker.is_fit();
            if !is_fit && shortage.is_none() {
                shortage = worker.shortage();
            }
            is_fit
        });
        (before - self.idle.len(), shortage)
    }

    /// Takes out an idle worker for a job.
    pub fn take(&mut self) -> Option<Worker> {
        let worker = self.idle.pop()?;
        self.busy += 1;
        Some(worker)
    }

    /// Puts back a worker after a job, or records that it is lost.
    pub fn put(&mut self, worker: Option<Worker>) {
        self.busy = self.busy.saturating_sub(1);
        if let Some(worker) = worker {
            self.keep(worker);
        }
    }

    /// Ends the idle workers and waits for their exit. Otherwise systemd would log each one that it has to kill.
    pub async fn end(&mut self) {
        for worker in self.idle.drain(..) {
            worker.end().await;
        }
    }

    /// Tells whether a worker is idle.
    pub fn has_idle(&self) -> bool {
        !self.idle.is_empty()
    }

    /// The number of idle and busy workers.
    pub fn fit(&self) -> usize {
        self.idle.len() + self.busy
    }

    fn keep(&mut self, worker: Worker) {
        let fits = self.idle.len() + self.busy < self.size();
        if fits && *worker.spec() == self.spec {
            self.idle.push(worker);
        }
    }
}
