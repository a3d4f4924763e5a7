//! Computes a wait that doubles with each failure. Must not read a clock.

use std::time::Duration;

/// `first`, doubled `times` times, but at most `longest`.
pub fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(times);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when the wait does not double, has no upper limit, or overflows.
    #[test]
    fn waits_double_up_to_the_longest() {
        let wait = |times| doubled(Duration::from_secs(1), times, Duration::from_mins(5));
        let seconds = [0, 1, 2, 8, 9].map(|times| wait(times).as_secs());
        assert_eq!(seconds, [1, 2, 4, 256, 300]);
        assert_eq!(wait(u32::MAX), Duration::from_mins(5));
    }
}
