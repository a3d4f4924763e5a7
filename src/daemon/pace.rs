//! Computes the photos done per minute and the time left for the rest. Has no clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The length of one slot.
const SLOT: Duration = Duration::from_secs(5);

/// The number of slots kept: one hour.
const SLOTS: usize = 720;

/// The longest time over which the time left is estimated.
const ESTIMATE: Duration = Duration::from_mins(10);

/// The throughput of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Photos done in the last minute.
    pub photos_per_minute: u32,
    /// Photos done per minute, averaged over the last 10 minutes, or over the time that the folder is served if that is shorter.
    pub photos_per_minute_over_10: f64,
    /// As above, over the last 60 minutes.
    pub photos_per_minute_over_60: f64,
    /// The estimated time for the waiting photos, in seconds, if it can be estimated.
    pub left_s: Option<u32>,
}

/// The photos done in one folder, counted per slot.
#[derive(Debug)]
pub(super) struct Pace {
    begun: Instant,
    slots: Box<[u32]>,
    /// The number of the current slot, counted from the first one.
    slot: usize,
    /// The start of the time in which photos have waited without a break.
    busy_since: Option<Instant>,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            slots: vec![0; SLOTS].into(),
            slot: 0,
            busy_since: None,
        }
    }

    /// Counts a photo that is done.
    pub(super) fn count(&mut self, now: Instant) {
        self.turn(now);
        if let Some(count) = self.slots.get_mut(self.slot % SLOTS) {
            *count += 1;
        }
    }

    /// Returns the rates; `waiting` is the number of waiting photos that nothing holds back.
    pub(super) fn rates(&mut self, waiting: usize, now: Instant) -> Rates {
        self.turn(now);
        if waiting == 0 {
            self.busy_since = None;
        } else {
            self.busy_since.get_or_insert(now);
        }
        let minute = Duration::from_mins(1);
        Rates {
            photos_per_minute: self.done(minute),
            photos_per_minute_over_10: self.per_minute(10 * minute, now),
            photos_per_minute_over_60: self.per_minute(60 * minute, now),
            left_s: self.left_s(waiting, now),
        }
    }

    /// Advances to the slot of `now` and clears the slots that are reused.
    fn turn(&mut self, now: Instant) {
        let slot = slots(now.duration_since(self.begun));
        for passed in (self.slot + 1..=slot).rev().take(SLOTS) {
            if let Some(count) = self.slots.get_mut(passed % SLOTS) {
                *count = 0;
            }
        }
        self.slot = self.slot.max(slot);
    }

    /// The number of photos done within `span` before now.
    fn done(&self, span: Duration) -> u32 {
        let first = (self.slot + 1).saturating_sub(slots(span));
        let counts = (first..=self.slot).map(|slot| self.slots.get(slot % SLOTS));
        counts.flatten().sum()
    }

    fn per_minute(&self, span: Duration, now: Instant) -> f64 {
        let minute = Duration::from_mins(1);
        let span_served = span.min(now.duration_since(self.begun)).max(minute);
        let rate = f64::from(self.done(span)) / (span_served.as_secs_f64() / 60.0);
        (rate * 10.0).round() / 10.0
    }

    fn left_s(&self, waiting: usize, now: Instant) -> Option<u32> {
        let busy = now.duration_since(self.busy_since?).min(ESTIMATE);
        let done = self.done(busy + SLOT);
        if busy < SLOT || done == 0 {
            return None;
        }
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        let left = (busy / done).saturating_mul(waiting);
        Some(rounded(
            u32::try_from(left.as_secs()).unwrap_or(u32::MAX - 600),
        ))
    }
}

/// Rounds up to a step for people: 5 seconds, a minute or 10 minutes.
fn rounded(seconds: u32) -> u32 {
    let step = match seconds {
        0..60 => 5,
        60..7_200 => 60,
        _ => 600,
    };
    seconds.div_ceil(step).saturating_mul(step)
}

fn slots(span: Duration) -> usize {
    usize::try_from(span.as_secs() / SLOT.as_secs()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn photos_are_counted_over_each_span_and_forgotten_after_it() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        // 20 a minute for half an hour.
        for second in (0..1_800).step_by(3) {
            pace.count(start + Duration::from_secs(second));
        }
        let at_end = pace.rates(0, start + 30 * MINUTE - Duration::from_secs(1));
        assert_eq!(at_end.photos_per_minute, 20);
        assert!(
            (at_end.photos_per_minute_over_10 - 20.0).abs() < 0.1,
            "{at_end:?}"
        );
        assert!(
            (at_end.photos_per_minute_over_60 - 20.0).abs() < 0.1,
            "{at_end:?}"
        );
        let later = pace.rates(0, start + 40 * MINUTE);
        assert_eq!(later.photos_per_minute, 0);
        assert!(later.photos_per_minute_over_10 <= 0.4, "{later:?}");
        assert!(
            (later.photos_per_minute_over_60 - 15.0).abs() < 0.1,
            "{later:?}"
        );
        let next_day = pace.rates(0, start + 1_500 * MINUTE);
        assert_eq!(next_day, Rates::default());
    }

    #[test]
    fn time_left_is_told_from_what_was_done_since_photos_wait() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        // The folder is idle for hours; then 1,000 photos come, and 2 a second are done.
        let came = start + 300 * MINUTE;
        assert_eq!(pace.rates(0, came).left_s, None);
        assert_eq!(pace.rates(1_000, came).left_s, None);
        for half in 1..=200_u32 {
            pace.count(came + Duration::from_millis(500) * half);
        }
        let left_s = pace.rates(800, came + Duration::from_secs(100)).left_s;
        assert!(
            left_s.is_some_and(|left| (360..=480).contains(&left)),
            "{left_s:?}"
        );
        let over = came + Duration::from_secs(500);
        assert_eq!(pace.rates(0, over).left_s, None);
        // Photos done in an earlier round say nothing about this one.
        assert_eq!(pace.rates(5, over + MINUTE).left_s, None);
        let stuck = pace.rates(5, over + 15 * MINUTE);
        assert_eq!(stuck.left_s, None, "nothing is done: nobody can tell");
    }

    #[test]
    fn times_are_rounded_up_to_what_a_person_would_say() {
        for (seconds, said) in [(0, 0), (1, 5), (58, 60), (61, 120), (7_201, 7_800)] {
            assert_eq!(rounded(seconds), said);
        }
    }
}
