//! A hot folder -> what lies in it now; start-up, lost events and the periodic rescan are this one path.
//!
//! Each folder has its own thread, the scout, so that a dead network mount holds up no other folder. The scout judges
//! nothing: it knows neither what is settled nor what is done.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self as thread_channel, RecvTimeoutError};
use std::time::Duration;

use rustix::fs::{FileType, OFlags};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use super::filter::Filter;
use super::observation::{Found, Observation, Writer};
use super::root::{Root, RootId};
use super::second_look::SecondLook;
use super::source::is_gone;
use super::walk::Walk;
use super::watch::{Sighting, Watch, WatchError};
use super::{FolderId, lease};
use crate::mount;
use crate::path_error::PathError;
use crate::stamp::Stamp;

/// What a scout is asked to do.
#[derive(Debug)]
pub enum Ask {
    /// List the whole folder.
    List,
    /// Look at these paths below it; a directory is listed.
    Look(Vec<PathBuf>),
    /// List this folder below it, which was new a moment ago.
    LookAgain(PathBuf),
    /// Make a new watch, then list.
    Rewatch,
}

/// What a scout tells.
#[derive(Debug)]
pub enum Report {
    /// The folder is there, for the first time or again or another one; a listing follows.
    Online {
        /// The mount point that it lies under.
        mount_point: PathBuf,
        /// Why it is polled; `None` if it is watched.
        polled: Option<Polled>,
    },
    /// The folder cannot be used now.
    Offline(PathError),
    /// Files, or places where there is none.
    Seen(Vec<Observation>),
    /// A listing is complete.
    Listed {
        /// How long it took.
        took: Duration,
        /// The first subfolder that could not be read.
        unreadable: Option<PathError>,
    },
}

