//! Decides, after shortages of the machine, when work may start and with how many workers. Pure; starts and ends nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use tokio::time::Instant;

use crate::backoff::doubled;
use crate::config::DaemonConfig as Settings;
use crate::worker::Shortage;

/// The first pause; each further pause without a finished photo in between doubles, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// From this length of the pause on, requests are refused at once instead of waiting.
const PATIENCE: Duration = Duration::from_secs(8);

/// The first wait of a photo that meets a second shortage; each further wait doubles, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// One more worker is tried after this many photos and this much time without a shortage.
const PHOTOS_FOR_MORE: u32 = 10;
const TIME_FOR_MORE: Duration = Duration::from_secs(30);

/// A shortage is over after this much time without another, whatever was done meanwhile.
const CALM: Duration = Duration::from_mins(10);

/// The most photos whose shortages are counted; each shortage of any other photo counts as its second.
const COUNTED_MAX: usize = 1_000;

/// A photo: the name of its folder, and its path below that.
pub(super) type PhotoKey = (String, PathBuf);

/// The limits on work.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    state: Option<Short>,
    /// The number of shortages that each photo has met since it was last done.
    met: HashMap<PhotoKey, u32>,
}

/// The machine is short of something.
#[derive(Debug)]
struct Short {
    what: Shortage,
    limit: usize,
    last: Instant,
    pause: Duration,
    /// Pauses since a photo was last done.
    pauses: u32,
    /// Photos done since the limit last changed.
    photos: u32,
}

impl Throttle {
    /// Notes a shortage: work pauses, then continues with one worker. Returns whether the shortage is new.
    pub(super) fn meet(&mut self, what: Shortage, now: Instant) -> bool {
        let is_new = self.state.as_ref().is_none_or(|state| state.what != what);
        // Workers that end within the pause have met the same shortage.
        let (pause, pauses, last) = match &self.state {
            Some(state) if now < state.last + state.pause => {
                (state.pause, state.pauses, state.last)
            }
            Some(state) => (
                doubled(FIRST_PAUSE, state.pauses, LONGEST_PAUSE),
                state.pauses + 1,
                now,
            ),
            None => (FIRST_PAUSE, 1, now),
        };
        self.state = Some(Short {
            what,
            limit: 1,
            last,
            pause,
            pauses,
            photos: 0,
        });
        is_new
    }

    /// Notes that `photo` has met a shortage. `None` the first time: it is tried again at once, alone. Later returns how long it
    /// waits, so that others get their turn.
    pub(super) fn wait_of(&mut self, photo: PhotoKey) -> Option<Duration> {
        let has_room = self.met.len() < COUNTED_MAX || self.met.contains_key(&photo);
        if !has_room {
            return Some(FIRST_WAIT);
        }
        let count = self.met.entry(photo).or_default();
        *count = count.saturating_add(1);
        let waits = count.checked_sub(2)?;
        Some(doubled(FIRST_WAIT, waits, LONGEST_WAIT))
    }

    /// Resets the count of `photo`, whose attempt ended without a shortage.
    pub(super) fn forget(&mut self, photo: &PhotoKey) {
        self.met.remove(photo);
    }

    /// Notes finished work; returns whether the shortage is over, so that all `wanted` workers may run again.
    pub(super) fn succeed(&mut self, now: Instant, wanted: usize) -> bool {
        let Some(state) = &mut self.state else {
            return false;
        };
        state.pauses = 0;
        state.photos += 1;
        if state.photos < PHOTOS_FOR_MORE || now < state.last + TIME_FOR_MORE {
            return false;
        }
        state.photos = 0;
        state.limit += 1;
        let is_over = state.limit >= wanted;
        if is_over {
            self.state = None;
        }
        is_over
    }

    /// Ends a shortage that has not recurred for long; returns whether it did.
    pub(super) fn end_if_calm(&mut self, now: Instant) -> bool {
        let is_over = self
            .state
            .as_ref()
            .is_some_and(|state| now >= state.last + CALM);
        if is_over {
            self.state = None;
        }
        is_over
    }

    /// The most workers that may run; `None` without a limit.
    pub(super) fn limit(&self) -> Option<usize> {
        self.state.as_ref().map(|state| state.limit)
    }

