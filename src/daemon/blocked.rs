//! Records why single photos of a folder wait, so that each cause is logged once and shown while it lasts. Decides nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::clock::WallClock;
use crate::fs::path_error::PathError;
use crate::intake::{CAPACITY, Held};
use crate::percent;

/// The most waiting photos that are shown; more with the same cause would add nothing.
const SHOWN_MAX: usize = 20;

/// The most waiting photos that are logged one by one; further ones are not logged.
const TOLD_MAX: usize = 1_000;

/// A waiting photo, as status shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The path of the photo or of an unreadable subfolder, below the hot folder.
    pub path: String,
    /// Why it waits.
    pub reason: String,
    /// What it waits for.
    #[serde(default)]
    pub next: WaitingFor,
    /// When the wait ends, in milliseconds since the epoch, if known.
    #[serde(default)]
    pub until_ms: Option<i64>,
}

/// What a waiting photo waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// The cause must go; the photo is tried again until then.
    #[default]
    Cause,
    /// The next attempt; the last one failed.
    Attempt,
    /// The rest of the file, which ends early; without it the photo is quarantined.
    Rest,
    /// The rest of the file, which may end early; without it the photo is taken as it is.
    Doubt,
    /// A program that has the file open for writing must close it.
    Writer,
    /// The subfolder must become readable; each listing tries it again.
    Listing,
}

/// The photos of one folder that wait for a cause to end.
#[derive(Debug, Default)]
pub(super) struct BlockedPhotos {
    photos: BTreeMap<PathBuf, BlockedPhoto>,
    /// The number of `photos` that were logged.
    told: usize,
    unreadable: Option<(PathBuf, String)>,
}

#[derive(Debug)]
struct BlockedPhoto {
    reason: String,
    next: WaitingFor,
    until: Instant,
    is_told: bool,
}

impl BlockedPhotos {
    /// Notes why a photo waits and when it is tried again. Returns whether this must be logged.
    pub(super) fn note(&mut self, relative: &Path, reason: String, until: Instant) -> bool {
        self.keep(relative, reason, WaitingFor::Cause, until)
    }

    /// Notes why an attempt failed and when the next one follows.
    pub(super) fn retry(&mut self, relative: &Path, reason: String, until: Instant) {
        self.keep(relative, reason, WaitingFor::Attempt, until);
    }

    fn keep(&mut self, relative: &Path, reason: String, next: WaitingFor, until: Instant) -> bool {
        let before = self.photos.remove(relative);
        // No more photos are in memory at a time, except those that a listing has yet to find again.
        if before.is_none() && self.photos.len() >= CAPACITY {
            return false;
        }
        let was_told = before.as_ref().is_some_and(|before| before.is_told);
        let is_told = was_told || self.told < TOLD_MAX;
        self.told += usize::from(is_told && !was_told);
        let is_same = before.is_some_and(|before| (&before.reason, before.next) == (&reason, next));
        let photo = BlockedPhoto {
            reason,
            next,
            until,
            is_told,
        };
        self.photos.insert(relative.to_owned(), photo);
        is_told && !(was_told && is_same)
    }

    /// Ends the wait of a photo for its next attempt, which begins now. Other waits go on.
    pub(super) fn begin(&mut self, relative: &Path) {
        let photo = self.photos.get(relative);
        if photo.is_some_and(|photo| photo.next == WaitingFor::Attempt) {
            self.end(relative);
        }
    }

    /// Ends the wait of a photo.
    pub(super) fn end(&mut self, relative: &Path) {
        let ended = self.photos.remove(relative);
        self.told -= usize::from(ended.is_some_and(|ended| ended.is_told));
    }

    /// Notes the subfolder that a listing could not read; returns whether that is new.
    pub(super) fn unreadable(&mut self, error: Option<&PathError>) -> bool {
        let told = error.map(|error| (error.path().to_owned(), error.io().to_string()));
        let is_new = told.is_some() && self.unreadable != told;
        self.unreadable = told;
        is_new
    }

    /// Resets everything: the folder is offline.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number of photos known to wait.
    pub(super) fn len(&self) -> usize {
        self.photos.len()
    }

