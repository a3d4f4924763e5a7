//! A job -> its outcome: the idle workers, and when to start new ones. Knows processes; knows no file and no folder.
//!
//! The worker is the permit: to start a job the loop takes one out, so there are never more jobs than workers.

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
pub use protocol::{Confinement, CutReport, Task};
pub use shortage::Shortage;
pub use spec::WorkerSpec;

/// Twice this is the wait after the first start that failed; each further one doubles it, up to the longest.
const START_AGAIN_FIRST: Duration = Duration::from_millis(250);
const START_AGAIN_LONGEST: Duration = Duration::from_secs(32);

/// Starts that may fail in a row before the service gives up.
const FAILED_STARTS_MAX: u32 = 6;

/// The workers that are idle, and the count of those that are not.
#[derive(Debug)]
pub struct Pool {
    spec: Arc<WorkerSpec>,
    wanted: usize,
    /// Set while the machine is short of something: fewer than are wanted.
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

    /// What new workers are started with.
    pub fn spec(&self) -> &Arc<WorkerSpec> {
        &self.spec
    }

    /// Takes over a new size and, with `first`, a new kind of worker that has been tried. Busy workers of the old kind
    /// finish their photo.
    pub fn change(&mut self, size: usize, first: Option<Worker>) {
        self.wanted = size;
        if let Some(first) = first {
            self.spec = Arc::clone(first.spec());
            self.idle.clear();
            self.idle.push(first);
        }
        self.shrink();
    }

    /// Has at most `limit` workers from now on, and lets go of idle ones beyond them; `None` if there may be as many as are wanted.
    pub fn limit(&mut self, limit: Option<usize>) {
        self.limit = limit;
        self.shrink();
    }

    fn shrink(&mut self) {
        self.idle.truncate(self.size().saturating_sub(self.busy));
    }

    /// How many workers there may be.
    fn size(&self) -> usize {
        self.limit
            .map_or(self.wanted, |limit| limit.min(self.wanted))
    }

    /// Tells whether another worker should be started now, and counts it as starting.
    pub fn wants_start(&mut self, now: Instant) -> bool {
        let wants =
            self.idle.len() + self.busy + self.starting < self.size() && now >= self.start_at;
        if wants {
            self.starting += 1;
        }
        wants
    }

    /// When the next start may be tried, if one has failed and a worker is lacking.
    pub fn start_at(&self) -> Option<Instant> {
        let is_short = self.idle.len() + self.busy + self.starting < self.size();
        (self.failed_starts > 0 && is_short).then_some(self.start_at)
    }

    /// Takes in a worker that has got ready.
    pub fn started(&mut self, worker: Worker) {
        self.starting = self.starting.saturating_sub(1);
        self.failed_starts = 0;
        self.keep(worker);
    }

    /// Notes a start that failed because the machine was short of something; it counts for nothing.
    pub fn start_was_short(&mut self) {
        self.starting = self.starting.saturating_sub(1);
    }

    /// Notes a start that failed; `false` if it was one too many.
    pub fn start_failed(&mut self, now: Instant) -> bool {
        self.starting = self.starting.saturating_sub(1);
        self.failed_starts += 1;
        self.start_at = now + doubled(START_AGAIN_FIRST, self.failed_starts, START_AGAIN_LONGEST);
        self.failed_starts < FAILED_STARTS_MAX
    }

    /// Reaps idle workers that exited or wrote unexpected output. Returns how many, and what the machine was short of if that
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

    /// Takes back a worker after a job, or notes that it is lost.
    pub fn put(&mut self, worker: Option<Worker>) {
        self.busy = self.busy.saturating_sub(1);
        if let Some(worker) = worker {
            self.keep(worker);
        }
    }

    /// Ends the idle workers, and waits until they are gone: systemd would tell of each that it has to kill.
    pub async fn end(&mut self) {
        for worker in self.idle.drain(..) {
            worker.end().await;
        }
    }

    /// Tells whether a worker is idle.
    pub fn has_idle(&self) -> bool {
        !self.idle.is_empty()
    }

    /// Workers that are idle or at work.
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
