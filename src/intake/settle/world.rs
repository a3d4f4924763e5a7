//! Simulates a disk, what a scanner saw of it and what the ledger knows, step by step, and checks that files settle only when they
//! may.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::tests::{QUIET, found};
use super::*;

#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// The file gets new content, or only new times; the event may be lost.
    Write {
        file: usize,
        is_touch: bool,
        is_reported: bool,
    },
    Rename {
        from: usize,
        to: usize,
        is_reported: bool,
    },
    /// A program opens or closes the file for writing.
    Hold {
        file: usize,
        is_open: bool,
    },
    Remove {
        file: usize,
    },
    Wait {
        ms: u64,
    },
    List,
    /// The scanner looks at the files that are due; what it saw is reported later.
    Look,
    /// Ends the attempt at the file that was emitted first. Until then the ledger does not know the file.
    End(AttemptEnd),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum AttemptEnd {
    Done,
    Failed,
    EndsEarly,
}

#[derive(Clone, Copy)]
pub(super) struct File {
    stamp: Stamp,
    changed_at: Instant,
    /// Whether an event followed the last change.
    pub(super) is_reported: bool,
}

/// The key by which the ledger tells versions apart.
type Key = (String, u64, i64, u64);

fn key(name: &str, stamp: Stamp) -> Key {
    (name.to_owned(), stamp.len, stamp.mtime_ns, stamp.ino)
}

