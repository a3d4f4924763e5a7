//! One hot folder as the loop sees it: its state, its settling files, its queue. Must not access the disk itself.

mod photos;
mod presence;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backlog::Backlog;
use super::blocked::BlockedPhotos;
use super::canary::Canary;
use super::error::ScannerGone;
use super::pace::{Pace, Rates};
use super::pause::Pause;
use super::queue::Queue;
use super::state::State;
use crate::config::Folder;
use crate::imaging::CutoutError;
use crate::intake::{
    CAPACITY, EmptyFolder, Listing, NotTaken, ScanRequest, Scanner, Settle, SettledFile,
};
use crate::job::{JobError, OutputPlace, PauseReason};

/// The most files in one request for a look.
const LOOKS_MAX: usize = 256;

/// Whether the ledger knows the cutouts in an output folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cutouts {
    Known,
    /// The ledger was lost, and the disk has not answered since then.
    Unknown,
}

/// A hot folder that is served.
#[derive(Debug)]
pub(super) struct HotFolder {
    pub(super) config: Arc<Folder>,
    pub(super) state: State,
    /// Its outputs, with the mount points known so far.
    pub(super) outputs: Vec<OutputPlace>,
    scanner: Scanner,
    pub(super) settle: Settle,
    queue: Queue,
    backlog: Backlog,
    /// Whether files were left on disk because memory was full or other files already waited on disk.
    is_behind: bool,
    is_listing: bool,
    contact: Contact,
    list_again: bool,
    rescan: Duration,
    rescan_at: Instant,
    /// When the next attempt to watch an unwatchable folder is due.
    rewatch_at: Option<Instant>,
    /// The last quarantined source that was looked at.
    pub(super) looked_at: PathBuf,
    /// The emptied subfolder that the last removal failed at.
    pub(super) unremovable: Option<PathBuf>,
    pause: Pause,
    pub(super) canary: Canary,
    pub(super) blocked: BlockedPhotos,
    pace: Pace,
    pub(super) rates: Rates,
    /// When the oldest waiting photo arrived, in milliseconds since the epoch.
    pub(super) oldest_ms: Option<i64>,
    /// The files that the last listing did not take.
    pub(super) not_taken: NotTaken,
    pub(super) cutouts: Cutouts,
}

/// Whether the scanner responds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contact {
    Kept,
    /// The scanner waits for a disk that does not answer.
    Lost,
}

impl HotFolder {
    pub(super) fn new(
        config: Arc<Folder>,
        scanner: Scanner,
        rescan: Duration,
        now: Instant,
    ) -> Self {
        Self {
            state: State::Starting,
            outputs: OutputPlace::all_of(&config),
            scanner,
            settle: Settle::new(config.settle),
            queue: Queue::default(),
            backlog: Backlog::default(),
            is_behind: false,
            is_listing: false,
            contact: Contact::Kept,
            list_again: false,
            rescan,
            rescan_at: now,
            rewatch_at: None,
            looked_at: PathBuf::new(),
            unremovable: None,
            pause: Pause::default(),
            canary: Canary::Absent,
            blocked: BlockedPhotos::default(),
            pace: Pace::new(now),
            rates: Rates::default(),
            oldest_ms: None,
            not_taken: NotTaken::default(),
            cutouts: Cutouts::Known,
            config,
        }
    }

    /// Sets the interval of listings.
    pub(super) fn set_rescan(&mut self, rescan: Duration, now: Instant) {
        self.rescan = rescan;
        self.rescan_at = self.rescan_at.min(now + rescan);
    }

    /// Ends a listing and plans the next one.
    pub(super) fn listed(&mut self, took: Duration, listing: Listing, now: Instant) {
        self.is_listing = false;
        self.not_taken = listing.not_taken;
        let photos = self.backlog.close(self.room());
        self.admit(photos, now);
        self.is_behind |= self.backlog.is_behind();
        // Polling takes at most about a tenth of the time, and is never more frequent than `settle`.
        let wait = match self.state {
            State::Polling => self.rescan.min(self.config.settle.max(took * 10)),
            State::Starting | State::Online | State::Offline(_) | State::Paused(_) => self.rescan,
        };
        let again = std::mem::take(&mut self.list_again);
        self.rescan_at = if again { now } else { now + wait };
    }

    /// Has the folder listed, because events were lost.
    pub(super) fn lost(&mut self, now: Instant) {
        self.list_again = self.is_listing;
        self.rescan_at = now;
    }

