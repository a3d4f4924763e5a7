//! Checks whether this user may write the files in a state directory; if not, names the owner and a remedy. Changes nothing.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use crate::accounts;
use crate::fs::path_error::PathError;

/// The entries that a daemon writes in its state directory, and that another user may have made.
const WRITTEN: [&str; 6] = [
    "lock",
    "ledger.db",
    "ledger.db-wal",
    "ledger.db-shm",
    "canary",
    "thumbs",
];

/// A file or directory of the state that this user may not write.
#[derive(Debug)]
pub struct ForeignState {
    path: PathBuf,
    /// The state directory that it lies in, or that cannot be made below it.
    state_dir: PathBuf,
    owner: u32,
    /// The number and the name of the owner, and those of this user. Looking names up may wait for the network.
    owner_named: String,
    user_named: String,
    group: u32,
    mode: u32,
}

impl ForeignState {
    /// Checks that `state_dir` and everything in it can be written.
    pub(crate) fn look(state_dir: &Path) -> Result<(), Self> {
        let all = WRITTEN.iter().map(|name| state_dir.join(name));
        for path in std::iter::once(state_dir.to_owned()).chain(all) {
            let rights = if path.is_dir() {
                Access::WRITE_OK | Access::EXEC_OK
            } else {
                Access::WRITE_OK
            };
            // Any other error is reported when the file is used.
            if rustix::fs::access(&path, rights) == Err(Errno::ACCESS)
                && let Some(foreign) = Self::at(&path, state_dir)
            {
                return Err(foreign);
            }
        }
        Ok(())
    }

    /// Returns the nearest existing folder above a state directory that cannot be made, if `error` is a lack of rights.
    pub(crate) fn behind(error: &PathError) -> Option<Self> {
        if error.io().kind() != io::ErrorKind::PermissionDenied {
            return None;
        }
        let mut folders = error.path().ancestors();
        folders.find_map(|folder| Self::at(folder, error.path()))
    }

    fn at(path: &Path, state_dir: &Path) -> Option<Self> {
        let data = path.metadata().ok()?;
        Some(Self {
            path: path.to_owned(),
            state_dir: state_dir.to_owned(),
            owner: data.uid(),
            owner_named: named(data.uid()),
            user_named: named(rustix::process::geteuid().as_raw()),
            group: data.gid(),
            mode: data.mode() & 0o7777,
        })
    }
}

impl fmt::Display for ForeignState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        let (user, group) = (user.as_raw(), group.as_raw());
        let state_dir = self.state_dir.display();
        write!(
            f,
            "{} is closed to hotcut: it belongs to {} (mode {:o}), and hotcut runs as {}; ",
            self.path.display(),
            self.owner_named,
            self.mode,
            self.user_named
        )?;
        if self.owner == user {
            return write!(f, "give yourself the right: chmod -R u+rwX {state_dir}");
        }
        // Running as root is not good advice.
        if self.owner != 0 {
            let (owner, owner_group) = (self.owner, self.group);
            write!(
                f,
                "run hotcut as that user (in a container: --user {owner}:{owner_group}), or "
            )?;
        }
        if self.state_dir.starts_with(&self.path) && self.state_dir != self.path {
            write!(
                f,
                "make the folder for it: install -d -o {user} -g {group} {state_dir}"
            )
        } else {
            write!(
                f,
                "give it to user {user}: chown -R {user}:{group} {state_dir}"
            )
        }
    }
}

/// The user's number, and the name if this system knows it.
fn named(user: u32) -> String {
    accounts::user_name(user).map_or_else(
        || format!("user {user}"),
        |name| format!("user {user} ({name})"),
    )
}
