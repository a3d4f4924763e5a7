//! Reads the state of each folder from the state directory, or from the file that the daemon shares. Must not print.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::CommandError;
use crate::accounts::group_name;
use crate::config::{Config, Folder};
use crate::daemon::{LiveStatus, ReadStatus, SharedFailure, SharedStatus};
use crate::ledger::{Counts, LedgerError, is_in_use, open_existing};

/// The group that the unit gives the service.
const SERVICE: &str = "hotcut";

/// The state of the daemon and of each configured folder.
pub(super) struct KnownStatus {
    /// What the daemon wrote last, if it runs.
    pub(super) live: Option<LiveStatus>,
    /// Whether the daemon loop has turned recently.
    pub(super) is_alive: bool,
    pub(super) folders: Vec<(Counts, Vec<SharedFailure>, Arc<Folder>)>,
}

impl KnownStatus {
    /// Reads the state directory; without permission, reads the file that the daemon shares.
    pub(super) fn of(config: &Config) -> Result<Self, CommandError> {
        let path = match Self::of_state(config) {
            Err(CommandError::Ledger(LedgerError::Closed(path))) => path,
            known => return known,
        };
        match SharedStatus::read() {
            Ok(shared) if shared.status.state_dir == config.daemon.state_dir => {
                Ok(Self::shared(config, shared))
            }
            Err(error) if error.io().kind() == ErrorKind::PermissionDenied => {
                Err(closed(path, error.path()))
            }
            // The file belongs to another hotcut, or does not exist.
            Ok(_) | Err(_) => Err(LedgerError::Closed(path).into()),
        }
    }

    fn of_state(config: &Config) -> Result<Self, CommandError> {
        let state_dir = &config.daemon.state_dir;
        let mut ledger = open_existing(state_dir)?;
        let live = is_in_use(state_dir)?
            .then(|| LiveStatus::read(state_dir))
            .flatten();
        let mut folders = Vec::new();
        for folder in &config.folders {
            let (counts, quarantined) = match &mut ledger {
                Some(ledger) => (
                    ledger.counts(&folder.name)?,
                    ledger.quarantined(&folder.name)?,
                ),
                None => (Counts::default(), Vec::new()),
            };
            let failures = quarantined.into_iter().map(SharedFailure::from).collect();
            folders.push((counts, failures, Arc::clone(folder)));
        }
        Ok(Self {
            is_alive: live.is_some() && LiveStatus::is_fresh(state_dir),
            live,
            folders,
        })
    }

    fn shared(config: &Config, shared: ReadStatus) -> Self {
        let (is_alive, status) = (shared.is_fresh, shared.status);
        let folders = config.folders.iter().map(|folder| {
            let mut known = status.folders.iter();
            let known = known.find(|one| one.name == folder.name).cloned();
            let known = known.unwrap_or_default();
            (known.counts, known.failures, Arc::clone(folder))
        });
        Self {
            is_alive,
            folders: folders.collect(),
            live: is_alive.then_some(status.live),
        }
    }
}

/// The error for a state directory `path` that this user may not read, although a group may read `file`.
fn closed(path: PathBuf, file: &Path) -> CommandError {
    let folder = file.parent().unwrap_or(Path::new("/")).metadata();
    match folder.map(|data| group_name(data.gid())) {
        // Membership in the service's own group would grant more than reading.
        Ok(group) if group != SERVICE => CommandError::StatusClosed { path, group },
        Ok(_) | Err(_) => LedgerError::Closed(path).into(),
    }
}
