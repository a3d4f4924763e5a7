//! The path of an output folder -> an open subfolder in it; creates folders, writes no file.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;

use crate::fs::disk_space::{DiskSpaceError, MinFree};
use crate::fs::mount;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::resolve;
use crate::png_chunks;
use crate::provenance::{self, Provenance};

/// How much of a PNG is read to find its provenance, which stands before the pixels.
const HEAD_BYTES: u64 = 64 << 10;

/// How much is read if the pixels have not begun by then: more than any usual colour profile.
const LONG_HEAD_BYTES: u64 = 4 << 20;

/// A folder that files are placed in.
#[derive(Debug)]
pub struct Destination {
    directory: OwnedFd,
    path: PathBuf,
}

/// Who has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// Nobody.
    Free,
    /// A cutout that hotcut wrote.
    Ours(Provenance),
    /// A sheet of cutouts that hotcut wrote.
    Sheet,
    /// Anything else.
    Foreign,
}

impl Destination {
    /// Opens the output folder `path`, making it if needed; an error if the mount it lay on, `mount_point`, is away.
    pub fn open(path: &Path, mount_point: Option<&Path>) -> Result<Self, PathError> {
        if let Some(expected) = mount_point {
            mount::check(expected, &mount::point_of(&resolve::existing(path))?).at(path)?;
        }
        std::fs::create_dir_all(path).at(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).at(path)?;
        Ok(Self {
            directory,
            path: path.to_owned(),
        })
    }

    /// Returns a second handle on the same folder.
    pub fn try_clone(&self) -> Result<Self, PathError> {
        Ok(Self {
            directory: self.directory.try_clone().at(&self.path)?,
            path: self.path.clone(),
        })
    }

    /// Opens an existing directory that is already held.
    pub fn from_directory(directory: OwnedFd, path: PathBuf) -> Self {
        Self { directory, path }
    }

    /// Opens the subfolder `relative`, making what is missing; a link on the way is refused.
    pub fn subfolder(self, relative: &Path) -> Result<Self, PathError> {
        let mut here = self;
        for part in relative.components() {
            if let Component::Normal(name) = part {
                here = here.enter(name)?;
            }
        }
        Ok(here)
    }

    fn enter(self, name: &OsStr) -> Result<Self, PathError> {
        let path = self.path.join(name);
        // A folder must be durable before a file in it can be.
        match rustix::fs::mkdirat(&self.directory, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno).at(&path),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let directory =
            rustix::fs::openat2(&self.directory, name, flags, Mode::empty(), resolve).at(&path)?;
        Ok(Self { directory, path })
    }

    /// Tells whether anything has `name`; reads nothing of it.
    pub fn has(&self, name: &OsStr) -> Result<bool, PathError> {
        match rustix::fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno).at(&self.path.join(name)),
        }
    }

    /// Tells who has `name`.
    pub fn occupant(&self, name: &OsStr) -> Result<Occupant, PathError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut file = match rustix::fs::openat(&self.directory, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(Occupant::Free),
            // A link or a socket: not ours.
            Err(Errno::LOOP | Errno::NXIO) => return Ok(Occupant::Foreign),
            Err(Errno::ACCESS) => return self.unreadable_occupant(name),
            Err(errno) => return Err(errno).at(&path),
        };
        match read_head(&mut file) {
            Ok(head) => Ok(Occupant::by(&head)),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(Occupant::Foreign),
            Err(error) => Err(error).at(&path),
        }
    }

    /// A file that hotcut may not read is not ours; in a folder that it may not search, every name would seem taken.
    fn unreadable_occupant(&self, name: &OsStr) -> Result<Occupant, PathError> {
        let is_taken = self.has(name)?;
        Ok(if is_taken {
            Occupant::Foreign
        } else {
            Occupant::Free
        })
    }

    /// Tells whether the rights of the folder let hotcut make files in it.
    pub fn is_writable(&self) -> bool {
        let wanted = Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::accessat(&self.directory, ".", wanted, AtFlags::empty()).is_ok()
    }

    /// Makes the names in this folder durable.
    pub fn sync(&self) -> Result<(), PathError> {
        rustix::fs::fsync(&self.directory).at(&self.path)
    }

    /// Fails if less is free on its disk than must stay free.
    pub fn check_space(&self, min_free: MinFree) -> Result<(), DiskSpaceError> {
        min_free.check(&self.directory, &self.path)
    }

    /// Tells whether what lies in `other` can be moved here without a copy.
    pub fn shares_disk_with(&self, other: &Self) -> Result<bool, PathError> {
        // A unit of systemd mounts each folder that it may write to: between two mounts of one disk nothing can be renamed.
        let mount = |folder: &Self| {
            let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
            let stat = rustix::fs::statx(&folder.directory, "", AtFlags::EMPTY_PATH, wanted);
            let stat = stat.at(&folder.path)?;
            // A kernel before 5.8 does not tell it, and 0 stands there.
            Ok::<_, PathError>((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_mnt_id))
        };
        Ok(mount(self)? == mount(other)?)
    }

    /// The absolute path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl Occupant {
    /// Who wrote the file that begins with `head`.
    fn by(head: &[u8]) -> Self {
        match provenance::read(head) {
            Some(provenance) => Self::Ours(provenance),
            None if provenance::is_sheet(head) => Self::Sheet,
            None => Self::Foreign,
        }
    }
}

/// Reads the provenance at the head of a PNG; `None` if there is none.
pub(super) fn read_provenance(png: &mut impl Read) -> io::Result<Option<Provenance>> {
    Ok(provenance::read(&read_head(png)?))
}

/// Reads as much of a PNG as its provenance may be in.
pub(super) fn read_head(png: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    png.take(HEAD_BYTES).read_to_end(&mut head)?;
    let has_pixels = png_chunks::chunks(&head).any(|chunk| chunk.kind == *b"IDAT");
    if !has_pixels && head.len() as u64 == HEAD_BYTES {
        png.take(LONG_HEAD_BYTES).read_to_end(&mut head)?;
    }
    Ok(head)
}
