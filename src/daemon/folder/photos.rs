//! What is seen of a folder's photos -> what settles, what is queued, and what is left on disk. Touches no disk itself.

use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::HotFolder;
use crate::intake::{CAPACITY, Discovery, Found, Observation};
use crate::job::Outcome;

impl HotFolder {
    /// A hint that `relative` may have changed. A newcomer is left on disk while others wait there: it is not its turn.
    pub(in crate::daemon) fn sight(
        &mut self,
        relative: PathBuf,
        when: Instant,
        discovery: Discovery,
    ) {
        if self.queue.has(&relative) {
            return;
        }
        let is_newcomer = discovery == Discovery::Event && !self.settle.has(&relative);
        if is_newcomer && (self.backlog.is_behind() || self.room() == 0) {
            self.leave_on_disk(when);
        } else if !self.settle.sight(relative, when, discovery) {
            self.is_behind = true;
        }
    }

    /// A newcomer has to wait. The first one has the whole folder listed, which counts what waits and finds what arrived first.
    fn leave_on_disk(&mut self, now: Instant) {
        if !self.is_behind {
            self.is_behind = true;
            self.lost(now);
        }
    }

    /// Tells whether what is seen of `relative` is of interest now.
    pub(in crate::daemon) fn is_in_hand(&self, relative: &Path) -> bool {
        self.queue.has(relative)
    }

    /// What is seen is finished already.
    pub(in crate::daemon) fn forget(&mut self, relative: &Path, now: Instant) {
        self.settle.forget(relative, now);
        self.blocked.end(relative);
    }

    /// What is seen may need work: queues it once it is settled, and tells what had led to it.
    pub(in crate::daemon) fn observe(
        &mut self,
        found: Observation,
        now: Instant,
    ) -> Option<Discovery> {
        if found.found == Found::Nothing {
            self.blocked.end(&found.relative);
        }
        // Of a folder that is moved in as a whole; half of the room is for what arrived first.
        let is_newcomer =
            matches!(found.found, Found::File(_)) && !self.settle.has(&found.relative);
        if is_newcomer && (self.backlog.is_behind() || self.room() <= CAPACITY / 2) {
            self.leave_on_disk(now);
            return None;
        }
        let file = self.settle.observe(found, now)?;
        let discovery = file.discovery();
        self.queue.push(file);
        Some(discovery)
    }

    /// As [`Self::observe`], for what the listing of the whole folder has met: whether it is its turn is known at the end.
    pub(in crate::daemon) fn meet(&mut self, found: Observation, now: Instant) {
        if self.settle.has(&found.relative) {
            self.observe(found, now);
            return;
        }
        self.backlog.meet(found, self.room(), now);
        let in_memory = self.queue.len() + self.settle.len();
        let ahead = self.backlog.take_ahead(in_memory, now);
        self.admit(ahead, now);
    }

    pub(super) fn admit(&mut self, photos: Vec<Observation>, now: Instant) {
        for photo in photos {
            if !self.queue.has(&photo.relative) {
                self.settle.observe(photo, now);
            }
        }
    }

    /// Files that there is still room for in memory; the others stay on disk, where the next listing finds them.
    pub(super) fn room(&self) -> usize {
        CAPACITY.saturating_sub(self.queue.len() + self.settle.len())
    }

    /// Takes stock once a second of how fast it goes, and of how old the oldest photo is.
    pub(in crate::daemon) fn take_stock(&mut self, now: Instant) {
        let oldest_ns = [self.queue.oldest_ns(), self.settle.oldest_ns()];
        let oldest_ns = oldest_ns.into_iter().flatten().min();
        self.oldest_ms = oldest_ns.map(|ns| ns / 1_000_000);
        let held = self.settle.held().len() + self.blocked.len();
        let waiting = self.queued().saturating_sub(held);
        self.rates = self.pace.rates(waiting, now);
    }

    /// Counts an attempt that has ended, if the photo is done.
    pub(in crate::daemon) fn count(&mut self, outcome: &Outcome, now: Instant) {
        if matches!(outcome, Outcome::Done { .. }) {
            self.pace.count(now);
        }
    }

    /// Photos that wait: those that settle, those that are settled, and those that are left on disk until there is room.
    pub(in crate::daemon) fn queued(&self) -> usize {
        self.queue.len() + self.settle.len() + self.backlog.len()
    }

    /// Of them, those that are left on disk.
    pub(in crate::daemon) fn on_disk(&self) -> usize {
        self.backlog.len()
    }

    /// Files that a worker has.
    pub(in crate::daemon) fn running(&self) -> usize {
        self.queue.running()
    }
}
