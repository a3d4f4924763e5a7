//! Converts sightings, observations and `now` to [`SettledFile`]s. Pure: no clock, no disk, no thread.

mod file;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

pub use file::{Discovery, SettledFile};

use super::observation::{Found, Observation, Writer};
use crate::fs::stamp::Stamp;

/// How long a file that ends early is held before it is given up.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// The most files that may settle at a time in one folder; a later listing finds the others again.
pub const CAPACITY: usize = 10_000;

/// Why an unchanging file is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It ends early; the rest of it is awaited.
    EndsEarly {
        /// When it is given up.
        until: Instant,
    },
    /// Its last part may not be written yet.
    MayEndEarly {
        /// When it is taken as it is.
        until: Instant,
    },
    /// A program has it open for writing.
    Open,
}

/// The files of one folder that are not yet known to be complete.
#[derive(Debug)]
pub struct Settle {
    quiet: Duration,
    files: HashMap<PathBuf, Settling>,
    /// When to look at which file. An entry whose time differs from the file's `look_at` is stale. Of the files due at the same
    /// time, the one that arrived first comes first.
    queue: BinaryHeap<Reverse<(Instant, i64, PathBuf)>>,
    held: BTreeMap<PathBuf, Held>,
}

#[derive(Debug)]
struct Settling {
    seen: Option<Seen>,
    look_at: Option<Instant>,
    /// Whether the file was sighted since the last look began. If so, reports until the next look may be out of date.
    sighted_since_look: bool,
    not_before: Instant,
    ends_early_since: Option<Instant>,
    discovery: Discovery,
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    since: Instant,
}

impl Settle {
    /// Starts with no files. A file is settled after `quiet` without change.
    pub fn new(quiet: Duration) -> Self {
        Self {
            quiet,
            files: HashMap::new(),
            queue: BinaryHeap::new(),
            held: BTreeMap::new(),
        }
    }

    /// Notes that `relative` must be looked at, not before `when`, and what led to it. Returns false if the table is full.
    pub fn sight(&mut self, relative: PathBuf, when: Instant, discovery: Discovery) -> bool {
        if let Some(file) = self.files.get_mut(&relative) {
            file.sighted_since_look |= discovery != Discovery::Listing;
            return true;
        }
        if self.files.len() >= CAPACITY {
            return false;
        }
        let settling = Settling {
            seen: None,
            look_at: Some(when),
            sighted_since_look: discovery != Discovery::Listing,
            not_before: when,
            ends_early_since: None,
            discovery,
        };
        self.files.insert(relative.clone(), settling);
        self.queue.push(Reverse((when, i64::MAX, relative)));
        true
    }

    /// Takes back a file whose content ends early. It settles again when it has changed, or when patience is over.
    pub fn hold(&mut self, file: SettledFile, now: Instant) {
        let until = now + PATIENCE;
        self.hold_as(file, Held::EndsEarly { until }, now);
    }

    /// As [`Self::hold`], for a file whose content may end early.
    pub fn doubt(&mut self, file: SettledFile, now: Instant) {
        let until = now + PATIENCE;
        self.hold_as(file, Held::MayEndEarly { until }, now);
    }

    fn hold_as(&mut self, file: SettledFile, held: Held, now: Instant) {
        let look_at = now + self.quiet.max(Duration::from_secs(1));
        let settling = Settling {
            seen: Some(Seen {
                stamp: file.stamp,
                since: now,
            }),
            look_at: Some(look_at),
            // Events of the file were ignored during its attempt.
            sighted_since_look: true,
            not_before: now,
            ends_early_since: Some(now),
            discovery: Discovery::Again,
        };
        self.held.insert(file.relative.clone(), held);
        let age = file.stamp.ctime_ns;
        self.queue
            .push(Reverse((look_at, age, file.relative.clone())));
        self.files.insert(file.relative, settling);
    }

