//! A folder's thread -> its handle, through which it is asked and seen to be at work. Touches no disk.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as thread_channel;

use tokio::sync::mpsc::Sender;

use super::FolderId;
use super::filter::FileFilter;
use super::report::{Report, ScanRequest};
use super::scan::ScanThread;
use super::watch::Sighting;
use crate::fs::disk::Pulse;
use crate::fs::root::Root;

/// The handle of a folder's thread. Dropping it ends the thread after what it is doing.
#[derive(Debug)]
pub struct Scanner {
    asks: thread_channel::Sender<ScanRequest>,
    signs: Arc<Signs>,
}

/// What the loop sees of a scanner that is at work, and the scanner of the loop.
#[derive(Debug, Default)]
pub(super) struct Signs {
    pub(super) pulse: Pulse,
    pub(super) is_at_output: AtomicBool,
    /// Set by the loop, taken by the scanner.
    pub(super) is_given_up: AtomicBool,
}

/// The disk that does not answer a scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilentDisk {
    /// That of the hot folder.
    Input,
    /// That of the output folder.
    Output,
}

/// What is done once, before a folder is served. Each part waits for its disk.
pub struct Preparation {
    /// The part in the output folder.
    pub output: PrepareOutput,
    /// The part in the hot folder.
    pub input: PrepareInput,
}

/// Makes an output folder ready, and returns the mount point that it lies under if that is known.
pub type PrepareOutput = Box<dyn FnOnce(&Pulse) -> Option<PathBuf> + Send>;

/// Clears a hot folder of what a crash has left.
pub type PrepareInput = Box<dyn FnOnce(&Root, &Pulse) + Send>;

/// What a scanner needs to know.
pub struct Assignment {
    /// Marks everything that it sends.
    pub id: FolderId,
    /// The hot folder.
    pub input: PathBuf,
    /// What it takes.
    pub filter: FileFilter,
    /// The mount point that the folder had when it was first used.
    pub mount_point: Option<PathBuf>,
    /// A folder that exists, watched along with the hot folder to prove that the watch lives.
    pub canary: PathBuf,
    /// Where reports go.
    pub reports: Sender<(FolderId, Report)>,
    /// Where events go.
    pub sightings: Sender<(FolderId, Sighting)>,
}

impl Scanner {
    /// Starts the thread of one folder.
    pub fn start(assignment: Assignment, preparation: Preparation) -> io::Result<Self> {
        let (asks, inbox) = thread_channel::channel();
        let name = format!("scanner-{}", assignment.id.0);
        let signs = Arc::new(Signs::default());
        let mut thread = ScanThread::new(assignment, preparation, Arc::clone(&signs));
        std::thread::Builder::new()
            .name(name)
            .spawn(move || thread.serve(&inbox))?;
        Ok(Self { asks, signs })
    }

    /// Asks without waiting; `false` if the thread has ended.
    #[must_use]
    pub fn ask(&self, ask: ScanRequest) -> bool {
        self.asks.send(ask).is_ok()
    }

    /// The disk that does not answer the scanner, if there is one. The scanner is then given up: once the disk answers, it tells of
    /// the folder as of a new one.
    pub fn silent_disk(&self) -> Option<SilentDisk> {
        if !self.signs.pulse.is_late() {
            return None;
        }
        self.signs.is_given_up.store(true, Ordering::Relaxed);
        Some(if self.signs.is_at_output.load(Ordering::Relaxed) {
            SilentDisk::Output
        } else {
            SilentDisk::Input
        })
    }
}

impl Signs {
    /// Tells whether the loop still has the handle; it is called by the thread, which has the other one.
    pub(super) fn is_wanted(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1
    }
}