/// The files on disk, what the scanner saw of them, and what was emitted.
pub(super) struct World {
    pub(super) settle: Settle,
    now: Instant,
    files: BTreeMap<String, File>,
    pub(super) open: HashSet<String>,
    changes: i64,
    /// What the scanner thread saw and has not reported.
    seen: VecDeque<(String, Option<File>, Writer)>,
    /// The stamp with which each file was reported since it was last emitted, and since when it has been the same.
    same_since: HashMap<String, (Stamp, Instant)>,
    /// When each file was found to end early, and its stamp.
    held: HashMap<String, (Stamp, Instant)>,
    attempts: VecDeque<SettledFile>,
    emitted: HashSet<Key>,
    ledger: HashSet<Key>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            settle: Settle::new(QUIET),
            now: Instant::now(),
            files: BTreeMap::new(),
            open: HashSet::new(),
            changes: 0,
            seen: VecDeque::new(),
            same_since: HashMap::new(),
            held: HashMap::new(),
            attempts: VecDeque::new(),
            emitted: HashSet::new(),
            ledger: HashSet::new(),
        }
    }

    pub(super) fn act(&mut self, action: Action) {
        let name = |file: usize| format!("{file}.jpg");
        match action {
            Action::Write {
                file,
                is_touch,
                is_reported,
            } => {
                let old = self.files.get(&name(file)).map(|file| file.stamp);
                let base = old.unwrap_or(Stamp {
                    len: 100,
                    mtime_ns: 0,
                    ctime_ns: 0,
                    ino: 1,
                });
                let stamp = Stamp {
                    len: base.len + u64::from(!is_touch),
                    mtime_ns: self.changes + 1,
                    ..base
                };
                self.put(name(file), stamp, is_reported);
            }
            Action::Rename {
                from,
                to,
                is_reported,
            } => {
                if let Some(file) = self.files.remove(&name(from)) {
                    self.put(name(to), file.stamp, is_reported);
                }
            }
            Action::Hold { file, is_open } => {
                if is_open {
                    self.open.insert(name(file));
                } else {
                    self.open.remove(&name(file));
                }
            }
            Action::Remove { file } => drop(self.files.remove(&name(file))),
            Action::Wait { ms } => self.pass(Duration::from_millis(ms)),
            Action::List => {
                let names: Vec<String> = self.files.keys().cloned().collect();
                for name in names {
                    self.see(name, Writer::NotAsked);
                }
            }
            Action::Look => self.look(),
            Action::End(ending) => self.end(ending),
        }
    }

    /// Writes a file; every change gives it a new `ctime`.
    fn put(&mut self, name: String, stamp: Stamp, is_reported: bool) {
        self.changes += 1;
        let stamp = Stamp {
            ctime_ns: self.changes,
            ..stamp
        };
        if is_reported {
            self.sight(&name, self.now);
        }
        let file = File {
            stamp,
            changed_at: self.now,
            is_reported,
        };
        self.files.insert(name, file);
    }

    fn sight(&mut self, name: &str, when: Instant) {
        assert!(self.settle.sight(name.into(), when, Discovery::Event));
    }

    fn end(&mut self, ending: AttemptEnd) {
        let Some(file) = self.attempts.pop_front() else {
            return;
        };
        let name = file.relative().to_str().unwrap().to_owned();
        let key = key(&name, file.stamp());
        let is_last = file.patience_is_over() || self.ledger.contains(&key);
        match ending {
            AttemptEnd::EndsEarly if !is_last => {
                self.same_since
                    .insert(name.clone(), (file.stamp(), self.now));
                self.held.insert(name, (file.stamp(), self.now));
                self.settle.hold(file, self.now);
            }
            AttemptEnd::Failed if !is_last => self.sight(&name, self.now + Duration::from_secs(1)),
            AttemptEnd::Done | AttemptEnd::Failed | AttemptEnd::EndsEarly => {
                self.ledger.insert(key);
                self.sight(&name, self.now);
            }
        }
    }

    fn look(&mut self) {
        for relative in self.settle.due(self.now, 8) {
            let name = relative.to_str().unwrap().to_owned();
            let is_open = self.open.contains(&name);
            let writer = if is_open {
                Writer::Present
            } else {
                Writer::Absent
            };
            self.see(name, writer);
        }
    }

    fn see(&mut self, name: String, writer: Writer) {
        let file = self.files.get(&name).copied();
        self.seen.push_back((name, file, writer));
    }

    /// Reports what was seen and lets `time` pass, with a look at each file when it is due.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.report();
        while let Some(when) = self.settle.next_due().filter(|when| *when <= end) {
            self.now = self.now.max(when);
            self.look();
            self.report();
        }
        self.now = end;
    }

    fn report(&mut self) {
        while let Some((name, file, writer)) = self.seen.pop_front() {
            let is_done = file.is_some_and(|file| self.ledger.contains(&key(&name, file.stamp)));
            if is_done || file.is_none() {
                self.same_since.remove(&name);
            }
            if is_done {
                self.settle.forget(Path::new(&name), self.now);
                continue;
            }
            let stamp = file.map(|file| file.stamp);
            let is_other = |old: &(Stamp, Instant)| Some(old.0) != stamp;
            if self.held.get(&name).is_some_and(is_other) {
                self.held.remove(&name);
            }
            let before = self.same_since.get(&name).copied();
            let before = before.filter(|old| !is_other(old));
            if let (Some(stamp), None) = (stamp, before) {
                self.same_since.insert(name.clone(), (stamp, self.now));
            }
            let observation = found(&name, stamp, writer);
            if let Some(settled) = self.settle.observe(observation, self.now) {
                let file = file.expect("only what is there can settle");
                self.check(&name, &settled, file, before);
                assert_eq!(writer, Writer::Absent, "settled under a writer");
                self.same_since.remove(&name);
                self.held.remove(&name);
                self.emitted.insert(key(&name, file.stamp));
                self.attempts.push_back(settled);
            }
        }
    }

    /// `before` is since when the file had been the same, if it was and that state was not emitted already.
    fn check(
        &self,
        name: &str,
        settled: &SettledFile,
        file: File,
        before: Option<(Stamp, Instant)>,
    ) {
        assert_eq!(settled.stamp(), file.stamp);
        assert!(
            self.now - file.changed_at >= QUIET,
            "settled within its quiet time"
        );
        let (_, since) = before.expect("emitted after one observation, or twice");
        assert!(self.now - since >= QUIET, "emitted again without cause");
        let held_at = self.held.get(name).map(|(_, at)| *at);
        assert_eq!(settled.patience_is_over(), held_at.is_some());
        assert!(
            held_at.is_none_or(|at| self.now - at >= PATIENCE),
            "impatient"
        );
    }

    /// The existing files that were never emitted, of those that `matter`.
    pub(super) fn left(&self, matter: impl Fn(&File) -> bool) -> Vec<&String> {
        let left = self
            .files
            .iter()
            .filter(|(name, file)| matter(file) && !self.emitted.contains(&key(name, file.stamp)));
        left.map(|(name, _)| name).collect()
    }
}