    /// Takes the result of a listing or a look; returns the file if it is settled now.
    pub fn observe(&mut self, observation: Observation, now: Instant) -> Option<SettledFile> {
        let Observation {
            relative,
            found,
            writer,
        } = observation;
        // An empty file is a placeholder. Filling it causes an event or shows in the next listing.
        let stamp = match found {
            Found::File(stamp) if stamp.len > 0 => stamp,
            Found::File(_) | Found::Nothing | Found::Unknown => {
                self.forget(&relative, now);
                return None;
            }
        };
        if !self.sight(relative.clone(), now, Discovery::Listing) {
            return None;
        }
        let file = self.files.get_mut(&relative)?;
        let same = file.seen.as_ref().filter(|seen| seen.stamp == stamp);
        let Some(since) = same.map(|seen| seen.since) else {
            file.ends_early_since = None;
            file.seen = Some(Seen { stamp, since: now });
            self.held.remove(&relative);
            self.look(relative, now + self.quiet);
            return None;
        };
        let ready_at = match file.ends_early_since {
            Some(since) => since + PATIENCE,
            None => (since + self.quiet).max(file.not_before),
        };
        if now < ready_at {
            let next = match file.ends_early_since {
                Some(_) => ready_at.min(now + self.quiet.max(Duration::from_secs(1))),
                None => ready_at,
            };
            self.look(relative, next);
            return None;
        }
        match writer {
            Writer::Absent => {
                self.held.remove(&relative);
                let file = self.files.remove(&relative)?;
                Some(SettledFile {
                    relative,
                    stamp,
                    patience_is_over: file.ends_early_since.is_some(),
                    seen_at: since,
                    settled_at: now,
                    discovery: file.discovery,
                })
            }
            Writer::Present => {
                self.held.insert(relative.clone(), Held::Open);
                self.look(relative, now + self.quiet);
                None
            }
            Writer::NotAsked => {
                self.look(relative, now);
                None
            }
        }
    }

    /// Drops a file that is gone or known to be finished. A file that was sighted meanwhile is looked at once more.
    pub fn forget(&mut self, relative: &Path, now: Instant) {
        self.held.remove(relative);
        match self.files.get(relative) {
            Some(file) if file.sighted_since_look && file.look_at.is_none() => {
                self.look(relative.to_owned(), now);
            }
            Some(file) if file.sighted_since_look => {}
            Some(_) | None => drop(self.files.remove(relative)),
        }
    }

    /// Drops everything; the next listing starts over.
    pub fn clear(&mut self) {
        self.files.clear();
        self.queue.clear();
        self.held.clear();
    }

    /// Returns at most `count` files that are due by `now`, and expects an observation of each.
    pub fn due(&mut self, now: Instant, count: usize) -> Vec<PathBuf> {
        let mut due = Vec::new();
        while due.len() < count && self.next_due().is_some_and(|when| when <= now) {
            if let Some(Reverse((_, _, relative))) = self.queue.pop() {
                if let Some(file) = self.files.get_mut(&relative) {
                    file.look_at = None;
                    file.sighted_since_look = false;
                }
                due.push(relative);
            }
        }
        due
    }

    /// When the next file is due.
    pub fn next_due(&mut self) -> Option<Instant> {
        while let Some(Reverse((when, _, relative))) = self.queue.peek() {
            let when = *when;
            let current = self.files.get(relative).and_then(|file| file.look_at);
            if current == Some(when) {
                return Some(when);
            }
            self.queue.pop();
        }
        None
    }

    /// The number of files that are settling.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns whether `relative` is settling.
    pub fn has(&self, relative: &Path) -> bool {
        self.files.contains_key(relative)
    }

    /// The unchanging files that are held back.
    pub fn held(&self) -> &BTreeMap<PathBuf, Held> {
        &self.held
    }

    /// The arrival time of the oldest file, by its stamp, in nanoseconds since the epoch.
    pub fn oldest_ns(&self) -> Option<i64> {
        let seen = self.files.values().filter_map(|file| file.seen.as_ref());
        seen.map(|seen| seen.stamp.ctime_ns).min()
    }

    /// Returns whether no file is settling.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn look(&mut self, relative: PathBuf, when: Instant) {
        if let Some(file) = self.files.get_mut(&relative)
            && file.look_at != Some(when)
        {
            file.look_at = Some(when);
            let age = file
                .seen
                .as_ref()
                .map_or(i64::MAX, |seen| seen.stamp.ctime_ns);
            self.queue.push(Reverse((when, age, relative)));
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod timelines;

#[cfg(test)]
mod world;
