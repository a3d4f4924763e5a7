//! States of the daemon -> messages to systemd; silent when there is none.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::Instant;

use crate::config::Config;

/// How long the next step of a long start may take.
const START_EXTENSION: Duration = Duration::from_mins(2);

/// Speaks to the service manager that started the daemon.
#[derive(Debug)]
pub(super) struct Systemd {
    /// How often systemd wants a sign of life; a third of what it allows.
    interval: Option<Duration>,
    alive_at: Option<Instant>,
}

impl Systemd {
    pub(super) fn new() -> Self {
        Self {
            interval: sd_notify::watchdog_enabled().map(|limit| limit / 3),
            alive_at: None,
        }
    }

    /// The daemon has long work to do before it serves.
    pub(super) fn still_starting() {
        let usec = u32::try_from(START_EXTENSION.as_micros()).unwrap_or(u32::MAX);
        say(&[NotifyState::ExtendTimeoutUsec(usec)]);
    }

    /// The daemon serves its folders.
    pub(super) fn ready(config: &Config) {
        let status = match config.folders.len() {
            0 => "no folder is configured yet".to_owned(),
            count => format!("serving {count} hot folders"),
        };
        say(&[NotifyState::Ready, NotifyState::Status(&status)]);
    }

    /// A reload begins; it ends with [`Self::ready`], whether the new configuration is taken or not.
    pub(super) fn reloading() {
        // Since version 253 systemd kills a service that reloads without telling the time.
        if let Ok(time) = NotifyState::monotonic_usec_now() {
            say(&[NotifyState::Reloading, time]);
        }
    }

    /// No new photo is taken any more.
    pub(super) fn stopping() {
        say(&[NotifyState::Stopping]);
    }

    /// The loop and the ledger have just been seen to work.
    pub(super) fn alive(&mut self, now: Instant) {
        let Some(interval) = self.interval else {
            return;
        };
        if self
            .alive_at
            .is_none_or(|last| now.duration_since(last) >= interval)
        {
            self.alive_at = Some(now);
            say(&[NotifyState::Watchdog]);
        }
    }
}

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
