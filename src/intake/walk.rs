//! A folder -> an observation of every file in it that is wanted; asks nothing of the files but their stamps.

use std::ffi::OsStr;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, OFlags};

use super::{Filter, Found, Observation, Root, Writer};
use crate::disk::Pulse;
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
    /// Where each step is noted.
    pub pulse: &'a Pulse,
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
            match self.read(&folder, &mut folders, &mut seen, take) {
                Ok(()) => {}
                Err(Stop::Unreadable(error)) => {
                    unreadable.get_or_insert(error);
                }
                Err(Stop::Refused(error)) => return Err(error),
            }
        }
        take(seen)?;
        Ok(unreadable)
    }

    fn read<E>(
        &self,
        folder: &Path,
        folders: &mut Vec<PathBuf>,
        seen: &mut Vec<Observation>,
        take: &mut impl FnMut(Vec<Observation>) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        let path = self.root.join(folder);
        self.pulse.step();
        let directory = self
            .root
            .open_below(folder, OFlags::RDONLY | OFlags::DIRECTORY)?;
        for entry in Dir::read_from(&directory).at(&path)? {
            self.pulse.step();
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
                seen.push(Observation {
                    relative,
                    found: stamp.map_or(Found::Nothing, Found::File),
                    writer: Writer::NotAsked,
                });
            }
            // While the folder is read, not after: a single one may hold more names than there is memory for.
            if seen.len() >= CHUNK {
                take(std::mem::take(seen)).map_err(Stop::Refused)?;
            }
        }
        Ok(())
    }
}

/// Why a folder was not read to its end.
enum Stop<E> {
    Unreadable(PathError),
    Refused(E),
}

impl<E> From<PathError> for Stop<E> {
    fn from(error: PathError) -> Self {
        Self::Unreadable(error)
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// P6: everything is taken away when the first chunk comes; fails when the whole folder was in memory by then.
    #[test]
    fn a_folder_is_handed_on_while_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let names = (0..CHUNK * 4).map(|index| dir.path().join(format!("{index}.jpg")));
        for path in names.clone() {
            std::fs::File::create_new(path).unwrap();
        }
        let walk = Walk {
            root: &Root::open(dir.path(), None).unwrap(),
            filter: &Filter::of_jpegs(dir.path()),
            pulse: &Pulse::default(),
        };
        let mut count = 0;
        let unreadable = walk.below(Path::new(""), &mut |seen| {
            count += seen.len();
            for path in names.clone() {
                std::fs::remove_file(path).ok();
            }
            Ok::<_, Infallible>(())
        });
        assert!(unreadable.unwrap().is_none());
        assert_eq!(count, CHUNK);
    }
}