    /// Returns the first few waiting photos and the number of all. `held` has the files that settling holds back.
    pub(super) fn waiting(
        &self,
        held: &BTreeMap<PathBuf, Held>,
        clock: &WallClock,
    ) -> (Vec<Waiting>, usize) {
        let unreadable = self.unreadable.iter().map(|(path, reason)| Waiting {
            path: percent::display(path),
            reason: format!("the subfolder cannot be listed: {reason}"),
            next: WaitingFor::Listing,
            until_ms: None,
        });
        let photos = self.photos.iter().map(|(path, photo)| Waiting {
            path: percent::display(path),
            reason: photo.reason.clone(),
            next: photo.next,
            until_ms: Some(clock.ms(photo.until)),
        });
        let held = held.iter();
        let held = held.filter(|(path, _)| !self.photos.contains_key(*path));
        let others = held.clone().map(|(path, held)| {
            let (reason, next, until) = match held {
                Held::EndsEarly { until } => (
                    "it ends early, so the rest of it is waited for",
                    WaitingFor::Rest,
                    Some(*until),
                ),
                Held::MayEndEarly { until } => (
                    "its last part may not be written yet (it has zeros or holes), so it is waited for",
                    WaitingFor::Doubt,
                    Some(*until),
                ),
                Held::Open => (
                    "a program has it open for writing",
                    WaitingFor::Writer,
                    None,
                ),
            };
            Waiting {
                path: percent::display(path),
                reason: reason.to_owned(),
                next,
                until_ms: until.map(|until| clock.ms(until)),
            }
        });
        let shown = unreadable.chain(photos).chain(others).take(SHOWN_MAX);
        let known = usize::from(self.unreadable.is_some()) + self.photos.len();
        (shown.collect(), known + held.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::path_error::AtPath as _;

    fn shown(blocked: &BlockedPhotos) -> Vec<Waiting> {
        blocked.waiting(&BTreeMap::new(), &WallClock::new()).0
    }

    /// P6, P10: fails when memory or the log grows with the number of photos in a read-only folder, when not all of them are
    /// counted, or when photos are never logged although others have ended their wait.
    #[test]
    fn of_very_many_blocked_photos_some_are_logged() {
        let mut blocked = BlockedPhotos::default();
        let note = |blocked: &mut BlockedPhotos, number: usize, reason: &str| {
            let name = PathBuf::from(format!("{number}.jpg"));
            blocked.note(&name, reason.to_owned(), Instant::now())
        };
        let told = (0..TOLD_MAX * 3).filter(|&number| note(&mut blocked, number, "read-only"));
        assert_eq!(told.count(), TOLD_MAX);
        let (waiting, count) = blocked.waiting(&BTreeMap::new(), &WallClock::new());
        assert_eq!((waiting.len(), count), (SHOWN_MAX, TOLD_MAX * 3));
        assert!(note(&mut blocked, 0, "no space"));
        assert!(!note(&mut blocked, TOLD_MAX, "no space"));
        blocked.end(Path::new("0.jpg"));
        assert!(note(&mut blocked, TOLD_MAX, "no space"));
        assert!(!note(&mut blocked, TOLD_MAX + 1, "no space"));
        for number in 0..CAPACITY * 2 {
            note(&mut blocked, number, "read-only");
        }
        assert_eq!(blocked.len(), CAPACITY);
    }

    /// P10: fails when a cause is reported twice, or when a cause that comes back is not reported again.
    #[test]
    fn a_cause_is_new_until_it_ends() {
        let photo = Path::new("a.jpg");
        let mut blocked = BlockedPhotos::default();
        let mut note = |reason: &str| blocked.note(photo, reason.to_owned(), Instant::now());
        assert!(note("read-only"));
        assert!(!note("read-only"));
        assert!(note("no space"));
        assert_eq!(shown(&blocked).len(), 1);
        blocked.end(photo);
        assert!(shown(&blocked).is_empty());
        assert!(blocked.note(photo, "read-only".to_owned(), Instant::now()));
        let closed = Err::<(), _>(rustix::io::Errno::ACCESS).at(Path::new("sub"));
        let closed = closed.unwrap_err();
        assert!(blocked.unreadable(Some(&closed)));
        assert!(!blocked.unreadable(Some(&closed)));
        assert!(shown(&blocked).iter().any(|one| one.path == "sub"));
        assert!(!blocked.unreadable(None));
        assert!(blocked.unreadable(Some(&closed)));
    }

    /// P10: fails when a waiting photo is not shown with what it waits for and until when, or when it is counted twice.
    #[test]
    fn what_holds_a_photo_is_shown_with_its_deadline() {
        let (now, clock) = (Instant::now(), WallClock::new());
        let later = now + std::time::Duration::from_mins(10);
        let mut blocked = BlockedPhotos::default();
        blocked.retry(Path::new("failed.jpg"), "it crashed".to_owned(), later);
        blocked.note(Path::new("both.jpg"), "no place".to_owned(), later);
        let held = BTreeMap::from([
            (PathBuf::from("both.jpg"), Held::Open),
            (PathBuf::from("half.jpg"), Held::EndsEarly { until: later }),
            (PathBuf::from("open.jpg"), Held::Open),
        ]);
        let (waiting, count) = blocked.waiting(&held, &clock);
        let told: Vec<_> = waiting
            .iter()
            .map(|one| (one.path.as_str(), one.next, one.until_ms))
            .collect();
        let until = Some(clock.ms(later));
        let expected = [
            ("both.jpg", WaitingFor::Cause, until),
            ("failed.jpg", WaitingFor::Attempt, until),
            ("half.jpg", WaitingFor::Rest, until),
            ("open.jpg", WaitingFor::Writer, None),
        ];
        assert_eq!((told, count), (expected.to_vec(), 4));
        blocked.begin(Path::new("failed.jpg"));
        blocked.begin(Path::new("both.jpg"));
        assert_eq!(blocked.len(), 1, "the cause is not known to be gone");
        let many = (0..100).map(|number| (PathBuf::from(format!("{number}.jpg")), Held::Open));
        let (waiting, count) = blocked.waiting(&many.collect(), &clock);
        assert_eq!((waiting.len(), count), (SHOWN_MAX, 101));
    }
}
