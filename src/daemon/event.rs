//! Handles each event of the loop. Must wait for nothing but the ledger.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::systemd::Systemd;
use super::{Daemon, Event, FatalError, log};
use crate::backoff::doubled;
use crate::fs::path_error::PathError;
use crate::intake::{Discovery, FolderId, Report, Sighting};
use crate::job::{Finished, JobError, Outcome, Stalled};
use crate::shutdown::SignalRequest;

/// How long a file waits whose source cannot be read or retired.
const TROUBLE_RETRY: Duration = Duration::from_secs(15);

/// The wait after the first failed attempt; each further wait is four times as long, up to the longest.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_LONGEST: Duration = Duration::from_secs(1024);

impl Daemon {
    pub(super) async fn handle(&mut self, event: Event) -> Result<(), FatalError> {
        match event {
            // The sender is in the signal thread, which never ends. If it ended, nobody could stop the daemon, so that counts as a
            // stop.
            Event::Asked(Some(SignalRequest::Stop) | None) => self.drain(),
            Event::Asked(Some(SignalRequest::Reload)) => self.begin_reload(),
            Event::Reported(id, report) => self.hear(id, report).await?,
            Event::Sighted(id, sighting) => self.take_sighting(id, sighting),
            Event::Started(result) => self.take_worker(*result)?,
            Event::Finished(id, finished) => self.take_finished(id, *finished)?,
            Event::Stalled(stalled) => self.take_stalled(*stalled),
            Event::RequestCame(request) => self.requests.push_back(*request),
            Event::RequestEnded(request) => self.take_request(*request),
            Event::Reloaded(result) => self.end_reload(*result).await?,
            Event::Woken => {}
        }
        if Instant::now() >= self.tick_at {
            self.tick().await?;
        }
        Ok(())
    }

    fn drain(&mut self) {
        let timeout = self.config.daemon.drain_timeout;
        self.endpoint.close();
        tracing::info!(
            running = self.jobs.len(),
            ?timeout,
            "draining: no new photos are taken"
        );
        Systemd::stopping();
        self.drain_until.get_or_insert(Instant::now() + timeout);
        self.folders.clear();
        // Dropping a request tells its caller that the daemon stops.
        self.requests.clear();
    }

    pub(super) async fn take_report(
        &mut self,
        id: FolderId,
        report: Report,
    ) -> Result<(), FatalError> {
        let now = Instant::now();
        match report {
            Report::Seen(found) => return self.take_observations(id, found, false, now).await,
            Report::Met(found) => return self.take_observations(id, found, true, now).await,
            Report::Online(online) => self.take_online(id, online, now).await?,
            Report::Offline(error) => {
                if let Some(folder) = self.folders.get_mut(&id)
                    && folder.offline(offline_reason(&error), now)
                {
                    log::offline(&folder.config, &error);
                }
            }
            Report::Listed { took, mut listing } => {
                let Some(folder) = self.folders.get_mut(&id) else {
                    return Ok(());
                };
                let unreadable = listing.unreadable.take();
                let empty = std::mem::take(&mut listing.empty);
                folder.listed(took, listing, now);
                if folder.blocked.unreadable(unreadable.as_ref())
                    && let Some(error) = unreadable
                {
                    log::unreadable(&folder.config, &error);
                }
                self.remove_emptied(id, empty).await?;
                self.look_at_quarantined(id).await?;
                self.notice_deeper_mount(id).await?;
            }
            Report::Removed { folders, error } => self.take_removed(id, &folders, error),
        }
        Ok(())
    }

    fn take_sighting(&mut self, id: FolderId, sighting: Sighting) {
        let now = Instant::now();
        let Some(folder) = self.folders.get_mut(&id) else {
            return;
        };
        match sighting {
            // The event is about the folder itself, which may be going away.
            Sighting::Path(path) if path.as_os_str().is_empty() => folder.lost(now),
            Sighting::Path(path) => {
                #[cfg(feature = "chaos")]
                crate::chaos::obey_in_loop(&path);
                folder.sight(path, now, Discovery::Event);
            }
            Sighting::Canary => folder.canary.seen(now),
            Sighting::Lost => {
                tracing::warn!(
                    folder = folder.config.name,
                    "events were lost: listing the folder"
                );
                folder.lost(now);
            }
        }
    }

