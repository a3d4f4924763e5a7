//! Opens a hot folder as a directory below which paths cannot escape. Must not read contents.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};

use super::mount;
use super::path_error::{AtPath as _, PathError};

/// A hot folder that exists now.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    directory: OwnedFd,
    id: RootId,
    mount_point: PathBuf,
}

/// Distinguishes a directory from a later one with the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootId {
    dev: u64,
    ino: u64,
}

impl Root {
    /// Opens `path`. Fails when it is missing or not a directory, or when its mount point, `mount_point`, is not mounted.
    pub fn open(path: &Path, mount_point: Option<&Path>) -> Result<Self, PathError> {
        let real = path.canonicalize().at(path)?;
        let actual = mount::point_of(&real)?;
        if let Some(expected) = mount_point {
            mount::check(expected, &actual).at(path)?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).at(path)?;
        let stat = rustix::fs::fstat(&directory).at(path)?;
        let id = RootId {
            dev: stat.st_dev,
            ino: stat.st_ino,
        };
        Ok(Self {
            path: path.to_owned(),
            directory,
            id,
            mount_point: actual,
        })
    }

    /// The identity of the directory.
    pub fn id(&self) -> RootId {
        self.id
    }

    /// The mount point of the folder.
    pub fn mount_point(&self) -> &Path {
        &self.mount_point
    }

    /// The absolute path of `relative`, for messages.
    pub fn join(&self, relative: &Path) -> PathBuf {
        self.path.join(relative)
    }

    /// Opens the folder itself, to write files into it or to remove temporary files.
    pub fn directory(&self) -> Result<OwnedFd, PathError> {
        self.open_below(Path::new(""), OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// Opens `relative` without following any link, and without waiting on a FIFO.
    pub fn open_below(&self, relative: &Path, flags: OFlags) -> Result<OwnedFd, PathError> {
        // An `O_PATH` handle never blocks, and the kernel refuses `O_NONBLOCK` with it.
        let nonblocking = if flags.contains(OFlags::PATH) {
            OFlags::empty()
        } else {
            OFlags::NONBLOCK
        };
        let flags = flags | nonblocking | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        // "" is the folder itself, which openat2 accepts only as ".".
        let name = if relative.as_os_str().is_empty() {
            Path::new(".")
        } else {
            relative
        };
        rustix::fs::openat2(self.directory.as_fd(), name, flags, Mode::empty(), resolve)
            .at(&self.join(relative))
    }
}
