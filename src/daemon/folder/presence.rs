//! Takes the folder online, or offline until its disk is back or answers.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::{Contact, Cutouts, HotFolder};
use crate::daemon::canary::Canary;
use crate::daemon::state::State;
use crate::fs::disk;
use crate::intake::{NotTaken, Polled, SilentDisk};

/// How often an offline folder is looked for.
const OFFLINE_RETRY: Duration = Duration::from_secs(2);

impl HotFolder {
    /// Takes the folder online; returns whether that is new.
    pub(in crate::daemon) fn online(&mut self, polled: Option<&Polled>, now: Instant) -> bool {
        self.canary = if polled.is_some() {
            Canary::Absent
        } else {
            Canary::DueAt(now)
        };
        self.is_listing = true;
        self.cutouts = Cutouts::Known;
        self.rewatch_at = match polled {
            Some(Polled::Unwatchable(_)) => Some(now + self.rescan),
            Some(Polled::Deaf(_)) | None => None,
        };
        let state = match polled {
            None => State::Online,
            Some(_) => State::Polling,
        };
        let is_new = self.state.arrive(state);
        if let Some(reason) = self.pause.stall_reason() {
            self.state.pause(reason.clone(), None);
        }
        is_new
    }

    /// Takes the folder offline; returns whether that is new.
    pub(in crate::daemon) fn offline(&mut self, reason: String, now: Instant) -> bool {
        self.queue.clear();
        self.settle.clear();
        self.backlog.clear();
        self.not_taken = NotTaken::default();
        self.blocked.clear();
        self.canary = Canary::Absent;
        self.is_listing = false;
        self.rescan_at = now + OFFLINE_RETRY;
        // No file is left to try the output with.
        self.pause.end();
        let state = State::Offline(reason);
        std::mem::replace(&mut self.state, state.clone()) != state
    }

    /// Takes the folder offline if its scanner waits for a disk that does not answer. Returns the reason if that is new.
    pub(in crate::daemon) fn notice_silence(&mut self, now: Instant) -> Option<String> {
        let reason = match self.scanner.silent_disk()? {
            SilentDisk::Input => disk::SILENT.to_owned(),
            SilentDisk::Output(number) => {
                let output = self.config.output_paths().nth(number);
                let output = output.unwrap_or(Path::new("")).display();
                format!("the disk of its output folder {output} does not answer")
            }
        };
        let is_new = self.offline(reason.clone(), now);
        // Further requests would only wait until the scanner answers.
        self.is_listing = true;
        self.contact = Contact::Lost;
        is_new.then_some(reason)
    }

    /// Notes that the scanner has answered; returns whether its disk had been silent. If so, all that is known of the folder is out
    /// of date, and it is listed.
    pub(in crate::daemon) fn end_silence(&mut self, now: Instant) -> bool {
        let was_silent = std::mem::replace(&mut self.contact, Contact::Kept) == Contact::Lost;
        if was_silent {
            self.is_listing = false;
            self.rescan_at = now;
        }
        was_silent
    }

    /// Returns whether the hot folder cannot be read now, independent of its output.
    pub(super) fn is_away(&self) -> bool {
        matches!(self.state, State::Starting | State::Offline(_))
    }
}
