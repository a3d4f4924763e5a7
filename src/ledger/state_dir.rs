//! Makes the state directory, locks it, and finds out whether another daemon has it. Must not know what is stored in it.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use rustix::process::{Flock, FlockOffsetType, FlockType};

use super::error::LedgerError;
use super::foreign::ForeignState;
use crate::fs::mount;
use crate::fs::path_error::AtPath as _;

/// Makes the state directory and locks it for as long as the returned file is open.
///
/// Uses a POSIX record lock, which [`is_in_use`] can query without taking it. This process must not open the file again.
pub fn lock_state_dir(state_dir: &Path) -> Result<File, LedgerError> {
    std::fs::create_dir_all(state_dir).at(state_dir).map_err(
        |error| match ForeignState::behind(&error) {
            Some(foreign) => LedgerError::Foreign(foreign),
            None => LedgerError::Io(error),
        },
    )?;
    ForeignState::look(state_dir).map_err(LedgerError::Foreign)?;
    if let Some(kind) = mount::deaf_kind(state_dir)?.filter(|kind| *kind != "overlay") {
        let path = state_dir.to_owned();
        return Err(LedgerError::NotLocal { path, kind });
    }
    let path = state_dir.join("lock");
    give(&path, state_dir);
    let mut options = std::fs::OpenOptions::new();
    let lock = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .at(&path)?;
    match rustix::fs::fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(Errno::WOULDBLOCK | Errno::ACCESS) => Err(LedgerError::InUse(state_dir.to_owned())),
        Err(errno) => Ok(Err(errno).at(&path)?),
    }
}

/// Makes the file `path` in `state_dir`, unless it exists, with the owner of the directory: a daemon that runs as another user
/// could not open root's files. Errors are ignored here, since opening the file reports them.
pub(super) fn give(path: &Path, state_dir: &Path) {
    let make = || {
        let mut options = std::fs::OpenOptions::new();
        // An existing file is not even opened: closing it would release this process's locks on it.
        let made = options.write(true).create_new(true).open(path)?;
        let owner = state_dir.metadata()?;
        fchown(made, Some(owner.uid()), Some(owner.gid()))
    };
    if rustix::process::geteuid().is_root() {
        make().ok();
    }
}

/// Returns whether a daemon runs on `state_dir`, without disturbing it.
pub fn is_in_use(state_dir: &Path) -> Result<bool, LedgerError> {
    let path = state_dir.join("lock");
    let lock = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(LedgerError::Closed(path));
        }
        Err(_) => return Ok(false),
        Ok(lock) => lock,
    };
    let wanted = Flock {
        start: 0,
        length: 0,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    Ok(matches!(
        rustix::process::fcntl_getlk(&lock, &wanted),
        Ok(Some(_))
    ))
}
