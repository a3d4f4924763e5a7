//! A state directory -> whether this user may write what lies in it; if not, whose it is and what to do. Changes nothing.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use crate::accounts;
use crate::fs::path_error::PathError;

/// What a daemon writes in its state directory, where another user may have made it.
const WRITTEN: [&str; 6] = [
    "lock",
    "ledger.db",
    "ledger.db-wal",
    "ledger.db-shm",
    "canary",
    "thumbs",
];

/// Something that belongs to another user, who alone may write it.
#[derive(Debug)]
pub struct ForeignState {
    path: PathBuf,
    /// Where it lies, or what cannot be made in it.
    state_dir: PathBuf,
    owner: u32,
    group: u32,
    mode: u32,
}

impl ForeignState {
    /// Looks whether all that lies in `state_dir` can be written.
    pub(crate) fn look(state_dir: &Path) -> Result<(), Self> {
        let all = WRITTEN.iter().map(|name| state_dir.join(name));
        for path in std::iter::once(state_dir.to_owned()).chain(all) {
            let rights = if path.is_dir() {
                Access::WRITE_OK | Access::EXEC_OK
            } else {
                Access::WRITE_OK
            };
            // Whatever else it is, its use meets it too.
            if rustix::fs::access(&path, rights) == Err(Errno::ACCESS)
                && let Some(foreign) = Self::at(&path, state_dir)
            {
                return Err(foreign);
            }
        }
        Ok(())
    }

    /// Tells which folder keeps a state directory from being made, if its rights are the reason of `error`: the nearest that is there.
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
            named(self.owner),
            self.mode,
            named(user)
        )?;
        if self.owner == user {
            return write!(f, "give yourself the right: chmod -R u+rwX {state_dir}");
        }
        // To run as root is no advice.
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

/// The user's number, and the name if this system knows one.
fn named(user: u32) -> String {
    accounts::user_name(user).map_or_else(
        || format!("user {user}"),
        |name| format!("user {user} ({name})"),
    )
}
