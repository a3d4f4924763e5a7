//! Removes records older than `remember` whose photos are gone, in small steps while no photo is processed. Looks at the photos on
//! threads of their own, so that a disk that does not answer delays only its own folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::folder::HotFolder;
use super::state::State;
use super::{Daemon, FatalError, log};
use crate::blocking::unpanicked;
use crate::config::Folder;
use crate::fs::path_error::PathError;
use crate::fs::root::Root;
use crate::fs::stamp::Stamp;
use crate::ledger::{Forgotten, Ledger, LedgerError, OldCursor, OldVersion};

/// The most records in one step.
const STEP_ROWS: u32 = 500;

/// The time from the end of one walk through a folder's old records to the next walk, or `remember` if that is less.
const WALK_INTERVAL: Duration = Duration::from_hours(24);

/// The walk of each folder, by folder name.
#[derive(Debug, Default)]
pub(super) struct Forgetting {
    walks: BTreeMap<String, ForgetWalk>,
}

/// A walk through the old records of one folder.
#[derive(Debug, Default)]
struct ForgetWalk {
    cursor: OldCursor,
    /// The number of records removed so far.
    removed: usize,
    /// The current step; it does not end while its disk does not answer.
    step: Option<JoinHandle<Result<ForgetStep, LedgerError>>>,
    /// When the next walk begins; set when this one is over.
    next_at: Option<Instant>,
}

/// The result of a step.
#[derive(Debug)]
struct ForgetStep {
    removed: usize,
    /// Where the next step starts; `None` at the end of the walk.
    next: Option<OldCursor>,
}

impl Daemon {
    /// Advances each folder's walk by at most one step.
    pub(super) async fn forget(&mut self, now: Instant) -> Result<(), FatalError> {
        let remember = self.config.daemon.remember;
        let interval = remember.unwrap_or(WALK_INTERVAL).min(WALK_INTERVAL);
        for walk in self.forgetting.walks.values_mut() {
            walk.take_step(now, interval).await?;
        }
        let is_idle = self.jobs.is_empty()
            && self.running_requests.is_empty()
            && self.requests.is_empty()
            && self.drain_until.is_none();
        let Some(remember) = remember.filter(|_| is_idle) else {
            return Ok(());
        };
        for folder in self.folders.values().filter(|folder| is_readable(folder)) {
            let name = folder.config.name.clone();
            let walk = self.forgetting.walks.entry(name).or_default();
            if walk.may_go_on(now) {
                let step = step(
                    self.context.ledger.clone(),
                    Arc::clone(&folder.config),
                    before_ms(remember),
                    walk.cursor.clone(),
                );
                walk.step = Some(tokio::spawn(step));
            }
        }
        Ok(())
    }
}

impl ForgetWalk {
    fn may_go_on(&self, now: Instant) -> bool {
        self.step.is_none() && self.next_at.is_none_or(|at| now >= at)
    }

    /// Takes the result of the step, if it has ended.
    async fn take_step(&mut self, now: Instant, interval: Duration) -> Result<(), LedgerError> {
        let Some(step) = self.step.take_if(|step| step.is_finished()) else {
            return Ok(());
        };
        let ForgetStep { removed, next } = unpanicked(step.await)?;
        self.removed += removed;
        self.next_at = next.is_none().then(|| now + interval);
        if next.is_none() && self.removed > 0 {
            log::forgotten(std::mem::take(&mut self.removed));
        }
        self.cursor = next.unwrap_or_default();
        Ok(())
    }
}

/// Returns whether the folder's disks answered lately and its absence would be noticed.
fn is_readable(folder: &HotFolder) -> bool {
    matches!(folder.state, State::Online | State::Polling)
}

/// The time before which a record is old, in milliseconds since the epoch.
fn before_ms(remember: Duration) -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let before = since_epoch.unwrap_or_default().saturating_sub(remember);
    i64::try_from(before.as_millis()).unwrap_or(i64::MAX)
}

