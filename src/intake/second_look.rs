//! Decides when to list a new folder once more. Pure: no clock, no disk.
//!
//! The watcher reports a new folder before it watches it. A file that is created before the first listing and written before the
//! watch starts causes no event that is received; only a later listing finds it complete.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

/// Long enough for the watch to start under any load.
const AFTER: Duration = Duration::from_secs(2);

/// Folders to list once more, the first due at the front.
#[derive(Debug, Default)]
pub(super) struct SecondLook {
    due: VecDeque<(Instant, PathBuf)>,
}

impl SecondLook {
    /// Adds a folder that was listed at `now` for the first time.
    pub(super) fn note(&mut self, folder: PathBuf, now: Instant) {
        self.due.push_back((now + AFTER, folder));
    }

    /// When the next folder is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.front().map(|(when, _)| *when)
    }

    /// Returns the next folder that is due, once.
    pub(super) fn take(&mut self, now: Instant) -> Option<PathBuf> {
        self.next().filter(|when| *when <= now)?;
        self.due.pop_front().map(|(_, folder)| folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_due_once_and_not_at_once() {
        let start = Instant::now();
        let mut looks = SecondLook::default();
        looks.note("a".into(), start);
        looks.note("b".into(), start + AFTER / 2);
        assert_eq!(looks.take(start), None);
        assert_eq!(looks.take(start + AFTER), Some("a".into()));
        assert_eq!(looks.take(start + AFTER), None);
        assert_eq!(looks.take(start + AFTER * 2), Some("b".into()));
        assert_eq!(looks.next(), None);
    }
}
