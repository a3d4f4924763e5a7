//! The messages to and from a scanner. Does nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::emptied::EmptyFolder;
use super::observation::Observation;
use super::walk::Listing;
use super::watch::WatchError;
use crate::fs::path_error::PathError;

/// A request to a scanner.
#[derive(Debug)]
pub enum ScanRequest {
    /// List the whole folder.
    List,
    /// Look at these paths below it; a directory is listed.
    Look(Vec<PathBuf>),
    /// List this subfolder again, which had just appeared.
    LookAgain(PathBuf),
    /// Make a new watch, then list.
    Rewatch,
    /// Remove these subfolders if they are empty.
    Remove(Vec<EmptyFolder>),
}

/// A report of a scanner.
#[derive(Debug)]
pub enum Report {
    /// The folder can be used: for the first time, again, or because another folder has its place. A listing follows.
    Online(Online),
    /// The folder cannot be used now.
    Offline(PathError),
    /// Paths, with or without a file there.
    Seen(Vec<Observation>),
    /// Files that the running listing of the whole folder has found.
    Met(Vec<Observation>),
    /// A listing is complete.
    Listed {
        /// How long it took.
        took: Duration,
        /// Its other results.
        listing: Listing,
    },
    /// Folders were asked to be removed.
    Removed {
        /// The removed folders.
        folders: Vec<PathBuf>,
        /// The first one that could not be removed.
        error: Option<PathError>,
    },
}

/// A hot folder that can be used.
#[derive(Debug)]
pub struct Online {
    /// The mount point that it lies under.
    pub mount_point: PathBuf,
    /// The mount points that its output folders lie under, as far as known; empty if they were reported already.
    pub output_mounts: Vec<Option<PathBuf>>,
    /// Why it is polled; `None` if it is watched.
    pub polled: Option<Polled>,
}

/// Why a folder is polled.
#[derive(Debug)]
pub enum Polled {
    /// Its file system does not report what others write.
    Deaf(&'static str),
    /// It cannot be watched.
    Unwatchable(WatchError),
}