async fn step(
    ledger: Ledger,
    folder: Arc<Folder>,
    before_ms: i64,
    cursor: OldCursor,
) -> Result<ForgetStep, LedgerError> {
    let (name, input) = (folder.name.clone(), folder.input.clone());
    let old = ledger.call(move |ledger| {
        let (old, next) = ledger.old_versions(&name, before_ms, &cursor, STEP_ROWS)?;
        Ok((old, next, ledger.mount_of(&input)?))
    });
    let (old, next, mount_point) = old.await?;
    let looks = tokio::task::spawn_blocking(move || gone(&folder.input, mount_point, old));
    let forgotten = unpanicked(looks.await);
    let removed = if forgotten.is_empty() {
        0
    } else {
        ledger.call(move |ledger| ledger.forget(&forgotten)).await?
    };
    Ok(ForgetStep { removed, next })
}

/// Picks the versions whose source is certainly gone. If the folder cannot be read, picks only those that hotcut itself moved or
/// deleted.
fn gone(input: &Path, mount_point: Option<PathBuf>, old: Vec<OldVersion>) -> Vec<Forgotten> {
    let root = mount_point.and_then(|mount| Root::open(input, Some(&mount)).ok());
    let picked = old.into_iter().filter_map(|old| {
        let is_path_free = if old.is_retired {
            true
        } else {
            let path = &old.version.source;
            match root.as_ref()?.open_below(path, OFlags::PATH) {
                Err(error) if is_missing(&error) => true,
                Err(_) => return None,
                Ok(file) => {
                    let found = Stamp::of(&rustix::fs::fstat(&file).ok()?);
                    if found.same_version(&old.version.stamp) {
                        return None;
                    }
                    false
                }
            }
        };
        Some(Forgotten { old, is_path_free })
    });
    picked.collect()
}

fn is_missing(error: &PathError) -> bool {
    let code = error.io().raw_os_error();
    [Errno::NOENT, Errno::NOTDIR]
        .iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Arrival, AttemptResult, Version, in_memory};

    /// Makes a ledger in which each of `sources` is done, and returns its old versions.
    fn done(input: &Path, sources: &[&str]) -> Vec<OldVersion> {
        let mut ledger = in_memory().unwrap();
        for source in sources {
            let file = std::fs::File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(input.join(source))
                .unwrap();
            let version = Version {
                folder: "products".into(),
                source: source.into(),
                stamp: Stamp::of(&rustix::fs::fstat(&file).unwrap()),
            };
            let arrival = Arrival::ago(Duration::ZERO, Duration::ZERO);
            let begun = ledger.begin(&version, arrival, "luma", &[]);
            let begun = begun.unwrap().expect("nobody is at work on it");
            ledger.end(begun.hold, &AttemptResult::Done).unwrap();
        }
        let cursor = OldCursor::default();
        ledger
            .old_versions("products", i64::MAX, &cursor, 99)
            .unwrap()
            .0
    }

    /// P1, P2: fails when a photo counts as gone that exists or cannot be looked at: it would be cut out again.
    #[test]
    fn only_a_photo_that_is_gone_for_certain_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let old = done(dir.path(), &["kept.jpg", "taken.jpg", "replaced.jpg"]);
        std::fs::remove_file(dir.path().join("taken.jpg")).unwrap();
        let replaced = std::fs::File::options()
            .write(true)
            .open(dir.path().join("replaced.jpg"));
        replaced.unwrap().set_len(9).unwrap();
        let picked = |mount: Option<&str>| {
            let picked = gone(dir.path(), mount.map(PathBuf::from), old.clone());
            let names = picked.iter().map(|forgotten| {
                let source = forgotten.old.version.source.display();
                (source.to_string(), forgotten.is_path_free)
            });
            names.collect::<Vec<_>>()
        };
        let expected = [
            ("taken.jpg".to_owned(), true),
            ("replaced.jpg".to_owned(), false),
        ];
        assert_eq!(picked(Some("/")), expected);
        assert_eq!(picked(Some("/mnt/away")), [], "its disk is not mounted");
        assert_eq!(picked(None), [], "nobody knows which disk it is");
        std::fs::remove_dir_all(dir.path()).unwrap();
        assert_eq!(picked(Some("/")), [], "the folder is missing");
    }
}
