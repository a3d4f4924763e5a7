//! The proof that a folder's watch lives: a file that is written now and then must show up as an event. Writes nothing.

use std::time::Duration;

use tokio::time::Instant;

/// How often a canary is sent.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long a living watch may take to report it.
const LIMIT: Duration = Duration::from_secs(10);

/// The canary of one folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Canary {
    /// The folder is not watched.
    Absent,
    /// All is well; the next one is due then.
    DueAt(Instant),
    /// Not seen since then.
    Sent(Instant),
}

impl Canary {
    /// An event came back.
    pub(super) fn seen(&mut self, now: Instant) {
        if matches!(self, Self::Sent(_)) {
            *self = Self::DueAt(now + INTERVAL);
        }
    }

    /// Tells whether one should be sent now, and notes that it was.
    pub(super) fn wants_sending(&mut self, now: Instant) -> bool {
        let wants = matches!(self, Self::DueAt(due) if now >= *due);
        if wants {
            *self = Self::Sent(now);
        }
        wants
    }

    /// Tells whether the last one is overdue.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        matches!(self, Self::Sent(since) if now.duration_since(*since) > LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_that_reports_nothing_is_overdue_and_one_that_reports_is_not() {
        let now = Instant::now();
        let mut canary = Canary::DueAt(now);
        assert!(canary.wants_sending(now));
        assert!(!canary.wants_sending(now));
        assert!(!canary.is_overdue(now + LIMIT));
        assert!(canary.is_overdue(now + LIMIT + Duration::from_millis(1)));
        canary.seen(now);
        assert!(!canary.is_overdue(now + LIMIT * 2));
        assert!(canary.wants_sending(now + INTERVAL));
    }
}
