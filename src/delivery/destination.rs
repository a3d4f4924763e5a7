//! Opens a subfolder of an output folder and creates missing folders. Must not write files.

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

/// Bytes of a PNG read to find its provenance, which precedes the pixels.
const HEAD_BYTES: u64 = 64 << 10;

/// Bytes read when the pixels begin later: more than any usual colour profile.
const LONG_HEAD_BYTES: u64 = 4 << 20;

/// A folder for output files.
#[derive(Debug)]
pub struct Destination {
    directory: OwnedFd,
    path: PathBuf,
}

/// The file that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// No file has the name.
    Free,
    /// A cutout that hotcut wrote.
    Ours(Provenance),
    /// A sheet of cutouts that hotcut wrote.
    Sheet,
    /// Any other file.
    Foreign,
}

impl Destination {
    /// Opens the output folder `path` and creates it if needed. Fails when its mount point, `mount_point`, is not mounted.
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

    /// Wraps a directory that is already open.
    pub fn from_directory(directory: OwnedFd, path: PathBuf) -> Self {
        Self { directory, path }
    }

    /// Opens the subfolder `relative` and creates missing folders. Refuses links.
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

    /// Whether `name` exists; does not read the file.
    pub fn has(&self, name: &OsStr) -> Result<bool, PathError> {
        match rustix::fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno).at(&self.path.join(name)),
        }
    }

    /// Finds out what kind of file has `name`.
    pub fn occupant(&self, name: &OsStr) -> Result<Occupant, PathError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut file = match rustix::fs::openat(&self.directory, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(Occupant::Free),
            // A link or a socket, not written by hotcut.
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

    /// A file that hotcut may not read was not written by hotcut. Without the right to search the folder, every name would seem
    /// taken.
    fn unreadable_occupant(&self, name: &OsStr) -> Result<Occupant, PathError> {
        let is_taken = self.has(name)?;
        Ok(if is_taken {
            Occupant::Foreign
        } else {
            Occupant::Free
        })
    }

    /// Whether the folder's permissions allow hotcut to create files.
    pub fn is_writable(&self) -> bool {
        let wanted = Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::accessat(&self.directory, ".", wanted, AtFlags::empty()).is_ok()
    }

    /// Makes the folder's entries durable.
    pub fn sync(&self) -> Result<(), PathError> {
        rustix::fs::fsync(&self.directory).at(&self.path)
    }

    /// Fails when less space is free on the folder's disk than must stay free.
    pub fn check_space(&self, min_free: MinFree) -> Result<(), DiskSpaceError> {
        min_free.check(&self.directory, &self.path)
    }

    /// Whether files in `other` can be moved here without a copy.
    pub fn shares_disk_with(&self, other: &Self) -> Result<bool, PathError> {
        // A systemd unit mounts each writable folder separately, and a rename between two mounts of one disk fails.
        let mount = |folder: &Self| {
            let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
            let stat = rustix::fs::statx(&folder.directory, "", AtFlags::EMPTY_PATH, wanted);
            let stat = stat.at(&folder.path)?;
            // Kernels before 5.8 do not report the mount id; it is 0 there.
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
    /// Classifies the file that begins with `head`.
    fn by(head: &[u8]) -> Self {
        match provenance::read(head) {
            Some(provenance) => Self::Ours(provenance),
            None if provenance::is_sheet(head) => Self::Sheet,
            None => Self::Foreign,
        }
    }
}

/// Reads the provenance at the start of a PNG; `None` if there is none.
pub(super) fn read_provenance(png: &mut impl Read) -> io::Result<Option<Provenance>> {
    Ok(provenance::read(&read_head(png)?))
}

/// Reads as much of a PNG as may contain its provenance.
pub(super) fn read_head(png: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    png.take(HEAD_BYTES).read_to_end(&mut head)?;
    let has_pixels = png_chunks::chunks(&head).any(|chunk| chunk.kind == *b"IDAT");
    if !has_pixels && head.len() as u64 == HEAD_BYTES {
        png.take(LONG_HEAD_BYTES).read_to_end(&mut head)?;
    }
    Ok(head)
}
