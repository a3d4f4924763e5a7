//! Writes what `hotcut status` shows to a file for users who may not read the state directory. The daemon must never read it back.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::status_file::BEAT;
use super::{Daemon, FatalError, LiveStatus};
use crate::fs::path_error::{AtPath as _, PathError};
use crate::ledger::{Counts, Quarantined};
use crate::percent;

/// The variable that the systemd unit sets: a folder in `/run` that a group may read.
const VARIABLE: &str = "RUNTIME_DIRECTORY";

/// The folder that the unit uses.
const FOLDER: &str = "/run/hotcut";

/// The name of the file in that folder.
const NAME: &str = "status.json";

/// The owner may write, the group may read.
const MODE: u32 = 0o640;

/// The most photos needing attention that the file names; their number is always given.
const FAILURES_MAX: u32 = 100;

/// The least time between two writes.
const INTERVAL: Duration = Duration::from_secs(1);

/// The status that a running daemon shares.
#[derive(Debug, Serialize, Deserialize)]
pub struct SharedStatus {
    /// The state directory, which identifies the daemon.
    pub state_dir: PathBuf,
    /// What only the running daemon knows.
    pub live: LiveStatus,
    /// What its ledger knows, one entry per folder.
    pub folders: Vec<SharedFolder>,
}

/// What the ledger knows of one folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SharedFolder {
    /// Its name.
    pub name: String,
    /// The number of photos in each state.
    pub counts: Counts,
    /// The newest photos that failed for good, sorted by path.
    pub failures: Vec<SharedFailure>,
}

/// A photo that failed for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SharedFailure {
    /// Its path below the hot folder, for display.
    pub path: String,
    /// The reason, for a person.
    pub reason: String,
    /// The number of workers that it was given to.
    pub attempts: u32,
}

impl From<Quarantined> for SharedFailure {
    fn from(photo: Quarantined) -> Self {
        Self {
            path: percent::display(&photo.source),
            reason: photo.reason,
            attempts: photo.attempts,
        }
    }
}

/// A shared status, and whether its daemon still runs.
#[derive(Debug)]
pub struct ReadStatus {
    /// The status.
    pub status: SharedStatus,
    /// Whether the file was written recently.
    pub is_fresh: bool,
}

impl SharedStatus {
    /// Reads the last status that a daemon on this machine has shared.
    pub fn read() -> Result<ReadStatus, PathError> {
        let own = PathBuf::from(FOLDER).join(NAME);
        // The variable may belong to the calling program, if systemd started that too.
        let is_away = |file: &PathBuf| {
            std::fs::metadata(file).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        let file = file().filter(|file| !is_away(file)).unwrap_or(own);
        let bytes = std::fs::read(&file).at(&file)?;
        let written = std::fs::metadata(&file).and_then(|data| data.modified());
        let written = written.at(&file)?;
        Ok(ReadStatus {
            status: serde_json::from_slice(&bytes)
                .map_err(io::Error::from)
                .at(&file)?,
            is_fresh: written.elapsed().map_or(true, |age| age < 3 * BEAT),
        })
    }
}

/// The status file in the folder that systemd names, if it names one.
fn file() -> Option<PathBuf> {
    let folders = std::env::var_os(VARIABLE)?;
    let mut folders = folders.as_encoded_bytes().split(|byte| *byte == b':');
    let first = folders.next().filter(|folder| !folder.is_empty())?;
    let first = std::str::from_utf8(first).ok()?;
    Some(PathBuf::from(OsStr::new(first)).join(NAME))
}

/// The file that the daemon writes.
#[derive(Debug)]
pub(super) struct SharedStatusFile {
    file: Option<PathBuf>,
    written: Option<Instant>,
    has_failed: bool,
}

impl SharedStatusFile {
    pub(super) fn new() -> Self {
        Self {
            file: file(),
            written: None,
            has_failed: false,
        }
    }

    /// Removes the file: the daemon ends.
    pub(super) fn remove(&self) {
        if let Some(file) = &self.file {
            drop(std::fs::remove_file(file));
        }
    }

    fn write(&mut self, status: &SharedStatus) {
        let Some(file) = &self.file else {
            return;
        };
        let json = serde_json::to_vec(status).map_err(io::Error::from);
        let written = json.at(file).and_then(|json| {
            let mut temp = file.as_os_str().to_owned();
            temp.push(".tmp");
            // The mode is set before the file has its name, so that no reader gets more rights in between.
            drop(std::fs::remove_file(&temp));
            let mut options = File::options();
            let opened = options.write(true).create_new(true).mode(MODE).open(&temp);
            opened.and_then(|mut out| out.write_all(&json)).at(file)?;
            rustix::fs::rename(&temp, file).at(file)
        });
        if let Err(error) = &written
            && !self.has_failed
        {
            tracing::warn!(%error, "the status for other users cannot be written; `sudo systemd-tmpfiles --create` makes its folder, and `sudo systemctl restart hotcut` lets hotcut write there");
        }
        self.has_failed = written.is_err();
    }
}

impl Daemon {
    /// Writes the shared status, if something is new and the interval is over.
    pub(super) async fn share_status(&mut self) -> Result<(), FatalError> {
        let Some((changed, live)) = self.status_file.written() else {
            return Ok(());
        };
        let (now, last) = (Instant::now(), self.shared_status_file.written);
        let is_new = last.is_none_or(|last| changed > last && now >= last + INTERVAL);
        if self.shared_status_file.file.is_none() || !is_new {
            return Ok(());
        }
        let live = live.clone();
        let names: Vec<String> = live.folders.iter().map(|one| one.name.clone()).collect();
        let folders = self.context.ledger.call(move |ledger| {
            let mut folders = Vec::new();
            for name in names {
                let counts = ledger.counts(&name)?;
                let failures = ledger.newest_quarantined(&name, FAILURES_MAX)?;
                let failures = failures.into_iter().map(SharedFailure::from);
                let mut failures: Vec<_> = failures.collect();
                failures.sort_by(|one, two| one.path.cmp(&two.path));
                folders.push(SharedFolder {
                    name,
                    counts,
                    failures,
                });
            }
            Ok(folders)
        });
        let status = SharedStatus {
            state_dir: self.config.daemon.state_dir.clone(),
            live,
            folders: folders.await?,
        };
        self.shared_status_file.write(&status);
        self.shared_status_file.written = Some(now);
        Ok(())
    }
}