/// Why a folder is polled.
#[derive(Debug)]
pub enum Polled {
    /// Its file system does not report what others write.
    Deaf(&'static str),
    /// It cannot be watched.
    Unwatchable(WatchError),
}

/// The handle of a folder's thread. Dropping it ends the thread after what it is doing.
#[derive(Debug)]
pub struct Scout {
    asks: thread_channel::Sender<Ask>,
}

/// What a scout needs to know.
pub struct Assignment {
    /// Marks everything that it sends.
    pub id: FolderId,
    /// The hot folder.
    pub input: PathBuf,
    /// What it takes.
    pub filter: Filter,
    /// The mount point that the folder had when it was first used.
    pub mount_point: Option<PathBuf>,
    /// A folder that exists, watched along with the hot folder to prove that the watch lives.
    pub canary: PathBuf,
    /// Where reports go.
    pub reports: Sender<(FolderId, Report)>,
    /// Where events go.
    pub sightings: Sender<(FolderId, Sighting)>,
}

impl Scout {
    /// Starts the thread of one folder.
    pub fn start(assignment: Assignment) -> io::Result<Self> {
        let (asks, inbox) = thread_channel::channel();
        let name = format!("scout-{}", assignment.id.0);
        std::thread::Builder::new().name(name).spawn(move || {
            let mut patrol = Patrol {
                assignment,
                known: None,
                watch: None,
                second_look: SecondLook::default(),
            };
            while let Some(ask) = patrol.next(&inbox) {
                if patrol.carry_out(ask).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { asks })
    }

    /// Asks without waiting; `false` if the thread has ended.
    #[must_use]
    pub fn ask(&self, ask: Ask) -> bool {
        self.asks.send(ask).is_ok()
    }
}

/// The loop is gone; nobody listens.
struct Unheard;

struct Patrol {
    assignment: Assignment,
    known: Option<RootId>,
    watch: Option<Watch>,
    second_look: SecondLook,
}

impl Patrol {
    /// Waits for what to do next; `None` once nobody asks any more.
    fn next(&mut self, inbox: &thread_channel::Receiver<Ask>) -> Option<Ask> {
        loop {
            if let Some(folder) = self.second_look.take(Instant::now()) {
                return Some(Ask::LookAgain(folder));
            }
            let Some(due) = self.second_look.next() else {
                return inbox.recv().ok();
            };
            match inbox.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(ask) => return Some(ask),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn carry_out(&mut self, ask: Ask) -> Result<(), Unheard> {
        if matches!(ask, Ask::Rewatch) {
            self.known = None;
        }
        let root = match Root::open(
            &self.assignment.input,
            self.assignment.mount_point.as_deref(),
        ) {
            Ok(root) => root,
            Err(error) => {
                self.known = None;
                self.watch = None;
                return self.send(Report::Offline(error));
            }
        };
        let is_known = self.known == Some(root.id());
        if !is_known {
            self.known = Some(root.id());
            self.greet(&root)?;
        }
        if !(is_known && matches!(ask, Ask::Look(_) | Ask::LookAgain(_))) {
            self.list(&root, Path::new(""), true)?;
        }
        match ask {
            Ask::Look(paths) => self.look(&root, paths),
            Ask::LookAgain(folder) => self.list(&root, &folder, false),
            Ask::List | Ask::Rewatch => Ok(()),
        }
    }

    /// Watches the folder before it is listed, so that nothing falls between.
    fn greet(&mut self, root: &Root) -> Result<(), Unheard> {
        self.watch = None;
        let Assignment {
            id,
            input,
            canary,
            sightings,
            ..
        } = &self.assignment;
        let polled = match mount::deaf_kind(input) {
            Ok(Some(kind)) => Some(Polled::Deaf(kind)),
            Ok(None) | Err(_) => match Watch::start(*id, input, canary, sightings.clone()) {
                Ok(watch) => {
                    self.watch = Some(watch);
                    None
                }
                Err(error) => Some(Polled::Unwatchable(error)),
            },
        };
        let mount_point = root.mount_point().to_owned();
        // A mount that appears on top of the folder later is noticed, one that goes away again is missed from now on.
        self.assignment.mount_point = Some(mount_point.clone());
        self.send(Report::Online {
            mount_point,
            polled,
        })
    }

    fn look(&mut self, root: &Root, paths: Vec<PathBuf>) -> Result<(), Unheard> {
        let mut seen = Vec::with_capacity(paths.len());
        for relative in paths {
            let (found, writer, is_directory) = self.inspect(root, &relative);
            seen.push(Observation {
                relative: relative.clone(),
                found,
                writer,
            });
            if is_directory && self.assignment.filter.enters(&relative) {
                self.list(root, &relative, false)?;
                self.second_look.note(relative, Instant::now());
            }
        }
        self.send(Report::Seen(seen))
    }

    fn inspect(&self, root: &Root, relative: &Path) -> (Found, Writer, bool) {
        // O_PATH first: opening a device or a FIFO can have effects.
        let file = match root.open_below(relative, OFlags::PATH) {
            Ok(file) => file,
            Err(error) if is_gone(&error) => return (Found::Nothing, Writer::Absent, false),
            Err(_) => return (Found::Unknown, Writer::Absent, false),
        };
        let Ok(stat) = rustix::fs::fstat(&file) else {
            return (Found::Unknown, Writer::Absent, false);
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => (Found::Nothing, Writer::Absent, true),
            FileType::RegularFile if self.assignment.filter.takes(relative) => {
                let writer = lease::writer_at(root, relative);
                (Found::File(Stamp::of(&stat)), writer, false)
            }
            FileType::RegularFile
            | FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => (Found::Nothing, Writer::Absent, false),
        }
    }

    fn list(&self, root: &Root, top: &Path, is_whole: bool) -> Result<(), Unheard> {
        let started = Instant::now();
        let walk = Walk {
            root,
            filter: &self.assignment.filter,
        };
        let unreadable = walk.below(top, &mut |seen| self.send(Report::Seen(seen)))?;
        if !is_whole {
            return Ok(());
        }
        let took = started.elapsed();
        self.send(Report::Listed { took, unreadable })
    }

    fn send(&self, report: Report) -> Result<(), Unheard> {
        let marked = (self.assignment.id, report);
        self.assignment
            .reports
            .blocking_send(marked)
            .map_err(|_| Unheard)
    }
}

#[cfg(test)]
mod tests;
