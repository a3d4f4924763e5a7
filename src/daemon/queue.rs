//! The settled photos of one folder, oldest first.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use crate::intake::SettledFile;

/// The photos that wait for a worker or have one.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By arrival time, which is the `ctime` of the stamp: the system sets it, and copying programs cannot.
    files: BTreeMap<(i64, PathBuf), SettledFile>,
    /// Photos that wait or run. Observations of them are ignored; they are looked at again when they are through.
    in_hand: HashSet<PathBuf>,
    running: usize,
}

impl Queue {
    pub(super) fn push(&mut self, file: SettledFile) {
        self.in_hand.insert(file.relative().to_owned());
        let key = (file.stamp().ctime_ns, file.relative().to_owned());
        self.files.insert(key, file);
    }

    /// Takes the photo that arrived first.
    pub(super) fn begin(&mut self) -> Option<SettledFile> {
        let (_, file) = self.files.pop_first()?;
        self.running += 1;
        Some(file)
    }

    /// Ends an attempt.
    pub(super) fn end(&mut self, relative: &Path) {
        self.running = self.running.saturating_sub(1);
        self.in_hand.remove(relative);
    }

    /// Drops the waiting photos.
    pub(super) fn clear(&mut self) {
        for file in std::mem::take(&mut self.files).into_values() {
            self.in_hand.remove(file.relative());
        }
    }

    /// Returns whether `relative` waits or has a worker.
    pub(super) fn has(&self, relative: &Path) -> bool {
        self.in_hand.contains(relative)
    }

    /// The number of waiting photos.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The number of photos that have a worker.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// The arrival time of the oldest waiting photo, by its stamp, in nanoseconds since the epoch.
    pub(super) fn oldest_ns(&self) -> Option<i64> {
        let ((arrived_ns, _), _) = self.files.first_key_value()?;
        Some(*arrived_ns)
    }
}
