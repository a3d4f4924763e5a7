//! Turns ended attempts and requests into log lines, metrics and events for other threads. Decides nothing.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Daemon, PhotoEvent, Readiness, Snapshot, WorkerReturn, log};
use crate::job::{EndedRequest, Job, JobError, Origin, Outcome, RequestEnd};

impl Daemon {
    /// Logs, counts and publishes the outcome of an attempt.
    pub(super) fn tell(&self, job: &Job, id: Option<i64>, outcome: &Outcome) {
        log::finished(job, outcome);
        let metrics = &self.endpoint.metrics;
        match outcome {
            Outcome::Done {
                origin: Origin::Made { report, .. },
                ..
            } => metrics.cut(report),
            Outcome::Quarantined {
                error: JobError::TimedOut(..),
                ..
            }
            | Outcome::Retry {
                error: JobError::TimedOut(..),
                ..
            } => metrics.timeout(),
            Outcome::Done { .. }
            | Outcome::Ignored(_)
            | Outcome::Quarantined { .. }
            | Outcome::Retry { .. }
            | Outcome::Held(_)
            | Outcome::Retired { .. }
            | Outcome::Unchanged { .. }
            | Outcome::Outdated
            | Outcome::Waits(_)
            | Outcome::Paused(_)
            | Outcome::Short(_)
            | Outcome::Halted(_) => {}
        }
        if let Some(event) = PhotoEvent::of(job, id, outcome) {
            metrics.photo(&event.folder, event.result);
            self.endpoint.publish(event);
        }
    }

    /// Takes back the worker of a photo.
    pub(super) fn free_worker(&mut self, worker: WorkerReturn) {
        self.fair_share.end_job(&worker);
        self.take_back(worker);
    }

    /// Takes back the worker of a request, and gives the answer once everything is counted.
    pub(super) fn take_request(&mut self, request: EndedRequest) {
        let EndedRequest {
            end,
            worker,
            answer,
        } = request;
        self.fair_share.end_request();
        self.endpoint.metrics.request(&end);
        self.take_back(worker);
        match end {
            RequestEnd::Short(shortage) => self.meet_shortage(shortage, Instant::now()),
            RequestEnd::Cut(_) | RequestEnd::Shrunk => self.note_success(Instant::now()),
            RequestEnd::Refused
            | RequestEnd::WorkerDied
            | RequestEnd::TimedOut
            | RequestEnd::Disk => {}
        }
        answer.give();
    }

    /// Takes a worker back after a job or a request, or counts its death.
    pub(super) fn take_back(&mut self, worker: WorkerReturn) {
        if matches!(worker, WorkerReturn::Lost) {
            self.endpoint.metrics.deaths(1);
        }
        worker.hand_to(&mut self.pool);
    }

    /// Publishes a snapshot of the loop.
    pub(super) fn show(&self) {
        self.endpoint.show(Snapshot {
            config: Arc::clone(&self.config),
            live: self.status_file.status(&self.folders),
            requests: self.requests.len(),
            running_requests: self.running_requests.len(),
            workers: self.pool.fit(),
            is_self_tested: self.readiness != Readiness::Untried,
            beat: Instant::now(),
        });
    }
}
