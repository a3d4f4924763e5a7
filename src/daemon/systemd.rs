//! Sends the states of the daemon to systemd. Does nothing if systemd did not start it.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::Instant;

use crate::config::Config;

/// The time allowed for the next step of a long start.
const START_EXTENSION: Duration = Duration::from_mins(2);

/// The connection to the service manager.
#[derive(Debug)]
pub(super) struct Systemd {
    /// The interval of watchdog messages: a third of the limit that systemd sets.
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

    /// Reports that the daemon needs more time before it serves.
    pub(super) fn still_starting() {
        let usec = u32::try_from(START_EXTENSION.as_micros()).unwrap_or(u32::MAX);
        say(&[NotifyState::ExtendTimeoutUsec(usec)]);
    }

    /// Reports that the daemon serves its folders.
    pub(super) fn ready(config: &Config) {
        let status = match config.folders.len() {
            0 => "no folder is configured yet".to_owned(),
            count => format!("serving {count} hot folders"),
        };
        say(&[NotifyState::Ready, NotifyState::Status(&status)]);
    }

    /// Reports that a reload begins; it ends with [`Self::ready`], whether the new configuration is taken or not.
    pub(super) fn reloading() {
        // Since version 253, systemd kills a service that reports a reload without the time.
        if let Ok(time) = NotifyState::monotonic_usec_now() {
            say(&[NotifyState::Reloading, time]);
        }
    }

    /// Reports that the daemon stops.
    pub(super) fn stopping() {
        say(&[NotifyState::Stopping]);
    }

    /// Sends a watchdog message if one is due: the loop and the ledger have just worked.
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
        tracing::debug!(%error, "could not notify systemd");
    }
}
