//! Converts what `hotcut status` shows to a file for people who may not read the state directory. Must never be read back by the
//! daemon.

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

/// Set by the unit: a folder in `/run` that a group may read.
const VARIABLE: &str = "RUNTIME_DIRECTORY";

/// Where the unit has that folder.
const FOLDER: &str = "/run/hotcut";

/// The file in it.
const NAME: &str = "status.json";

/// For its owner to write, and for its group to read.
const MODE: u32 = 0o640;

/// Photos that need attention which the file names; their number is told in any case.
const FAILURES_MAX: u32 = 100;

/// The time between two writings.
const INTERVAL: Duration = Duration::from_secs(1);

/// What one running daemon shares.
#[derive(Debug, Serialize, Deserialize)]
pub struct SharedStatus {
    /// Tells one daemon from another.
    pub state_dir: PathBuf,
    /// What only the running daemon knows.
    pub live: LiveStatus,
    /// What its ledger knows, an entry a folder.
    pub folders: Vec<SharedFolder>,
}

/// What the ledger knows of one folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SharedFolder {
    /// Its name.
    pub name: String,
    /// How many photos stand how.
    pub counts: Counts,
    /// The newest of the photos that cannot succeed, in the order of their paths.
    pub failures: Vec<SharedFailure>,
}

/// A photo that cannot succeed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SharedFailure {
    /// Its path below the hot folder, as it is shown.
    pub path: String,
    /// Why, for a person.
    pub reason: String,
    /// Workers that it was given to.
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

/// A shared status, and whether it is of a daemon that runs.
#[derive(Debug)]
pub struct ReadStatus {
    /// What it says.
    pub status: SharedStatus,
    /// Whether it was written lately.
    pub is_fresh: bool,
}

impl SharedStatus {
    /// Reads what a daemon on this machine has shared last.
    pub fn read() -> Result<ReadStatus, PathError> {
        let own = PathBuf::from(FOLDER).join(NAME);
        // Systemd may have set the variable for the program that asks.
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

/// The file in the folder that systemd names, if it names one.
fn file() -> Option<PathBuf> {
    let folders = std::env::var_os(VARIABLE)?;
    let mut folders = folders.as_encoded_bytes().split(|byte| *byte == b':');
    let first = folders.next().filter(|folder| !folder.is_empty())?;
    let first = std::str::from_utf8(first).ok()?;
    Some(PathBuf::from(OsStr::new(first)).join(NAME))
}

/// The file that a daemon writes.
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
            // Its mode is set before it has its name: no reader gets more rights in between.
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
    /// Writes what there is to tell other users, if something is new and it is time to.
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
