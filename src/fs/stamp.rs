//! Converts the result of `stat` to the identity of one version of a file. Must not depend on paths.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, FileType, Stat, StatxFlags};

/// Distinguishes versions of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Length in bytes.
    pub len: u64,
    /// Last modification, in nanoseconds since the epoch of the file system's own clock.
    pub mtime_ns: i64,
    /// Last change of the inode, in nanoseconds; compared while settling, not part of a version's identity.
    pub ctime_ns: i64,
    /// Inode number.
    pub ino: u64,
}

impl Stamp {
    /// Returns the stamp in `stat`.
    pub fn of(stat: &Stat) -> Self {
        Self {
            len: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_ns: nanos(stat.st_mtime, stat.st_mtime_nsec),
            ctime_ns: nanos(stat.st_ctime, stat.st_ctime_nsec),
            ino: stat.st_ino,
        }
    }

    /// Reads the stamp of `name` in `directory`, or of the open file `directory` if `name` is empty. Bypasses the cache: a network
    /// mount may otherwise return attributes that are up to a minute old.
    pub fn read(directory: impl AsFd, name: &OsStr) -> rustix::io::Result<(Self, FileType)> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
        let stat = rustix::fs::statx(directory, name, flags, StatxFlags::BASIC_STATS)?;
        let stamp = Self {
            len: stat.stx_size,
            mtime_ns: nanos(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec.into()),
            ctime_ns: nanos(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec.into()),
            ino: stat.stx_ino,
        };
        Ok((stamp, FileType::from_raw_mode(stat.stx_mode.into())))
    }

    /// Time since the last change of the inode (content, mode or name) at `now`.
    pub fn age(&self, now: SystemTime) -> Duration {
        let changed = Duration::from_nanos(u64::try_from(self.ctime_ns).unwrap_or(0));
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.saturating_sub(changed)
    }

    /// Whether both are the same version. A changed mode or owner does not make a new version.
    pub fn same_version(&self, other: &Self) -> bool {
        (self.len, self.mtime_ns, self.ino) == (other.len, other.mtime_ns, other.ino)
    }
}

/// Returns a time of a file in nanoseconds.
pub fn nanos(seconds: i64, rest: u64) -> i64 {
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add_unsigned(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when the two ways to read a stamp differ: every listed file would seem to have changed.
    #[test]
    fn both_ways_lead_to_the_same_stamp() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
        let folder = std::fs::File::open(dir.path()).unwrap();
        let listed = rustix::fs::statat(&folder, "link", AtFlags::SYMLINK_NOFOLLOW).unwrap();
        let asked = Stamp::read(&folder, OsStr::new("link")).unwrap();
        assert_eq!(asked, (Stamp::of(&listed), FileType::Symlink));
        let open = rustix::fs::fstat(&folder).unwrap();
        let asked = Stamp::read(&folder, OsStr::new("")).unwrap();
        assert_eq!(asked, (Stamp::of(&open), FileType::Directory));
    }

    #[test]
    fn age_is_counted_from_the_last_change() {
        let stamp = Stamp {
            len: 1,
            mtime_ns: 0,
            ctime_ns: 5_000_000_000,
            ino: 1,
        };
        let later = UNIX_EPOCH + Duration::from_secs(12);
        assert_eq!(stamp.age(later), Duration::from_secs(7));
        assert_eq!(stamp.age(UNIX_EPOCH), Duration::ZERO, "another clock");
    }
}
