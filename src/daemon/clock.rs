//! Converts instants of the monotonic clock to times of day. One instant always gives the same time, unless the clock is corrected.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The drift between the two clocks beyond which the reference is taken anew.
const DRIFT_MAX_MS: i64 = 2_000;

/// One moment on both clocks, the reference for all others.
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

    /// Takes a new reference if the time of day was set or the machine has slept.
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
