//! Starts work for idle parts: asks scanners, starts workers, hands out photos and requests. Must not wait.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Daemon, EVENTS_MAX, FIRST_LOOK_LIMIT, FatalError, Readiness, log, start};
use crate::intake::FolderId;
use crate::job::{self, Job, PhotoRequest};
use crate::worker::{StartError, Worker};

/// The work that a worker gets.
enum Work {
    Photo(FolderId, Box<Job>),
    Request(Box<PhotoRequest>),
}

impl Daemon {
    /// Starts all work that can start: scanners, worker starts, photos and requests. Runs after every event and tick.
    pub(super) fn dispatch(&mut self) -> Result<(), FatalError> {
        if self.drain_until.is_some() {
            return Ok(());
        }
        let now = Instant::now();
        if self.channels.sighting_inbox.len() >= EVENTS_MAX {
            self.lose_sightings(now);
        }
        for folder in self.folders.values_mut() {
            folder.ask(now)?;
        }
        let (reaped, shortage) = self.pool.reap();
        if reaped > 0 {
            self.endpoint.metrics.deaths(reaped);
            match shortage {
                Some(shortage) => self.meet_shortage(shortage, now),
                None => tracing::warn!(
                    "idle workers exited or wrote unexpected output; starting replacements"
                ),
            }
        }
        self.look_after_shortage(now);
        self.status_file.note_pause(self.pause_reason(now));
        let may_begin = self.throttle.until(now).is_none();
        while may_begin && self.pool.wants_start(now) {
            let spec = Arc::clone(self.pool.spec());
            let self_test = self.readiness == Readiness::Untried;
            self.starts.spawn(start::worker(spec, self_test));
        }
        // Dropping the request of a caller that has gone frees its slot.
        self.requests.retain(|request| !request.reply.is_closed());
        while may_begin
            && self.pool.has_idle()
            && let Some(work) = self.next_work(now)
        {
            self.begin(work);
        }
        if self.status_file.write(&self.folders, now) || reaped > 0 {
            self.show();
        }
        self.report_ready(now);
        Ok(())
    }

    /// Adds a started worker to the pool, or handles the failed start.
    pub(super) fn take_worker(
        &mut self,
        result: Result<Worker, StartError>,
    ) -> Result<(), FatalError> {
        match result {
            Ok(worker) => {
                if self.readiness == Readiness::Untried {
                    log::confinement(worker.confinement());
                    self.status_file.confine(worker.confinement());
                    self.readiness = Readiness::SelfTested(Instant::now() + FIRST_LOOK_LIMIT);
                }
                self.pool.started(worker);
                self.show();
                Ok(())
            }
            Err(StartError::Short(shortage)) => {
                self.pool.start_was_short();
                self.meet_shortage(shortage, Instant::now());
                Ok(())
            }
            // Before the first worker, the configuration is wrong; later, a file may be in the middle of a replacement.
            Err(error @ StartError::Refused(_)) if self.readiness == Readiness::Untried => {
                Err(FatalError::NoWorker(error))
            }
            Err(error) => {
                tracing::warn!(%error, "a worker did not start");
                let may_try_again = self.pool.start_failed(Instant::now());
                may_try_again
                    .then_some(())
                    .ok_or(FatalError::NoWorker(error))
            }
        }
    }

    fn begin(&mut self, work: Work) {
        let Some(worker) = self.pool.take() else {
            return;
        };
        match work {
            Work::Photo(id, job) => {
                self.fair_share.begin_job();
                let (context, stalls) = (self.context.clone(), self.channels.stalls.clone());
                self.jobs
                    .spawn(async move { (id, job::run(*job, worker, context, stalls).await) });
            }
            Work::Request(request) => {
                self.fair_share.begin_request();
                let (timeout, min_free) = (self.context.timeout, self.context.min_free);
                self.running_requests
                    .spawn(job::run_request(*request, worker, timeout, min_free));
            }
        }
    }

    fn next_work(&mut self, now: Instant) -> Option<Work> {
        let wanted = self.config.daemon.workers;
        let workers = self
            .throttle
            .limit()
            .map_or(wanted, |limit| limit.min(wanted));
        let is_requests = self.fair_share.is_requests(workers);
        if is_requests && let Some(request) = self.requests.pop_front() {
            return Some(Work::Request(Box::new(request)));
        }
        if self.state_dir_full.is_none()
            && let Some((id, job)) = self.next_job(now)
        {
            return Some(Work::Photo(id, Box::new(job)));
        }
        let request = self.requests.pop_front()?;
        Some(Work::Request(Box::new(request)))
    }

    /// Takes one file of the next folder in turn, so that a full folder never starves another.
    fn next_job(&mut self, now: Instant) -> Option<(FolderId, Job)> {
        let after = self.folders.keys().copied().filter(|id| *id > self.turn);
        let before = self.folders.keys().copied().filter(|id| *id <= self.turn);
        let order: Vec<FolderId> = after.chain(before).collect();
        for id in order {
            let Some(folder) = self.folders.get_mut(&id) else {
                continue;
            };
            if let Some(file) = folder.next(now) {
                self.turn = id;
                let job = Job {
                    folder: Arc::clone(&folder.config),
                    file,
                    outputs: folder.outputs.clone(),
                    cut_options: None,
                };
                return Some((id, job));
            }
        }
        None
    }

    fn lose_sightings(&mut self, now: Instant) {
        tracing::warn!("event queue overflow: listing every folder");
        while self.channels.sighting_inbox.try_recv().is_ok() {}
        for folder in self.folders.values_mut() {
            folder.lost(now);
        }
    }

    pub(super) fn wake_at(&mut self) -> Instant {
        if let Some(until) = self.drain_until {
            return until.min(self.tick_at);
        }
        let now = Instant::now();
        let folders = self
            .folders
            .values_mut()
            .filter_map(|folder| folder.wake_at(now))
            .min();
        let times = [
            folders,
            self.pool.start_at(),
            self.throttle.until(now),
            Some(self.status_file.write_at(&self.folders)),
        ];
        times.into_iter().flatten().fold(self.tick_at, Instant::min)
    }
}
