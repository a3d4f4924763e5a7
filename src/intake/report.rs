//! What a scanner is asked, and what it tells. Does nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::emptied::EmptyFolder;
use super::observation::Observation;
use super::walk::Listing;
use super::watch::WatchError;
use crate::fs::path_error::PathError;

/// What a scanner is asked to do.
#[derive(Debug)]
pub enum ScanRequest {
    /// List the whole folder.
    List,
    /// Look at these paths below it; a directory is listed.
    Look(Vec<PathBuf>),
    /// List this folder below it, which was new a moment ago.
    LookAgain(PathBuf),
    /// Make a new watch, then list.
    Rewatch,
    /// Remove these folders below it, unless something lies in them.
    Remove(Vec<EmptyFolder>),
}

/// What a scanner tells.
#[derive(Debug)]
pub enum Report {
    /// The folder is there, for the first time or again or another one; a listing follows.
    Online(Online),
    /// The folder cannot be used now.
    Offline(PathError),
    /// Files, or places where there is none.
    Seen(Vec<Observation>),
    /// Files that the listing of the whole folder has met, which goes on.
    Met(Vec<Observation>),
    /// A listing is complete.
    Listed {
        /// How long it took.
        took: Duration,
        /// What it told besides.
        listing: Listing,
    },
    /// Folders that were to be removed.
    Removed {
        /// Those that are gone.
        folders: Vec<PathBuf>,
        /// The first one that could not be removed.
        error: Option<PathError>,
    },
}

/// A hot folder that is there.
#[derive(Debug)]
pub struct Online {
    /// The mount point that it lies under.
    pub mount_point: PathBuf,
    /// The mount point that its output folder lies under; `None` if that is told already, or not known.
    pub output_mount: Option<PathBuf>,
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
