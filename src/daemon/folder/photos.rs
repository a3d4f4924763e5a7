//! Decides which observed photos settle, which are queued and which stay on disk. Must not access the disk itself.

use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::HotFolder;
use crate::intake::{CAPACITY, Discovery, Found, Observation};
use crate::job::Outcome;

impl HotFolder {
    /// Takes a hint that `relative` may have changed. A new photo stays on disk while older ones wait there.
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

    /// Leaves a new photo on disk. The first such photo makes the whole folder be listed, which counts the waiting photos and finds
    /// the oldest.
    fn leave_on_disk(&mut self, now: Instant) {
        if !self.is_behind {
            self.is_behind = true;
            self.lost(now);
        }
    }

    /// Returns whether `relative` is queued or has a worker, so that observations of it are ignored.
    pub(in crate::daemon) fn is_in_hand(&self, relative: &Path) -> bool {
        self.queue.has(relative)
    }

    /// Drops a file that is finished already.
    pub(in crate::daemon) fn forget(&mut self, relative: &Path, now: Instant) {
        self.settle.forget(relative, now);
        self.blocked.end(relative);
    }

    /// Takes an observation of a file that may need work. Queues the file once it has settled, and returns what led to it.
    pub(in crate::daemon) fn observe(
        &mut self,
        found: Observation,
        now: Instant,
    ) -> Option<Discovery> {
        if found.found == Found::Nothing {
            self.blocked.end(&found.relative);
        }
        // The file may be part of a whole folder that was moved in; half of the capacity is for the files that arrived first.
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

    /// As [`Self::observe`], for a file found by the listing of the whole folder: whether it is its turn is known at the end of the
    /// listing.
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

    /// The number of files that still fit in memory; the others stay on disk until a later listing finds them.
    pub(super) fn room(&self) -> usize {
        CAPACITY.saturating_sub(self.queue.len() + self.settle.len())
    }

    /// Updates, once a second, the rates and the age of the oldest photo.
    pub(in crate::daemon) fn take_stock(&mut self, now: Instant) {
        let oldest_ns = [self.queue.oldest_ns(), self.settle.oldest_ns()];
        let oldest_ns = oldest_ns.into_iter().flatten().min();
        self.oldest_ms = oldest_ns.map(|ns| ns / 1_000_000);
        let held = self.settle.held().len() + self.blocked.len();
        let waiting = self.queued().saturating_sub(held);
        self.rates = self.pace.rates(waiting, now);
    }

    /// Counts an ended attempt if its photo is done.
    pub(in crate::daemon) fn count(&mut self, outcome: &Outcome, now: Instant) {
        if matches!(outcome, Outcome::Done { .. }) {
            self.pace.count(now);
        }
    }

    /// The number of waiting photos: settling, queued, or left on disk.
    pub(in crate::daemon) fn queued(&self) -> usize {
        self.queue.len() + self.settle.len() + self.backlog.len()
    }

    /// The number of waiting photos that are left on disk.
    pub(in crate::daemon) fn on_disk(&self) -> usize {
        self.backlog.len()
    }

    /// The number of photos that have a worker.
    pub(in crate::daemon) fn running(&self) -> usize {
        self.queue.running()
    }
}
