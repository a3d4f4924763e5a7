//! Reduces work in a shortage of memory, processes or space for the ledger, and reports the shortage. Must not wait for a folder.

use tokio::time::Instant;

use super::throttle::PhotoKey;
use super::{Daemon, log};
use crate::fs::disk_space::DiskSpaceError;
use crate::intake::{Discovery, FolderId};
use crate::job::{Job, Origin, Outcome, RequestEnd, RequestError};
use crate::worker::Shortage;

impl Daemon {
    /// Pauses all work, then continues with one worker.
    pub(super) fn meet_shortage(&mut self, shortage: Shortage, now: Instant) {
        self.endpoint.metrics.shortage();
        let is_new = self.throttle.meet(shortage, now);
        self.pool.limit(self.throttle.limit());
        self.note_shortage();
        if is_new && let Some(reason) = self.throttle.reason(&self.config.daemon) {
            log::short(&reason);
        }
    }

    /// Retries a photo whose worker was killed because the machine was short. The first time at once, since the photo then has all
    /// the memory to itself; later after a wait.
    pub(super) fn put_off(&mut self, id: FolderId, job: Job, shortage: &Shortage, now: Instant) {
        let photo = photo(&job);
        let wait = self.throttle.wait_of(photo);
        let Some(folder) = self.folders.get_mut(&id) else {
            return;
        };
        match wait {
            None => folder.put_back(job.file),
            Some(wait) => {
                let relative = job.file.relative().to_owned();
                let again = humantime::format_duration(wait);
                let reason = format!(
                    "its worker was stopped, at no fault of the photo: {shortage}; tried again in {again}"
                );
                if folder.blocked.note(&relative, reason.clone(), now + wait) {
                    log::put_off(&job, &reason);
                }
                folder.sight(relative, now + wait, Discovery::Again);
            }
        }
    }

    /// Notes whether the attempt at a photo had enough memory.
    pub(super) fn note_memory(&mut self, job: &Job, outcome: &Outcome, now: Instant) {
        match outcome {
            Outcome::Short(shortage) => return self.meet_shortage(shortage.clone(), now),
            Outcome::Done {
                origin: Origin::Made { .. },
                ..
            } => self.note_success(now),
            Outcome::Done { .. }
            | Outcome::Unchanged { .. }
            | Outcome::Ignored(_)
            | Outcome::Quarantined { .. }
            | Outcome::Retry { .. }
            | Outcome::Held(_)
            | Outcome::Retired { .. }
            | Outcome::Outdated
            | Outcome::Waits(_)
            | Outcome::Paused(_)
            | Outcome::Halted(_) => {}
        }
        self.throttle.forget(&photo(job));
    }

    /// Notes that a worker has finished its work.
    pub(super) fn note_success(&mut self, now: Instant) {
        if self.throttle.limit().is_some() {
            let is_over = self.throttle.succeed(now, self.config.daemon.workers);
            self.relax(is_over);
        }
    }

    /// Resumes work as soon as it may, and ends a shortage that has not recurred for long.
    pub(super) fn look_after_shortage(&mut self, now: Instant) {
        if self.throttle.limit().is_some() {
            let is_over = self.throttle.end_if_calm(now);
            self.relax(is_over);
        }
        if let Some(shortage) = self.throttle.turns_away(now) {
            for request in self.requests.drain(..) {
                self.endpoint
                    .metrics
                    .request(&RequestEnd::Short(shortage.clone()));
                // It is no error if the caller is gone.
                request
                    .reply
                    .send(Err(RequestError::Short(shortage.clone())))
                    .ok();
            }
        }
    }

    fn relax(&mut self, is_over: bool) {
        self.pool.limit(self.throttle.limit());
        if is_over {
            log::short_no_more(self.config.daemon.workers);
        }
        self.note_shortage();
    }

    fn note_shortage(&mut self) {
        let reason = self.throttle.reason(&self.config.daemon);
        self.status_file.note_shortage(reason);
    }

    /// Checks whether the disk has enough space for the ledger.
    pub(super) fn look_at_state_dir(&mut self) {
        let daemon = &self.config.daemon;
        let full = match daemon.min_free.check_path(&daemon.state_dir) {
            Err(DiskSpaceError::TooFull(disk)) => Some(disk),
            // The ledger reports all other errors of the directory.
            Ok(()) | Err(DiskSpaceError::Io(_)) => None,
        };
        match (&self.state_dir_full, &full) {
            (None, Some(disk)) => log::state_dir_full(disk),
            (Some(_), None) => log::state_dir_has_room(),
            (None, None) | (Some(_), Some(_)) => {}
        }
        self.state_dir_full = full;
    }

    /// Why no folder is processed now.
    pub(super) fn pause_reason(&self, now: Instant) -> Option<String> {
        match &self.state_dir_full {
            Some(disk) => Some(format!("{disk}; looked at again every second")),
            None => self.throttle.pause_reason(now),
        }
    }
}

/// The key under which a photo's shortages are counted.
fn photo(job: &Job) -> PhotoKey {
    (job.folder.name.clone(), job.file.relative().to_owned())
}
