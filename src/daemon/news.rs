//! What the loop has just done -> what it tells others of it. Decides nothing.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Daemon, News, PhotoResult, Readiness, View, WorkerReturn, log};
use crate::intake::Discovery;
use crate::job::{EndedRequest, Job, JobError, Origin, Outcome, RequestEnd};
use crate::percent;

/// The news of an attempt; `None` if nothing of note became of it.
fn photo(job: &Job, id: Option<i64>, outcome: &Outcome) -> Option<News> {
    let (result, reason) = match outcome {
        // The attempt that has placed the cutout was told of, unless it was of an earlier process.
        Outcome::Retired { .. } if job.file.discovery() == Discovery::Again => return None,
        Outcome::Done { .. } | Outcome::Retired { .. } => (PhotoResult::Done, None),
        Outcome::Ignored(error) => (PhotoResult::Ignored, Some(error)),
        Outcome::Quarantined { error, .. } => (PhotoResult::Quarantined, Some(error)),
        Outcome::Retry { error, .. } => (PhotoResult::Retry, Some(error)),
        Outcome::Held(_)
        | Outcome::Unchanged { .. }
        | Outcome::Outdated
        | Outcome::Waits(_)
        | Outcome::Paused(_)
        | Outcome::Short(_)
        | Outcome::Halted(_) => return None,
    };
    Some(News {
        folder: job.folder.name.clone(),
        source: percent::display(job.file.relative()),
        id,
        result,
        reason: reason.map(ToString::to_string),
    })
}

impl Daemon {
    /// Logs, tells and counts what became of an attempt.
    pub(super) fn tell(&self, job: &Job, id: Option<i64>, outcome: &Outcome) {
        log::finished(job, outcome);
        let tally = &self.reception.tally;
        match outcome {
            Outcome::Done {
                origin: Origin::Made { report, .. },
                ..
            } => tally.cut(report),
            Outcome::Quarantined {
                error: JobError::TimedOut(..),
                ..
            }
            | Outcome::Retry {
                error: JobError::TimedOut(..),
                ..
            } => tally.timeout(),
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
        if let Some(news) = photo(job, id, outcome) {
            tally.photo(&news.folder, news.result);
            self.reception.tell(news);
        }
    }

    /// Takes back the worker of a photo.
    pub(super) fn free_worker(&mut self, worker: WorkerReturn) {
        self.turns.end_job(&worker);
        self.take_back(worker);
    }

    /// Takes back the worker of a request, and gives the answer once all of it is counted.
    pub(super) fn take_request(&mut self, request: EndedRequest) {
        let EndedRequest {
            end,
            worker,
            answer,
        } = request;
        self.turns.end_request();
        self.reception.tally.request(&end);
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
            self.reception.tally.deaths(1);
        }
        worker.hand_to(&mut self.pool);
    }

    /// Shows others the loop as it is now.
    pub(super) fn show(&self) {
        self.reception.show(View {
            config: Arc::clone(&self.config),
            live: self.live.status(&self.folders),
            requests: self.requests.len(),
            running_requests: self.running_requests.len(),
            workers: self.pool.fit(),
            is_proved: self.readiness != Readiness::Untried,
            beat: Instant::now(),
        });
    }
}