    /// Asks the scanner for the listings and looks that are due.
    pub(super) fn ask(&mut self, now: Instant) -> Result<(), ScannerGone> {
        let has_room = self.room() > CAPACITY / 2;
        if self.is_behind && has_room && !self.is_listing {
            self.is_behind = false;
            self.lost(now);
        }
        if now >= self.rescan_at && !self.is_listing {
            self.is_listing = true;
            let watches = self.rewatch_at.is_some_and(|due| now >= due);
            self.send(if watches {
                ScanRequest::Rewatch
            } else {
                ScanRequest::List
            })?;
        }
        if self.state.is_there() {
            let due = self.settle.due(now, LOOKS_MAX);
            if !due.is_empty() {
                self.send(ScanRequest::Look(due))?;
            }
        }
        Ok(())
    }

    /// Asks for a look at these paths now, independent of what is due.
    pub(super) fn look(&self, paths: Vec<PathBuf>) -> Result<(), ScannerGone> {
        self.send(ScanRequest::Look(paths))
    }

    /// Has these subfolders removed if they are empty.
    pub(super) fn remove(&self, subfolders: Vec<EmptyFolder>) -> Result<(), ScannerGone> {
        self.send(ScanRequest::Remove(subfolders))
    }

    fn send(&self, ask: ScanRequest) -> Result<(), ScannerGone> {
        let heard = self.scanner.ask(ask).then_some(());
        heard.ok_or_else(|| ScannerGone(self.config.name.clone()))
    }

    /// Takes the next file for a worker, unless the folder pauses.
    pub(super) fn next(&mut self, now: Instant) -> Option<SettledFile> {
        if self.pause.holds(now) || !self.state.is_there() {
            return None;
        }
        let file = self.queue.begin()?;
        self.blocked.begin(file.relative());
        Some(file)
    }

    /// Ends an attempt; its file may be queued again. Returns whether a disk had stalled the attempt.
    pub(super) fn ended(&mut self, relative: &Path) -> bool {
        self.queue.end(relative);
        self.pause.answered(relative)
    }

    /// Pauses the folder because the attempt at `relative` waits for a disk; returns whether the pause is new.
    pub(super) fn stall(&mut self, relative: PathBuf, reason: PauseReason) -> bool {
        self.pause.stall(relative, reason.clone());
        !self.is_away() && self.state.pause(reason, None)
    }

    /// Notes that the output can be used; returns whether that is new.
    pub(super) fn resume(&mut self) -> bool {
        self.pause.end();
        self.pause.stall_reason().is_none() && self.state.resume()
    }

    /// Pauses the folder because the output cannot be used; `file` is tried again later. Returns whether the pause is new.
    pub(super) fn pause(&mut self, file: SettledFile, reason: PauseReason, now: Instant) -> bool {
        // If the folder is offline too, the next listing finds the file again.
        if self.is_away() {
            return false;
        }
        let again = self.pause.extend(now);
        self.queue.push(file);
        self.state.pause(reason, Some(again))
    }

    /// Puts `file` into the queue again.
    pub(super) fn put_back(&mut self, file: SettledFile) {
        // If the folder is offline, the next listing finds the file again.
        if !self.is_away() {
            self.queue.push(file);
        }
    }

    /// Ends a pause that is over when no file is left to try the output with; returns whether it did.
    pub(super) fn end_idle_pause(&mut self, now: Instant) -> bool {
        let is_over = self.pause.until().is_some_and(|until| now >= until);
        is_over && self.queue.len() + self.queue.running() == 0 && self.resume()
    }

    /// Returns a file that ends early, or may, to settling. Any other cause of its wait is over, since it could be read.
    pub(super) fn hold(&mut self, file: SettledFile, error: &JobError, now: Instant) {
        self.blocked.end(file.relative());
        if matches!(error, JobError::Cutout(CutoutError::Truncated)) {
            self.settle.hold(file, now);
        } else {
            self.settle.doubt(file, now);
        }
    }

    /// Makes a new watch if the last canary was never seen; returns whether it did.
    pub(super) fn revive_watch(&mut self, now: Instant) -> Result<bool, ScannerGone> {
        let is_dead = self.canary.is_overdue(now);
        if is_dead {
            self.canary = Canary::Absent;
            self.send(ScanRequest::Rewatch)?;
        }
        Ok(is_dead)
    }

    /// When the loop must next look at the folder, if no event comes first.
    pub(super) fn wake_at(&mut self, now: Instant) -> Option<Instant> {
        let looks = self.settle.next_due().filter(|_| self.state.is_there());
        // After a pause the folder waits for a free worker, which is an event.
        let pause = self.pause.until().filter(|until| *until > now);
        let rescan = (!self.is_listing).then_some(self.rescan_at);
        [looks, pause, rescan].into_iter().flatten().min()
    }
}