    /// Takes the worker back from a job whose disk does not answer. The job goes on once the disk answers; until then the folder
    /// starts no other photo.
    fn take_stalled(&mut self, stalled: Stalled) {
        self.free_worker(stalled.worker);
        let mut folders = self.folders.values_mut();
        if let Some(folder) = folders.find(|one| Arc::ptr_eq(&one.config, &stalled.folder)) {
            let reason = JobError::Stalled(stalled.limit).pause_reason();
            if folder.stall(stalled.relative, reason) {
                log::stalled(&folder.config, stalled.limit);
            }
        }
    }

    fn take_finished(&mut self, id: FolderId, finished: Finished) -> Result<(), FatalError> {
        let Finished {
            job,
            worker,
            id: version,
            outcome,
        } = finished;
        let now = Instant::now();
        self.free_worker(worker);
        self.tell(&job, version, &outcome);
        if let Outcome::Halted(error) = outcome {
            return Err(error.into());
        }
        self.note_memory(&job, &outcome, now);
        let relative = job.file.relative().to_owned();
        let Some(folder) = self.folders.get_mut(&id) else {
            self.hand_to_successor(&job.folder.name, relative, now);
            return Ok(());
        };
        let was_stalled = folder.ended(&relative);
        let is_usable = matches!(outcome, Outcome::Done { .. })
            || was_stalled && !matches!(outcome, Outcome::Paused(_));
        if is_usable && folder.resume() {
            log::resumed(&folder.config);
        }
        folder.count(&outcome, now);
        if let Some(error) = outcome.wait_reason() {
            let again_at = now + TROUBLE_RETRY;
            if folder.blocked.note(&relative, error.to_string(), again_at) {
                log::waits(&job, error);
            }
            folder.sight(relative, again_at, Discovery::Again);
            return Ok(());
        }
        match outcome {
            Outcome::Retry { error, attempts } => {
                // The wait grows fourfold with each attempt.
                let doublings = attempts.saturating_sub(1).saturating_mul(2);
                let again_at = now + doubled(BACKOFF_FIRST, doublings, BACKOFF_LONGEST);
                let reason = error.to_string();
                folder.blocked.retry(&relative, reason, again_at);
                folder.sight(relative, again_at, Discovery::Again);
            }
            Outcome::Held(error) => folder.hold(job.file, &error, now),
            Outcome::Short(shortage) => self.put_off(id, job, &shortage, now),
            Outcome::Paused(error) => {
                let reason = error.pause_reason();
                if folder.pause(job.file, reason, now) {
                    log::paused(&folder.config, &error);
                }
            }
            // Events of the file were not looked at during the attempt, so it is looked at now.
            Outcome::Done { .. }
            | Outcome::Retired { .. }
            | Outcome::Waits(_)
            | Outcome::Ignored(_)
            | Outcome::Quarantined { .. }
            | Outcome::Unchanged { .. }
            | Outcome::Outdated
            | Outcome::Halted(_) => folder.sight(relative, now, Discovery::Again),
        }
        Ok(())
    }

    /// Sights the file in the folder that replaced its own at a reload. The new folder left the file alone while the attempt ran.
    fn hand_to_successor(&mut self, name: &str, relative: PathBuf, now: Instant) {
        let mut folders = self.folders.values_mut();
        if let Some(successor) = folders.find(|other| other.config.name == name) {
            successor.sight(relative, now, Discovery::Again);
        }
    }
}

fn offline_reason(error: &PathError) -> String {
    if error.io().kind() == std::io::ErrorKind::NotFound && error.io().raw_os_error().is_some() {
        format!("{} is missing", error.path().display())
    } else {
        error.io().to_string()
    }
}
