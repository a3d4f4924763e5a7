//! Converts the state directory, or the file that the daemon shares, to what is known of each folder. Must not print.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::CommandError;
use crate::accounts::group_name;
use crate::config::{Config, Folder};
use crate::daemon::{LiveStatus, ReadStatus, SharedFailure, SharedStatus};
use crate::ledger::{Counts, LedgerError, SqliteLedger, is_in_use};

/// The group that the unit gives the service.
const SERVICE: &str = "hotcut";

/// What is known of the daemon and of each folder of the configuration.
pub(super) struct KnownStatus {
    /// What the daemon wrote last, if it runs.
    pub(super) live: Option<LiveStatus>,
    /// Whether its loop has turned lately.
    pub(super) is_alive: bool,
    pub(super) folders: Vec<(Counts, Vec<SharedFailure>, Arc<Folder>)>,
}

impl KnownStatus {
    /// Reads the state directory; one who may not reads what the daemon shares.
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
            // That of another hotcut, or none.
            Ok(_) | Err(_) => Err(LedgerError::Closed(path).into()),
        }
    }

    fn of_state(config: &Config) -> Result<Self, CommandError> {
        let state_dir = &config.daemon.state_dir;
        let mut ledger = SqliteLedger::open_existing(state_dir)?;
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

/// `path` is closed; the folder of `file` is open to a group.
fn closed(path: PathBuf, file: &Path) -> CommandError {
    let folder = file.parent().unwrap_or(Path::new("/")).metadata();
    match folder.map(|data| group_name(data.gid())) {
        // Members of the service's own group may do more than read.
        Ok(group) if group != SERVICE => CommandError::StatusClosed { path, group },
        Ok(_) | Err(_) => LedgerError::Closed(path).into(),
    }
}
