//! Publishes a file atomically under its final name. Must not choose the name.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::destination::{Destination, Occupant};
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::rename::{self, DirectoryEntry, RenameError};

/// A file that is written under a hidden name. It is removed if it is dropped before it is placed.
#[derive(Debug)]
pub struct Temp {
    destination: Destination,
    name: OsString,
    file: File,
    is_placed: bool,
}

/// Why a file could not be placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The name is taken; nothing was changed.
    #[error("{} exists already", .0.display())]
    Taken(PathBuf),
    /// The file on disk is not as long as what was written.
    #[error("{}: {found} of {expected} bytes were written", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// The length it should have.
        expected: u64,
        /// The length it has.
        found: u64,
    },
    /// The folder cannot be used.
    #[error(transparent)]
    Io(#[from] PathError),
}

/// Which files a new file may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// None: the name must be free.
    Never,
    /// Only cutouts of hotcut.
    Own,
    /// Only sheets of hotcut.
    Sheet,
    /// Any file: only hotcut uses such names.
    Any,
}

impl Replace {
    /// Whether `occupant` may be replaced. Whether a name is still free is checked when the file gets the name.
    fn takes(self, occupant: &Occupant) -> bool {
        match occupant {
            Occupant::Free => true,
            Occupant::Ours(_) => self != Self::Sheet,
            Occupant::Sheet => self != Self::Own,
            Occupant::Foreign => matches!(self, Self::Never | Self::Any),
        }
    }
}

/// The result of a swap of names.
enum Swapped {
    Done,
    /// No file has the name.
    NothingThere,
    /// The file system cannot swap names; the existing file may be replaced.
    Unsupported,
}

impl Temp {
    /// Creates `name` in `destination` with mode 0664 minus the umask. Removes an earlier file of that name: the caller owns its
    /// temporary names.
    pub fn create(destination: Destination, name: OsString) -> Result<Self, PathError> {
        let path = destination.path().join(&name);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let open = || {
            rustix::fs::openat(
                destination.directory(),
                &name,
                flags,
                Mode::from_raw_mode(0o664),
            )
        };
        let file = match open() {
            Err(Errno::EXIST) => {
                rustix::fs::unlinkat(destination.directory(), &name, AtFlags::empty()).at(&path)?;
                open()
            }
            other => other,
        };
        Ok(Self {
            file: File::from(file.at(&path)?),
            destination,
            name,
            is_placed: false,
        })
    }

    /// Returns a second handle for writing.
    pub fn writer(&self) -> Result<File, PathError> {
        self.file.try_clone().at(&self.path())
    }

    /// Checks that the file with `name`, if there is one, may be replaced.
    pub fn check_replaceable(&self, name: &OsStr, replace: Replace) -> Result<(), PlaceError> {
        if replace.takes(&self.destination.occupant(name)?) {
            return Ok(());
        }
        Err(PlaceError::Taken(self.destination.path().join(name)))
    }

    /// Makes the bytes durable, then the file visible under `name`, then the name durable.
    pub fn place(self, name: &OsStr, replace: Replace, length: u64) -> Result<(), PlaceError> {
        self.sync(length)?;
        self.place_synced(name, replace)
    }

    /// Makes the bytes durable; there must be `length` of them.
    pub fn sync(&self, length: u64) -> Result<(), PlaceError> {
        let found = self.file.metadata().at(&self.path())?.len();
        if found != length {
            let (path, expected) = (self.path(), length);
            return Err(PlaceError::Short {
                path,
                expected,
                found,
            });
        }
        // Bytes before name: after a power failure, the name must never belong to an empty file.
        self.file.sync_all().at(&self.path())?;
        Ok(())
    }

    /// Makes a file whose bytes are durable visible under `name`, then the name durable.
    pub fn place_synced(mut self, name: &OsStr, replace: Replace) -> Result<(), PlaceError> {
        let final_path = self.destination.path().join(name);
        let directory = self.destination.directory();
        let [from, to] =
            [self.name.as_os_str(), name].map(|name| DirectoryEntry { directory, name });
        let renamed = match replace {
            Replace::Own | Replace::Sheet => match self.swap(name, replace)? {
                Swapped::Done => Ok(()),
                Swapped::NothingThere => rename::to_free(from, to),
                Swapped::Unsupported => rename::over(from, to),
            },
            Replace::Any => rename::over(from, to),
            Replace::Never => rename::to_free(from, to),
        };
        match renamed {
            Ok(()) => {}
            Err(RenameError::Taken) => return Err(PlaceError::Taken(final_path)),
            // The error concerns the folder: every name would fail.
            Err(error @ RenameError::Unsafe { .. }) => {
                return Ok(Err(error).at(self.destination.path())?);
            }
            Err(error @ RenameError::Failed(_)) => return Ok(Err(error).at(&final_path)?),
        }
        self.is_placed = true;
        self.destination.sync()?;
        Ok(())
    }

    /// Swaps names with the file `name`, and swaps back if that file may not be replaced: another program may have replaced it
    /// since the check.
    fn swap(&self, name: &OsStr, replace: Replace) -> Result<Swapped, PlaceError> {
        let directory = self.destination.directory();
        let path = self.destination.path().join(name);
        let swap = || {
            rustix::fs::renameat_with(
                directory,
                &self.name,
                directory,
                name,
                RenameFlags::EXCHANGE,
            )
        };
        match swap() {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(Swapped::NothingThere),
            // NFS, SMB and some FUSE file systems. On these, the check happens directly before the rename.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                self.check_replaceable(name, replace)?;
                return Ok(Swapped::Unsupported);
            }
            Err(errno) => return Ok(Err(errno).at(&path)?),
        }
        if !replace.takes(&self.destination.occupant(&self.name)?) {
            swap().at(&path)?;
            return Err(PlaceError::Taken(path));
        }
        rustix::fs::unlinkat(directory, &self.name, AtFlags::empty()).at(&path)?;
        Ok(Swapped::Done)
    }

    fn path(&self) -> PathBuf {
        self.destination.path().join(&self.name)
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.is_placed {
            // Best effort: the next start removes remaining files.
            rustix::fs::unlinkat(self.destination.directory(), &self.name, AtFlags::empty()).ok();
        }
    }
}

/// Replaces a small file of hotcut atomically; not durable after a power failure.
pub fn replace_file(path: &Path, content: &mut impl Read) -> Result<(), PathError> {
    let mut temp = path.as_os_str().to_owned();
    temp.push(".tmp");
    let temp = PathBuf::from(temp);
    let mut options = std::fs::OpenOptions::new();
    let opened: io::Result<File> = options.write(true).create(true).truncate(true).open(&temp);
    opened
        .and_then(|mut file| io::copy(content, &mut file))
        .at(&temp)?;
    rustix::fs::rename(&temp, path).at(path)
}

#[cfg(test)]
mod tests;
