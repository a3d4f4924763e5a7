//! Settled photos of one folder -> the next one for a worker: the one that arrived first.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use crate::intake::SettledFile;

/// Photos that wait for a worker, and those that have one.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// By when each arrived, as its stamp tells: the system sets that time, and no program that copies can.
    files: BTreeMap<(i64, PathBuf), SettledFile>,
    /// Waiting or running; whatever is seen of them meanwhile is looked at when they are through.
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

    /// An attempt is over.
    pub(super) fn end(&mut self, relative: &Path) {
        self.running = self.running.saturating_sub(1);
        self.in_hand.remove(relative);
    }

    /// Gives up those that wait.
    pub(super) fn clear(&mut self) {
        for file in std::mem::take(&mut self.files).into_values() {
            self.in_hand.remove(file.relative());
        }
    }

    /// Tells whether `relative` waits or has a worker.
    pub(super) fn has(&self, relative: &Path) -> bool {
        self.in_hand.contains(relative)
    }

    /// Photos that wait.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Photos that have a worker.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// When the photo arrived that arrived first, by its stamp, in nanoseconds since the epoch.
    pub(super) fn oldest_ns(&self) -> Option<i64> {
        let ((arrived_ns, _), _) = self.files.first_key_value()?;
        Some(*arrived_ns)
    }
}
