//! Lists a folder: makes an observation of every file in it that is taken. Must read only the stamps of files.

use std::ffi::OsStr;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, Dir, FileType, OFlags};

use super::emptied::{FOLDERS_MAX, is_system_file};
use super::{EmptyFolder, FileFilter, Found, Judgement, NotTaken, Observation, Writer};
use crate::fs::disk::Pulse;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::root::Root;
use crate::fs::stamp::Stamp;

/// The number of observations passed on at a time.
const CHUNK: usize = 256;

/// A walk through a hot folder that follows no links.
pub struct Walk<'a> {
    /// The folder.
    pub root: &'a Root,
    /// Decides which files are taken.
    pub filter: &'a FileFilter,
    /// Notes each step.
    pub pulse: &'a Pulse,
}

/// The results of a listing besides the taken files.
#[derive(Debug, Default)]
pub struct Listing {
    /// The first subfolder that could not be read; all others are listed.
    pub unreadable: Option<PathError>,
    /// The files that are not taken.
    pub not_taken: NotTaken,
    /// Empty subfolders, if the folder is configured to remove them.
    pub empty: Vec<EmptyFolder>,
}

impl Walk<'_> {
    /// Lists `top` and everything below it and passes the files on in chunks, until `take` fails.
    pub fn below<E>(
        &self,
        top: &Path,
        take: &mut impl FnMut(Vec<Observation>) -> Result<(), E>,
    ) -> Result<Listing, E> {
        let mut way = WalkState {
            began_at: SystemTime::now(),
            folders: vec![top.to_owned()],
            seen: Vec::new(),
            listing: Listing::default(),
        };
        while let Some(folder) = way.folders.pop() {
            match self.read(&folder, &mut way, take) {
                Ok(()) => {}
                Err(Stop::Unreadable(error)) => {
                    way.listing.unreadable.get_or_insert(error);
                }
                Err(Stop::Refused(error)) => return Err(error),
            }
        }
        take(way.seen)?;
        Ok(way.listing)
    }

    fn read<E>(
        &self,
        folder: &Path,
        way: &mut WalkState,
        take: &mut impl FnMut(Vec<Observation>) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        let path = self.root.join(folder);
        self.pulse.step();
        let directory = self
            .root
            .open_below(folder, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut is_empty = true;
        for entry in Dir::read_from(&directory).at(&path)? {
            self.pulse.step();
            let entry = entry.at(&path)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            is_empty &= is_system_file(name.as_bytes());
            let relative = folder.join(name);
            let (kind, stamp) = inspect(directory.as_fd(), name, entry.file_type());
            match (kind, self.filter.judge(&relative)) {
                (FileType::Directory, _) if self.filter.enters(&relative) => {
                    way.folders.push(relative);
                }
                (FileType::RegularFile, Judgement::Taken) => {
                    way.listing.not_taken.empty +=
                        u64::from(stamp.is_some_and(|stamp| stamp.len == 0));
                    way.seen.push(Observation {
                        relative,
                        found: stamp.map_or(Found::Nothing, Found::File),
                        writer: Writer::NotAsked,
                    });
                }
                (kind, judgement) => {
                    let not_taken = &mut way.listing.not_taken;
                    let age = stamp.map(|stamp| stamp.age(way.began_at));
                    not_taken.count(&relative, kind, judgement, age);
                }
            }
            // During the reading, not after it: a single folder may hold more names than fit in memory.
            if way.seen.len() >= CHUNK {
                take(std::mem::take(&mut way.seen)).map_err(Stop::Refused)?;
            }
        }
        let is_below = !folder.as_os_str().is_empty();
        let has_room = way.listing.empty.len() < FOLDERS_MAX;
        if is_empty && is_below && has_room && self.filter.removes_empty_after().is_some() {
            let empty = EmptyFolder::of(folder.to_owned(), &directory).at(&path)?;
            way.listing.empty.push(empty);
        }
        Ok(())
    }
}

/// The progress of a walk.
struct WalkState {
    began_at: SystemTime,
    /// Folders that are still to be read.
    folders: Vec<PathBuf>,
    /// Files that are still to be passed on.
    seen: Vec<Observation>,
    listing: Listing,
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

/// Returns the kind of the entry, and the stamp of a regular file. A file that has just gone has the kind `Unknown`.
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
    use std::io::Write as _;

    use super::*;

    /// P6: all files are removed when the first chunk comes. Fails when the whole folder was in memory by then.
    #[test]
    fn a_folder_is_handed_on_while_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let names = (0..CHUNK * 4).map(|index| dir.path().join(format!("{index}.jpg")));
        for path in names.clone() {
            std::fs::File::create_new(path).unwrap();
        }
        let walk = Walk {
            root: &Root::open(dir.path(), None).unwrap(),
            filter: &FileFilter::of_jpegs(dir.path()),
            pulse: &Pulse::default(),
        };
        let mut count = 0;
        let listing = walk.below(Path::new(""), &mut |seen| {
            count += seen.len();
            for path in names.clone() {
                std::fs::remove_file(path).ok();
            }
            Ok::<_, Infallible>(())
        });
        assert!(listing.unwrap().unreadable.is_none());
        assert_eq!(count, CHUNK);
    }

    /// P10: fails when a file that is not taken leaves no trace, or when files that no user has dropped are counted too.
    #[test]
    fn what_is_not_taken_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("sub/@eaDir")).unwrap();
        for name in [
            "a.jpg",
            "sub/b.HEIC",
            "c.heic",
            "d.bmp",
            "d.xmp",
            ".hidden.heic",
            "e.heic.part",
            "sub/@eaDir/f.heic",
            "g (conflicted copy).jpg",
        ] {
            let mut file = std::fs::File::create_new(dir.path().join(name)).unwrap();
            file.write_all(b"x").unwrap();
        }
        std::fs::File::create_new(dir.path().join("empty.jpg")).unwrap();
        std::os::unix::fs::symlink("a.jpg", dir.path().join("link.jpg")).unwrap();
        let walk = Walk {
            root: &Root::open(dir.path(), None).unwrap(),
            filter: &FileFilter::of_jpegs(dir.path()),
            pulse: &Pulse::default(),
        };
        let listing = walk.below(Path::new(""), &mut |_| Ok::<_, Infallible>(()));
        let found = listing.unwrap().not_taken;
        let expected = NotTaken {
            endings: [("bmp".to_owned(), 1), ("heic".to_owned(), 2)].into(),
            others: 0,
            conflicts: 1,
            links: 1,
            empty: 1,
            hidden: 0,
        };
        assert_eq!(found, expected);
    }
}
