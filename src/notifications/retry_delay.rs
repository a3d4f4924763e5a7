//! Computes the wait before the next attempt, or that there is none. Must not read a clock.

use std::time::Duration;

use crate::backoff::doubled;

/// The wait after the first failure; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait that hotcut chooses by itself.
const LONGEST: Duration = Duration::from_mins(5);

/// The greatest age of a message.
const LIFE: Duration = Duration::from_hours(1);

/// The wait before the next attempt at a message of this `age`; `None` if the message would be too old then. `failures` is the
/// number of consecutive failures, at least one; `asked` is the pause that the receiver asks for.
pub(super) fn next(failures: u32, asked: Option<Duration>, age: Duration) -> Option<Duration> {
    let own = doubled(FIRST, failures.saturating_sub(1), LONGEST);
    let wait = asked.map_or(own, |asked| asked.max(FIRST));
    (age.saturating_add(wait) <= LIFE).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when the wait does not double, has no upper limit, or overflows.
    #[test]
    fn waits_double_up_to_five_minutes() {
        let wait = |failures| next(failures, None, Duration::ZERO).unwrap().as_secs();
        assert_eq!([1, 2, 3, 9, 10].map(wait), [1, 2, 4, 256, 300]);
        assert_eq!(wait(u32::MAX), 300);
    }

    /// Fails when the receiver is called before its requested pause ends, or without any pause.
    #[test]
    fn receiver_says_when_to_come_again() {
        let wait = |seconds| next(1, Some(Duration::from_secs(seconds)), Duration::ZERO);
        assert_eq!(wait(900), Some(Duration::from_mins(15)));
        assert_eq!(wait(0), Some(Duration::from_secs(1)));
        assert_eq!(wait(u64::MAX), None);
    }

    /// Fails when a message is retried forever.
    #[test]
    fn message_is_given_up_after_an_hour() {
        assert!(next(20, None, Duration::from_mins(55)).is_some());
        assert_eq!(next(20, None, Duration::from_mins(56)), None);
    }
}
