//! Collects the photos of a listing that are not in memory: keeps those that arrived first, and counts all. Must not access the
//! disk.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::intake::{Found, Observation};

/// How long photos are collected before the first ones are taken, so that workers do not idle while a slow disk is listed.
const GATHER_MAX: Duration = Duration::from_secs(2);

/// Photos taken at a time while a listing goes on; none are taken while this many are in memory.
const AHEAD: usize = 256;

/// The photos in the folder that are not in memory.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// The photos of the current listing that arrived first, by arrival time and path.
    gathered: BTreeMap<(i64, PathBuf), Observation>,
    /// The number of photos that the current listing has found and that are not taken yet.
    met: usize,
    /// When the first photos may be taken before the listing is complete.
    ahead_at: Option<Instant>,
    /// The number of photos that the last listing left on disk.
    left: usize,
}

impl Backlog {
    /// Adds a photo that the listing has found. Keeps at most `room` photos; drops the ones that arrived last.
    pub(super) fn meet(&mut self, photo: Observation, room: usize, now: Instant) {
        let Found::File(stamp) = photo.found else {
            return;
        };
        // An empty file is a placeholder.
        if stamp.len == 0 {
            return;
        }
        self.ahead_at.get_or_insert(now + GATHER_MAX);
        self.met += 1;
        self.gathered
            .insert((stamp.ctime_ns, photo.relative.clone()), photo);
        while self.gathered.len() > room {
            self.gathered.pop_last();
        }
    }

    /// Takes the first photos of a listing that takes long, if fewer than `AHEAD` are `in_memory`.
    pub(super) fn take_ahead(&mut self, in_memory: usize, now: Instant) -> Vec<Observation> {
        if in_memory >= AHEAD || self.ahead_at.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.ahead_at = Some(now + GATHER_MAX);
        let taken: Vec<Observation> = std::iter::from_fn(|| self.gathered.pop_first())
            .map(|(_, photo)| photo)
            .take(AHEAD)
            .collect();
        self.met -= taken.len();
        taken
    }

    /// Ends the listing. Returns the `room` photos that arrived first, oldest first.
    pub(super) fn close(&mut self, room: usize) -> Vec<Observation> {
        let gathered = std::mem::take(&mut self.gathered);
        let taken: Vec<Observation> = gathered.into_values().take(room).collect();
        self.left = std::mem::take(&mut self.met) - taken.len();
        self.ahead_at = None;
        taken
    }

    /// The number of photos known to wait on disk.
    pub(super) fn len(&self) -> usize {
        self.left.max(self.met)
    }

    /// Returns whether the last listing has left photos on disk.
    pub(super) fn is_behind(&self) -> bool {
        self.left > 0
    }

    /// Resets everything: the folder is offline.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::stamp::Stamp;
    use crate::intake::Writer;

    fn photo(number: i64) -> Observation {
        Observation {
            relative: format!("{number}.jpg").into(),
            found: Found::File(Stamp {
                len: 1,
                mtime_ns: 0,
                ctime_ns: number,
                ino: 1,
            }),
            writer: Writer::NotAsked,
        }
    }

    fn names(photos: &[Observation]) -> Vec<String> {
        let names = photos.iter().map(|photo| photo.relative.display());
        names.map(|name| name.to_string()).collect()
    }

    /// P1, P6: fails when memory grows with the folder, when other photos are taken than those that arrived first, or when photos
    /// left on disk are not counted.
    #[test]
    fn of_more_photos_than_there_is_room_for_the_first_are_taken() {
        let now = Instant::now();
        let mut backlog = Backlog::default();
        // A shuffled order: 7 and 1,000 have no common divisor.
        for number in (0..1_000).map(|number| number * 7 % 1_000) {
            backlog.meet(photo(number), 3, now);
            assert!(backlog.gathered.len() <= 3);
        }
        assert_eq!(backlog.len(), 1_000, "they are counted before the end");
        assert_eq!(names(&backlog.close(3)), ["0.jpg", "1.jpg", "2.jpg"]);
        assert_eq!(backlog.len(), 997);
        assert!(backlog.is_behind());
        for number in [5, 4] {
            backlog.meet(photo(number), 3, now);
        }
        assert_eq!(backlog.len(), 997, "until the next listing is complete");
        // Other photos have filled memory meanwhile.
        assert_eq!(names(&backlog.close(1)), ["4.jpg"]);
        assert_eq!(backlog.len(), 1);
        backlog.close(3);
        assert!(!backlog.is_behind());
    }

    /// P1: fails when workers are idle while a slow disk is listed, or when photos are taken before the time in which older ones
    /// may be found.
    #[test]
    fn the_first_photos_of_a_long_listing_are_taken_before_its_end() {
        let now = Instant::now();
        let mut backlog = Backlog::default();
        for number in (0..1_000).rev() {
            backlog.meet(photo(number), 10_000, now);
        }
        assert!(backlog.take_ahead(0, now).is_empty());
        let late = now + GATHER_MAX;
        assert!(
            backlog.take_ahead(AHEAD, late).is_empty(),
            "no worker is idle"
        );
        let ahead = backlog.take_ahead(0, late);
        assert_eq!(ahead.len(), AHEAD);
        assert_eq!(names(&ahead).first().map(String::as_str), Some("0.jpg"));
        assert!(backlog.take_ahead(0, late).is_empty());
        assert_eq!(backlog.close(10_000).len(), 1_000 - AHEAD);
        assert_eq!(backlog.len(), 0);
    }
}
