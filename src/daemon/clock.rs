//! Moments of the clock that only goes on -> times of day; one moment is the same time whenever it is asked for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// How far the two clocks may drift apart before times are told anew.
const DRIFT_MAX_MS: i64 = 2_000;

/// One moment on both clocks, from which others are counted.
#[derive(Debug)]
pub(super) struct WallClock {
    at: Instant,
    at_ms: i64,
}

impl WallClock {
    pub(super) fn new() -> Self {
        Self {
            at: Instant::now(),
            at_ms: now_ms(),
        }
    }

    /// Follows a time of day that was set, or a machine that has slept.
    pub(super) fn correct(&mut self) {
        let now = Self::new();
        if (self.ms(now.at) - now.at_ms).abs() > DRIFT_MAX_MS {
            *self = now;
        }
    }

    /// The time of day at `moment`, in milliseconds since the epoch.
    pub(super) fn ms(&self, moment: Instant) -> i64 {
        let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        match moment.checked_duration_since(self.at) {
            Some(later) => self.at_ms.saturating_add(ms(later)),
            None => self.at_ms.saturating_sub(ms(self.at - moment)),
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
