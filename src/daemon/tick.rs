//! Checks watches, the ledger and the supervisor once a second.
//!
//! A watch that has fallen silent is made anew. The watchdog message is sent all the same: a new process could do no more, and
//! listings go on.

use std::time::Duration;

use tokio::time::Instant;

use super::folder::HotFolder;
use super::state::State;
use super::systemd::Systemd;
use super::{Daemon, FatalError, Readiness, TICK, log};

/// How often the ledger's `-wal` is written back; a long read may have made it grow.
pub(super) const CHECKPOINT_INTERVAL: Duration = Duration::from_mins(10);

impl Daemon {
    /// Runs all checks. Ends with a watchdog message, since the loop and the ledger have just worked.
    pub(super) async fn tick(&mut self) -> Result<(), FatalError> {
        let now = Instant::now();
        self.tick_at = now + TICK;
        self.notice_silence(now);
        self.status_file.correct_clock();
        for folder in self.folders.values_mut() {
            folder.take_stock(now);
            if folder.revive_watch(now)? {
                log::watch_dead(&folder.config);
            }
            if folder.canary.wants_sending(now)
                && let Err(error) = self.status_file.stir_canary(&folder.config.name)
            {
                log::canary(&folder.config, &error);
            }
            if folder.end_idle_pause(now) {
                log::idle(&folder.config);
            }
        }
        self.look_at_state_dir();
        let version = self
            .context
            .ledger
            .call(|ledger| ledger.foreign_changes())
            .await?;
        if std::mem::replace(&mut self.ledger_version, version) != version {
            for folder in self.folders.values_mut() {
                folder.lost(now);
            }
        }
        if now >= self.checkpoint_at {
            self.checkpoint_at = now + CHECKPOINT_INTERVAL;
            self.context
                .ledger
                .call(|ledger| ledger.checkpoint())
                .await?;
        }
        self.explain_late(now).await?;
        self.forget(now).await?;
        self.systemd.alive(now);
        self.status_file.note_listener_state(self.endpoint.http());
        self.endpoint.grant_slots(self.config.daemon.workers);
        self.show();
        Ok(())
    }

    /// Reports once that the daemon serves: a worker has passed the self-test, and every folder has been looked at or the time
    /// limit is over.
    pub(super) fn report_ready(&mut self, now: Instant) {
        let Readiness::SelfTested(limit) = self.readiness else {
            return;
        };
        let is_seen = |folder: &HotFolder| folder.state != State::Starting;
        if now >= limit || self.folders.values().all(is_seen) {
            self.readiness = Readiness::Reported;
            self.status_file.write_now(&self.folders, now);
            // Before the report, so that a query after it never shows a folder as not looked at yet.
            self.show();
            log::ready(&self.config);
            Systemd::ready(&self.config);
        }
    }
}
