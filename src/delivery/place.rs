//! Bytes -> a file that is whole under its name or not there at all; decides no name.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::destination::{Destination, Occupant};
use crate::fs::rename::{self, Entry, RenameError};
use crate::path_error::{AtPath as _, PathError};

/// A file that is being written under a hidden name. Dropped before it is placed, it is removed.
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
    /// Something has the name already; nothing was changed.
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

/// Whether a file may take the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// No: the name must be free.
    Never,
    /// A cutout of hotcut's, and nothing else.
    Own,
    /// Whatever has the name: nobody but hotcut gives such names.
    Any,
}

/// What became of a swap of names.
enum Swapped {
    Done,
    /// Nothing has the name.
    NothingThere,
    /// This file system swaps no names; what has the name may be replaced.
    Unsupported,
}

impl Temp {
    /// Creates `name` in `destination`, of mode 0664 less the umask. A left-over of that name is removed first: the
    /// caller's names are its own.
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

    /// Returns a second handle to write through.
    pub fn writer(&self) -> Result<File, PathError> {
        self.file.try_clone().at(&self.path())
    }

    /// Checks that what has `name`, if it is to be replaced, is a cutout of hotcut's.
    pub fn check_replaceable(&self, name: &OsStr, replace: Replace) -> Result<(), PlaceError> {
        match (replace, self.destination.occupant(name)?) {
            (Replace::Own, Occupant::Foreign) => {
                Err(PlaceError::Taken(self.destination.path().join(name)))
            }
            (Replace::Own, Occupant::Free | Occupant::Ours(_))
            | (Replace::Never | Replace::Any, _) => Ok(()),
        }
    }

    /// Makes the bytes durable, then visible under `name`, then the name durable.
    pub fn place(mut self, name: &OsStr, replace: Replace, length: u64) -> Result<(), PlaceError> {
        let found = self.file.metadata().at(&self.path())?.len();
        if found != length {
            let (path, expected) = (self.path(), length);
            return Err(PlaceError::Short {
                path,
                expected,
                found,
            });
        }
        // Bytes before name: after a power cut the name must never stand for an empty file.
        self.file.sync_all().at(&self.path())?;
        let final_path = self.destination.path().join(name);
        let directory = self.destination.directory();
        let [from, to] = [self.name.as_os_str(), name].map(|name| Entry { directory, name });
        let renamed = match replace {
            Replace::Own => match self.swap(name)? {
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
            // It is the same with every name.
            Err(error @ RenameError::Unsafe { .. }) => {
                return Ok(Err(error).at(self.destination.path())?);
            }
            Err(error @ RenameError::Failed(_)) => return Ok(Err(error).at(&final_path)?),
        }
        self.is_placed = true;
        self.destination.sync()?;
        Ok(())
    }

    /// Swaps names with the cutout `name`, and swaps back if that turns out to be no cutout of hotcut's: somebody may have put
    /// a file there since it was looked at.
    fn swap(&self, name: &OsStr) -> Result<Swapped, PlaceError> {
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
            // NFS, SMB and some FUSE file systems. There the look comes just before.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                self.check_replaceable(name, Replace::Own)?;
                return Ok(Swapped::Unsupported);
            }
            Err(errno) => return Ok(Err(errno).at(&path)?),
        }
        if self.destination.occupant(&self.name)? == Occupant::Foreign {
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
            // Best effort: start-up removes what is left.
            rustix::fs::unlinkat(self.destination.directory(), &self.name, AtFlags::empty()).ok();
        }
    }
}

/// Replaces a small file of hotcut's own, whole or not at all; not durable across a power cut.
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
mod tests {
    use std::io::Write as _;

    use super::*;

    fn temp(dir: &Path, bytes: &[u8]) -> Temp {
        let destination = Destination::open(dir, None).unwrap();
        let temp = Temp::create(destination, ".hotcut-x-1.tmp".into()).unwrap();
        temp.writer().unwrap().write_all(bytes).unwrap();
        temp
    }

    fn names(dir: &Path) -> Vec<OsString> {
        std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect()
    }

    #[test]
    fn a_dropped_temp_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(temp(dir.path(), b"half"));
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_taken_name_is_never_replaced_unless_that_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let name = OsStr::new("a.png");
        temp(dir.path(), b"first")
            .place(name, Replace::Never, 5)
            .unwrap();
        let second = temp(dir.path(), b"second").place(name, Replace::Never, 6);
        assert!(matches!(second, Err(PlaceError::Taken(_))));
        assert_eq!(std::fs::read(dir.path().join("a.png")).unwrap(), b"first");
        temp(dir.path(), b"third")
            .place(name, Replace::Any, 5)
            .unwrap();
        assert_eq!(std::fs::read(dir.path().join("a.png")).unwrap(), b"third");
        assert_eq!(names(dir.path()), ["a.png"]);
    }

    /// P2, P4: somebody puts a file under the name after it was looked at; fails when that is replaced, or when a cutout is
    /// not.
    #[test]
    fn only_a_cutout_makes_way_for_another() {
        let dir = tempfile::tempdir().unwrap();
        let name = OsStr::new("a.png");
        let place =
            |bytes: &[u8]| temp(dir.path(), bytes).place(name, Replace::Own, bytes.len() as u64);
        let seeds = crate::fuzzing::seeds();
        let (.., cutout) = seeds
            .iter()
            .find(|(_, name, _)| *name == "marked.png")
            .unwrap();
        place(cutout).unwrap();
        place(b"retouched").unwrap();
        assert!(matches!(place(cutout), Err(PlaceError::Taken(_))));
        let found = std::fs::read(dir.path().join("a.png")).unwrap();
        assert_eq!(found, b"retouched");
        assert_eq!(names(dir.path()), ["a.png"]);
    }

    #[test]
    fn a_file_of_the_wrong_length_is_not_placed() {
        let dir = tempfile::tempdir().unwrap();
        let short = temp(dir.path(), b"half").place(OsStr::new("a.png"), Replace::Never, 8);
        assert!(matches!(short, Err(PlaceError::Short { found: 4, .. })));
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_left_over_of_a_crash_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = temp(dir.path(), b"crashed half way");
        first.is_placed = true;
        drop(first);
        temp(dir.path(), b"whole")
            .place(OsStr::new("a.png"), Replace::Never, 5)
            .unwrap();
        assert_eq!(std::fs::read(dir.path().join("a.png")).unwrap(), b"whole");
    }
}
