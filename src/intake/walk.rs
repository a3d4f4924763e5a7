//! A folder -> an observation of every file in it that is wanted; asks nothing of the files but their stamps.

use std::ffi::OsStr;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, OFlags};

use super::{Filter, Observation, Root, Writer};
use crate::path_error::{AtPath as _, PathError};
use crate::stamp::Stamp;

/// Observations handed on at a time.
const CHUNK: usize = 256;

/// A way through a hot folder that follows no link.
pub struct Walk<'a> {
    /// The folder.
    pub root: &'a Root,
    /// What is wanted of it.
    pub filter: &'a Filter,
}

impl Walk<'_> {
    /// Lists `top` and everything below it, handing on what is found in chunks, until `take` fails.
    ///
    /// Returns the first subfolder that could not be read; the others are listed all the same.
    pub fn below<E>(
        &self,
        top: &Path,
        take: &mut impl FnMut(Vec<Observation>) -> Result<(), E>,
    ) -> Result<Option<PathError>, E> {
        let mut unreadable = None;
        let mut seen = Vec::new();
        let mut folders = vec![top.to_owned()];
        while let Some(folder) = folders.pop() {
            if let Err(error) = self.read(&folder, &mut folders, &mut seen) {
                unreadable.get_or_insert(error);
            }
            while seen.len() >= CHUNK {
                let rest = seen.split_off(CHUNK);
                take(std::mem::replace(&mut seen, rest))?;
            }
        }
        take(seen)?;
        Ok(unreadable)
    }

    fn read(
        &self,
        folder: &Path,
        folders: &mut Vec<PathBuf>,
        seen: &mut Vec<Observation>,
    ) -> Result<(), PathError> {
        let path = self.root.join(folder);
        let directory = self
            .root
            .open_below(folder, OFlags::RDONLY | OFlags::DIRECTORY)?;
        for entry in Dir::read_from(&directory).at(&path)? {
            let entry = entry.at(&path)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let relative = folder.join(name);
            let (kind, stamp) = inspect(directory.as_fd(), name, entry.file_type());
            if kind == FileType::Directory && self.filter.enters(&relative) {
                folders.push(relative);
            } else if kind == FileType::RegularFile && self.filter.takes(&relative) {
                let writer = Writer::NotAsked;
                seen.push(Observation {
                    relative,
                    stamp,
                    writer,
                });
            }
        }
        Ok(())
    }
}

/// Returns what the entry is, and the stamp of a regular file; a file that has just gone is nothing.
fn inspect(folder: BorrowedFd<'_>, name: &OsStr, hint: FileType) -> (FileType, Option<Stamp>) {
    if !matches!(hint, FileType::RegularFile | FileType::Unknown) {
        return (hint, None);
    }
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => (
            FileType::from_raw_mode(stat.st_mode),
            Some(Stamp::of(&stat)),
        ),
        Err(_) => (FileType::Unknown, None),
    }
}
