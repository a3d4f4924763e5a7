//! Converts kernel events of one hot folder to [`Sighting`]s; the only file that names `notify`. Decides nothing about files.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use notify::event::EventKindMask;
use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::Sender;

use super::FolderId;

/// A hint that something may have changed. Only a listing shows what is really there.
#[derive(Debug, PartialEq, Eq)]
pub enum Sighting {
    /// This path below the hot folder may have changed; empty for the folder itself.
    Path(PathBuf),
    /// The canary was seen: the watcher works.
    Canary,
    /// Events were lost.
    Lost,
}

/// A live watch. Dropping it ends the watch.
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
}

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The kernel's limit on watched folders.
    #[error(
        "the limit of inotify watches is reached; raise it: sysctl fs.inotify.max_user_watches=524288"
    )]
    WatchLimit,
    /// The kernel's limit on inotify instances.
    #[error(
        "the limit of inotify instances is reached; raise it: sysctl fs.inotify.max_user_instances=512"
    )]
    InstanceLimit,
    /// Anything else.
    #[error("cannot be watched: {0}")]
    Failed(#[source] notify::Error),
}

impl From<notify::Error> for WatchError {
    fn from(error: notify::Error) -> Self {
        let code = match &error.kind {
            ErrorKind::MaxFilesWatch => return Self::WatchLimit,
            ErrorKind::Io(source) => source.raw_os_error(),
            ErrorKind::Generic(_)
            | ErrorKind::PathNotFound
            | ErrorKind::WatchNotFound
            | ErrorKind::InvalidConfig(_) => None,
        };
        let is = |errno: rustix::io::Errno| code == Some(errno.raw_os_error());
        if is(rustix::io::Errno::MFILE) {
            Self::InstanceLimit
        } else if is(rustix::io::Errno::NOSPC) {
            Self::WatchLimit
        } else {
            Self::Failed(error)
        }
    }
}

impl Watch {
    /// Watches `root` and everything below it, and the folder `canary`, sending sightings marked `id`.
    ///
    /// The watcher's thread never waits. When the channel is full the sighting is dropped, and the receiver, which can see that the
    /// channel was full, must list the folder.
    pub fn start(
        id: FolderId,
        root: &Path,
        canary: &Path,
        sender: Sender<(FolderId, Sighting)>,
    ) -> Result<Self, WatchError> {
        let kinds = EventKindMask::CREATE
            | EventKindMask::REMOVE
            | EventKindMask::MODIFY_NAME
            | EventKindMask::ACCESS_CLOSE;
        let config = Config::default()
            .with_follow_symlinks(false)
            .with_event_kinds(kinds);
        let (base, canary_dir) = (root.to_owned(), canary.to_owned());
        let handler = move |event| {
            for sighting in sightings(event, &base, &canary_dir) {
                #[cfg(feature = "chaos")]
                if let Sighting::Path(path) = &sighting {
                    crate::chaos::obey_in_watch(path);
                }
                // Full or closed: see the doc above. At shutdown the sighting is not needed.
                drop(sender.try_send((id, sighting)));
            }
        };
        let mut watcher = RecommendedWatcher::new(handler, config)?;
        watcher.watch(canary, RecursiveMode::NonRecursive)?;
        watcher.watch(root, RecursiveMode::Recursive)?;
        Ok(Self {
            watcher: Some(watcher),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let watcher = self.watcher.take();
        // notify panics if its thread has already ended, and a dead watch is replaced by dropping it.
        drop(catch_unwind(AssertUnwindSafe(|| drop(watcher))));
    }
}

fn sightings(event: notify::Result<Event>, root: &Path, canary: &Path) -> Vec<Sighting> {
    let Ok(event) = event else {
        return vec![Sighting::Lost];
    };
    // An overflow has no paths, so it must be checked first.
    if event.need_rescan() {
        return vec![Sighting::Lost];
    }
    let below = |path: &PathBuf| {
        if path.starts_with(canary) {
            return Some(Sighting::Canary);
        }
        path.strip_prefix(root)
            .ok()
            .map(|path| Sighting::Path(path.to_owned()))
    };
    event.paths.iter().filter_map(below).collect()
}

/// Makes the canary's folder and writes into it, which causes an event that a working watcher must report.
pub fn stir_canary(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .open(dir.join("canary"))
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{EventKind, Flag};

    #[test]
    fn an_overflow_without_paths_is_lost() {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        let seen = sightings(Ok(event), Path::new("/hot"), Path::new("/state/canary"));
        assert_eq!(seen, [Sighting::Lost]);
    }

    #[test]
    fn paths_are_told_from_the_canary_and_from_strangers() {
        let event = Event::new(EventKind::Any)
            .add_path("/hot/sub/a.jpg".into())
            .add_path("/state/canary/canary".into())
            .add_path("/other".into());
        let seen = sightings(Ok(event), Path::new("/hot"), Path::new("/state/canary"));
        assert_eq!(seen, [Sighting::Path("sub/a.jpg".into()), Sighting::Canary]);
    }
}
