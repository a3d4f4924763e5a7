//! Reads a settled file and verifies that it is the version that settled. Must not write to it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, OFlags, SeekFrom, StatxFlags};
use sha2::{Digest as _, Sha256};

use super::{SettledFile, lease};
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::root::Root;
use crate::fs::stamp::{Stamp, nanos};

/// The `statfs` number of ZFS.
const ZFS: rustix::fs::FsWord = 0x2fc1_2fc1;

/// A source that is open for reading.
#[derive(Debug)]
pub struct SourceFile {
    root: Root,
    relative: PathBuf,
    stamp: Stamp,
    born_ns: Option<i64>,
    file: File,
}

/// Why a settled file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It was removed.
    #[error("it is gone")]
    Vanished,
    /// It is not the version that settled.
    #[error("it changed while it was read")]
    Changed,
    /// Parts of it were never written.
    #[error("parts of the file have not been written yet")]
    Unwritten,
    /// The file or its folder cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] PathError),
}

impl SourceFile {
    /// Opens `settled` below the hot folder `input`.
    pub fn open(input: &Path, settled: &SettledFile) -> Result<Self, SourceError> {
        let root = Root::open(input, None)?;
        let relative = settled.relative().to_owned();
        let file = match root.open_below(&relative, OFlags::RDONLY) {
            Ok(file) => File::from(file),
            Err(error) if is_gone(&error) => return Err(SourceError::Vanished),
            Err(error) if lease::is_leased(&error) => return Err(SourceError::Changed),
            Err(error) => return Err(error.into()),
        };
        let source = Self {
            root,
            relative,
            stamp: settled.stamp(),
            born_ns: birth_ns(&file),
            file,
        };
        source.verify()?;
        Ok(source)
    }

    /// Checks that the open file and the file under its name are both still the version that settled.
    pub fn verify(&self) -> Result<(), SourceError> {
        let path = self.root.join(&self.relative);
        let (here, kind) = Stamp::read(&self.file, OsStr::new("")).at(&path)?;
        let (named, _) = match self.root.open_below(&self.relative, OFlags::PATH) {
            Ok(file) => Stamp::read(&file, OsStr::new("")).at(&path)?,
            Err(error) if is_gone(&error) => return Err(SourceError::Vanished),
            Err(error) => return Err(error.into()),
        };
        let unchanged = [here, named]
            .iter()
            .all(|stamp| stamp.same_version(&self.stamp));
        if kind == FileType::RegularFile && unchanged {
            Ok(())
        } else {
            Err(SourceError::Changed)
        }
    }

    /// When the file was created, in nanoseconds since the epoch of its file system's clock; `None` if the file system does not
    /// store it. An inode number may be reused at once, a birth time is not.
    pub fn born_ns(&self) -> Option<i64> {
        self.born_ns
    }

    /// Returns a second handle on the content, positioned at its start.
    pub fn reader(&self) -> Result<File, SourceError> {
        let path = self.root.join(&self.relative);
        let file = match self.root.open_below(&self.relative, OFlags::RDONLY) {
            Ok(file) => file,
            Err(error) if lease::is_leased(&error) => return Err(SourceError::Changed),
            Err(error) => return Err(error.into()),
        };
        let (stamp, _) = Stamp::read(&file, OsStr::new("")).at(&path)?;
        if stamp.same_version(&self.stamp) {
            Ok(File::from(file))
        } else {
            Err(SourceError::Changed)
        }
    }

    /// Returns whether parts of the file were never written, as far as the file system can tell. A program that writes several
    /// parts at once may already have written the last one.
    pub fn has_hole(&self) -> bool {
        // ZFS turns written zeros into holes. File systems that cannot tell report no hole.
        let is_zfs = rustix::fs::fstatfs(&self.file).is_ok_and(|found| found.f_type == ZFS);
        let hole = rustix::fs::seek(&self.file, SeekFrom::Hole(0));
        !is_zfs && hole.is_ok_and(|at| at < self.stamp.len)
    }

    /// Returns the SHA-256 of the content.
    pub fn hash(&self) -> Result<[u8; 32], SourceError> {
        let mut reader = self.reader()?;
        let mut hash = Sha256::new();
        let mut block = vec![0; 1 << 16];
        loop {
            let count = reader.read(&mut block).at(&self.path())?;
            match block.get(..count) {
                None | Some([]) => return Ok(hash.finalize().into()),
                Some(bytes) => hash.update(bytes),
            }
        }
    }

    /// The absolute path.
    pub fn path(&self) -> PathBuf {
        self.root.join(&self.relative)
    }
}

fn birth_ns(file: &File) -> Option<i64> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
    let stat = rustix::fs::statx(file, "", flags, StatxFlags::BTIME).ok()?;
    let is_known = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    let born = stat.stx_btime;
    is_known.then(|| nanos(born.tv_sec, born.tv_nsec.into()))
}

/// Returns whether `error` means that the file does not exist.
pub(super) fn is_gone(error: &PathError) -> bool {
    // ELOOP: a link took its place, so the file is gone.
    let code = error.io().raw_os_error();
    [
        rustix::io::Errno::NOENT,
        rustix::io::Errno::NOTDIR,
        rustix::io::Errno::LOOP,
    ]
    .iter()
    .any(|errno| code == Some(errno.raw_os_error()))
}
