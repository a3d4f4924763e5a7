//! Photos that a listing meets and that are not in memory -> those of them that arrived first, and how many there are. Touches no
//! disk.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::intake::{Found, Observation};

/// How long photos may be gathered before the first of them are taken: a listing of a slow disk must not keep workers idle.
const GATHER_MAX: Duration = Duration::from_secs(2);

/// Photos that are taken while a listing goes on, unless so many are in memory already.
const AHEAD: usize = 256;

/// What lies in the folder beyond what is in memory.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Of the listing that is under way, those that arrived first, by when they did.
    gathered: BTreeMap<(i64, PathBuf), Observation>,
    /// All that this listing has met so far.
    met: usize,
    /// When the first of them may be taken before the listing is complete.
    ahead_at: Option<Instant>,
    /// Photos that the last listing left on disk.
    left: usize,
}

impl Backlog {
    /// Notes a photo that the listing has met; of more than `room` the ones that arrived last are left on disk.
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

    /// Takes the first photos of a listing that takes long, while fewer than a few are `in_memory`.
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

    /// Ends the listing: returns at most `room` photos, those that arrived first, in that order.
    pub(super) fn close(&mut self, room: usize) -> Vec<Observation> {
        let gathered = std::mem::take(&mut self.gathered);
        let taken: Vec<Observation> = gathered.into_values().take(room).collect();
        self.left = std::mem::take(&mut self.met) - taken.len();
        self.ahead_at = None;
        taken
    }

    /// Photos that wait on disk, as far as that is known.
    pub(super) fn len(&self) -> usize {
        self.left.max(self.met)
    }

    /// Tells whether the last listing has left photos on disk.
    pub(super) fn is_behind(&self) -> bool {
        self.left > 0
    }

    /// The folder is away.
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

    /// P1, P6: fails when memory grows with the folder, when others are taken than those that arrived first, or when those that
    /// are left on disk are not counted.
    #[test]
    fn of_more_photos_than_there_is_room_for_the_first_are_taken() {
        let now = Instant::now();
        let mut backlog = Backlog::default();
        // In an order that is none: 7 and 1,000 have no common divisor.
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
        // Others have taken the room meanwhile.
        assert_eq!(names(&backlog.close(1)), ["4.jpg"]);
        assert_eq!(backlog.len(), 1);
        backlog.close(3);
        assert!(!backlog.is_behind());
    }

    /// P1: fails when workers are idle as long as a slow disk is listed, or when photos are taken before it is known whether
    /// older ones come.
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
