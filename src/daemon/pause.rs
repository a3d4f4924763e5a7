//! Decides when a folder is tried again after failures of its output, or while a disk does not answer. Must not access the disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::doubled;
use crate::job::PauseReason;

/// The first wait; each further wait doubles, up to the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// The failures and stalls of a folder's disks.
#[derive(Debug, Default)]
pub(super) struct Pause {
    failures: u32,
    until: Option<Instant>,
    /// Photos whose attempt waits for a disk. While there is one, no other is started, because it would wait too.
    stalled: HashMap<PathBuf, PauseReason>,
}

impl Pause {
    /// Notes that the output failed; returns how long it is left alone.
    pub(super) fn extend(&mut self, now: Instant) -> Duration {
        let wait = doubled(FIRST, self.failures, LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + wait);
        wait
    }

    /// Notes that the output works.
    pub(super) fn end(&mut self) {
        self.failures = 0;
        self.until = None;
    }

    /// Notes that the attempt at `relative` waits for a disk.
    pub(super) fn stall(&mut self, relative: PathBuf, reason: PauseReason) {
        self.stalled.insert(relative, reason);
    }

    /// Notes that the attempt at `relative` is over; returns whether it had waited for a disk.
    pub(super) fn answered(&mut self, relative: &Path) -> bool {
        self.stalled.remove(relative).is_some()
    }

    /// Why the folder waits, if an attempt waits for a disk.
    pub(super) fn stall_reason(&self) -> Option<&PauseReason> {
        self.stalled.values().next()
    }

    /// Returns whether the output must not be tried now.
    pub(super) fn holds(&self, now: Instant) -> bool {
        !self.stalled.is_empty() || self.until.is_some_and(|until| now < until)
    }

    /// When the output is tried again, if it failed last time.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_keeps_an_attempt_holds_the_folder_until_it_answers() {
        let now = Instant::now();
        let mut pause = Pause::default();
        let silent = PauseReason::Other("a disk is silent".to_owned());
        pause.stall("a.jpg".into(), silent);
        pause.end();
        assert!(pause.holds(now + LONGEST * 2));
        assert!(!pause.answered(Path::new("b.jpg")));
        assert!(pause.answered(Path::new("a.jpg")));
        assert!(!pause.holds(now));
    }

    #[test]
    fn waits_double_up_to_the_longest_and_start_over() {
        let now = Instant::now();
        let mut pause = Pause::default();
        assert!(!pause.holds(now));
        let waits: Vec<Duration> = (0..9)
            .map(|_| {
                pause.extend(now);
                pause.until().unwrap() - now
            })
            .collect();
        assert_eq!(waits.first(), Some(&FIRST));
        assert_eq!(waits.get(1), Some(&(FIRST * 2)));
        assert_eq!(waits.last(), Some(&LONGEST));
        pause.end();
        assert!(!pause.holds(now));
    }
}