    /// When work may start again; `None` if it may now.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        let until = self.state.as_ref().map(|state| state.last + state.pause);
        until.filter(|until| now < *until)
    }

    /// The shortage with which requests are refused that would wait too long; `None` if they may wait.
    pub(super) fn turns_away(&self, now: Instant) -> Option<&Shortage> {
        self.until(now)?;
        let state = self.state.as_ref().filter(|state| state.pause >= PATIENCE);
        state.map(|state| &state.what)
    }

    /// Why no work starts now, for the state of each folder.
    pub(super) fn pause_reason(&self, now: Instant) -> Option<String> {
        self.until(now)?;
        let Short { what, pause, .. } = self.state.as_ref()?;
        let pause = humantime::format_duration(*pause);
        Some(format!("{what}; tried again in {pause}"))
    }

    /// What is short, what hotcut does about it, and what a person can do.
    pub(super) fn reason(&self, settings: &Settings) -> Option<String> {
        let Short { what, limit, .. } = self.state.as_ref()?;
        let (remedy, workers) = (what.remedy(), settings.workers);
        let memory = if what.is_memory() {
            let memory = ByteSize(settings.worker_memory_bytes);
            format!(" or `worker_memory` ({memory})")
        } else {
            String::new()
        };
        Some(format!(
            "{what}; at most {limit} of {workers} workers at a time; {remedy}, or lower `workers` ({workers}){memory}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: Shortage = Shortage::MachineMemory { bytes: None };
    const SECOND: Duration = Duration::from_secs(1);

    /// P5, P10: fails when work goes on during a shortage, when the shortage is reported repeatedly, or when pauses do not grow.
    #[test]
    fn work_pauses_for_longer_each_time_until_a_photo_is_done() {
        let mut now = Instant::now();
        let mut throttle = Throttle::default();
        assert_eq!((throttle.limit(), throttle.until(now)), (None, None));
        assert!(throttle.meet(MEMORY, now));
        assert_eq!(throttle.limit(), Some(1));
        // A second worker meets the same shortage.
        assert!(!throttle.meet(MEMORY, now));
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let until = throttle.until(now).unwrap();
            pauses.push((until - now).as_secs());
            now = until;
            assert_eq!(throttle.until(now), None);
            assert!(!throttle.meet(MEMORY, now));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert!(throttle.turns_away(now).is_some());
        assert!(!throttle.succeed(now, 2));
        now = throttle.until(now).unwrap();
        throttle.meet(MEMORY, now);
        assert_eq!(throttle.until(now), Some(now + SECOND));
        assert!(throttle.turns_away(now).is_none());
    }

    /// Fails when the limit of one worker stays for ever after a shortage, or when all workers return at once.
    #[test]
    fn workers_come_back_one_at_a_time() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        throttle.meet(MEMORY, start);
        let soon = start + SECOND;
        assert!((0..100).all(|_| !throttle.succeed(soon, 3)));
        assert_eq!(throttle.limit(), Some(1));
        let later = start + TIME_FOR_MORE;
        assert!(!throttle.succeed(later, 3));
        assert_eq!(throttle.limit(), Some(2));
        assert!((1..PHOTOS_FOR_MORE).all(|_| !throttle.succeed(later, 3)));
        assert!(throttle.succeed(later, 3));
        assert_eq!(throttle.limit(), None);
        throttle.meet(MEMORY, later);
        assert!(!throttle.end_if_calm(later + CALM - SECOND));
        assert!(throttle.end_if_calm(later + CALM));
        assert_eq!(throttle.limit(), None);
    }

    /// P5: fails when a photo that always meets a shortage takes every turn, or when it is given up.
    #[test]
    fn photo_that_meets_shortages_again_waits_for_longer_each_time() {
        let mut throttle = Throttle::default();
        let photo = |name: &str| ("products".to_owned(), PathBuf::from(name));
        let mut waits = (0..12).map(|_| throttle.wait_of(photo("a.jpg")));
        assert_eq!(waits.next(), Some(None));
        assert_eq!(waits.next(), Some(Some(FIRST_WAIT)));
        assert_eq!(waits.next(), Some(Some(FIRST_WAIT * 2)));
        assert_eq!(waits.last(), Some(Some(LONGEST_WAIT)));
        assert_eq!(throttle.wait_of(photo("b.jpg")), None);
        throttle.forget(&photo("a.jpg"));
        assert_eq!(throttle.wait_of(photo("a.jpg")), None);
        for number in 0..COUNTED_MAX {
            throttle.wait_of(photo(&number.to_string()));
        }
        assert_eq!(throttle.met.len(), COUNTED_MAX);
        assert_eq!(throttle.wait_of(photo("one more")), Some(FIRST_WAIT));
    }
}
