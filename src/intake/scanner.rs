//! The handle of a folder's thread: sends requests and shows its progress. Must not access the disk.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc as thread_channel;

use tokio::sync::mpsc::Sender;

use super::FolderId;
use super::filter::FileFilter;
use super::report::{Report, ScanRequest};
use super::scan::ScanThread;
use super::watch::Sighting;
use crate::fs::disk::Pulse;
use crate::fs::root::Root;

/// The handle of a folder's thread. Dropping it ends the thread after the current request.
#[derive(Debug)]
pub struct Scanner {
    asks: thread_channel::Sender<ScanRequest>,
    signs: Arc<Signs>,
}

/// The state that a scanner and the loop share.
#[derive(Debug, Default)]
pub(super) struct Signs {
    pub(super) pulse: Pulse,
    /// The number of the output folder that is being prepared, from 1; otherwise 0.
    pub(super) at_output: AtomicUsize,
    /// Set by the loop, cleared by the scanner.
    pub(super) is_given_up: AtomicBool,
}

/// The disk that does not answer a scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilentDisk {
    /// The disk of the hot folder.
    Input,
    /// The disk of an output folder, by its position in the configuration of the folder, from 0.
    Output(usize),
}

/// The work done once before a folder is served. Each part waits for its disk.
pub struct Preparation {
    /// The part in each output folder, in the order of the configuration.
    pub outputs: Vec<PrepareOutput>,
    /// The part in the hot folder.
    pub input: PrepareInput,
}

/// Makes an output folder ready; returns the mount point that it lies under, if known.
pub type PrepareOutput = Box<dyn FnOnce(&Pulse) -> Option<PathBuf> + Send>;

/// Removes from a hot folder what a crash has left.
pub type PrepareInput = Box<dyn FnOnce(&Root, &Pulse) + Send>;

/// The parameters of a scanner.
pub struct Assignment {
    /// Marks every message of the scanner.
    pub id: FolderId,
    /// The hot folder.
    pub input: PathBuf,
    /// Decides which files are taken.
    pub filter: FileFilter,
    /// The mount point that the folder had when it was first used.
    pub mount_point: Option<PathBuf>,
    /// An existing folder that is watched along with the hot folder, to check that the watch works.
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

    /// Sends a request without waiting; `false` if the thread has ended.
    #[must_use]
    pub fn ask(&self, ask: ScanRequest) -> bool {
        self.asks.send(ask).is_ok()
    }

    /// Returns the disk that does not answer the scanner, if there is one. The scanner is then marked as given up: once the disk
    /// answers, it reports the folder as if it were new.
    pub fn silent_disk(&self) -> Option<SilentDisk> {
        if !self.signs.pulse.is_late() {
            return None;
        }
        self.signs.is_given_up.store(true, Ordering::Relaxed);
        let at_output = self.signs.at_output.load(Ordering::Relaxed);
        let output = at_output.checked_sub(1);
        Some(output.map_or(SilentDisk::Input, SilentDisk::Output))
    }
}

impl Signs {
    /// Returns whether the loop still has the handle. Only the thread calls this; it holds one of the two references.
    pub(super) fn is_wanted(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1
    }
}
