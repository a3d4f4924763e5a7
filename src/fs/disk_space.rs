//! Checks the free space on the disk of an open file or folder. Must not write.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use rustix::io::Errno;

use super::path_error::{AtPath as _, PathError};

/// Space that must stay free on the disk of the state directory, in bytes: hotcut ends when the ledger has no space.
const RESERVE_BYTES: u64 = 256 << 20;

/// The default of `min_free`: this much, or a fiftieth of a smaller disk.
const DEFAULT_BYTES: u64 = 1 << 30;
const DEFAULT_PART: u64 = 50;

/// How much must stay free on each disk that hotcut writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinFree {
    /// 1 GiB or 2 % of the disk, whichever is less.
    Default,
    /// This number of bytes.
    Bytes(u64),
}

/// A disk with less free space than must stay free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooFull {
    /// A folder on it.
    pub folder: PathBuf,
    free: u64,
    least: u64,
}

impl fmt::Display for TooFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (free, least) = (ByteSize(self.free), ByteSize(self.least));
        let folder = self.folder.display();
        write!(f, "{free} are free in {folder}, `min_free` is {least}")
    }
}

/// Why nothing more may be written.
#[derive(Debug, thiserror::Error)]
pub enum DiskSpaceError {
    /// Too little would stay free.
    #[error("{0}")]
    TooFull(TooFull),
    /// The free space cannot be determined.
    #[error(transparent)]
    Io(#[from] PathError),
}

struct Disk {
    free: u64,
    total: u64,
}

impl Disk {
    fn of(place: impl AsFd) -> io::Result<Self> {
        let disk = rustix::fs::fstatvfs(place)?;
        Ok(Self {
            free: disk.f_bavail.saturating_mul(disk.f_frsize),
            total: disk.f_blocks.saturating_mul(disk.f_frsize),
        })
    }
}

impl MinFree {
    fn bytes(self, disk: &Disk) -> u64 {
        match self {
            Self::Default => DEFAULT_BYTES.min(disk.total / DEFAULT_PART),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Fails when the disk of `folder`, which is open as `place`, has less free space.
    pub fn check(self, place: impl AsFd, folder: &Path) -> Result<(), DiskSpaceError> {
        let disk = Disk::of(place).at(folder)?;
        let least = self.bytes(&disk);
        // Some network disks do not report their size.
        if disk.total == 0 || disk.free >= least {
            return Ok(());
        }
        Err(DiskSpaceError::TooFull(TooFull {
            folder: folder.to_owned(),
            free: disk.free,
            least,
        }))
    }

    /// As [`Self::check`], for a folder that may not exist yet.
    pub fn check_path(self, folder: &Path) -> Result<(), DiskSpaceError> {
        let existing = folder.ancestors().find(|path| path.exists());
        let existing = existing.unwrap_or(folder);
        self.check(std::fs::File::open(existing).at(existing)?, folder)
    }

    /// Fails with `ENOSPC` when `len` more bytes on the disk of `place` would use the ledger's reserve or the space that must stay
    /// free.
    pub fn ensure_free(self, place: impl AsFd, len: u64) -> io::Result<()> {
        let disk = Disk::of(place)?;
        let reserve = RESERVE_BYTES.max(self.bytes(&disk));
        if disk.free < reserve.saturating_add(len) {
            return Err(Errno::NOSPC.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_stay_free_depends_on_the_size_of_the_disk() {
        let least = |total| MinFree::Default.bytes(&Disk { free: 0, total });
        assert_eq!(least(10 << 30), (10 << 30) / 50);
        assert_eq!(least(1 << 40), 1 << 30);
        let given = MinFree::Bytes(5).bytes(&Disk { free: 0, total: 9 });
        assert_eq!(given, 5);
    }

    #[test]
    fn a_disk_that_is_too_full_is_told_with_both_figures() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            MinFree::Bytes(1)
                .check_path(&dir.path().join("a/b"))
                .is_ok()
        );
        let full = MinFree::Bytes(1 << 60).check_path(dir.path()).unwrap_err();
        let told = full.to_string();
        assert!(told.ends_with("`min_free` is 1.0 EiB"), "{told}");
        assert!(told.contains(" are free in /"), "{told}");
    }
}
