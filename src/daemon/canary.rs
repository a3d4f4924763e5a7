//! Checks that a folder's watch works: a file written at intervals must show up as an event. Must not write it itself.

use std::time::Duration;

use tokio::time::Instant;

/// The time between the arrival of one canary and the sending of the next.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long a working watch may take to report a canary.
const LIMIT: Duration = Duration::from_secs(10);

/// The canary of one folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Canary {
    /// The folder is not watched.
    Absent,
    /// The watch works; the next canary is due at this time.
    DueAt(Instant),
    /// Sent at this time and not seen yet.
    Sent(Instant),
}

impl Canary {
    /// Notes that the canary was seen as an event.
    pub(super) fn seen(&mut self, now: Instant) {
        if matches!(self, Self::Sent(_)) {
            *self = Self::DueAt(now + INTERVAL);
        }
    }

    /// Returns whether a canary must be sent now, and notes it as sent.
    pub(super) fn wants_sending(&mut self, now: Instant) -> bool {
        let wants = matches!(self, Self::DueAt(due) if now >= *due);
        if wants {
            *self = Self::Sent(now);
        }
        wants
    }

    /// Returns whether the last canary is overdue.
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
