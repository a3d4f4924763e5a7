//! What `stat` says of a file -> the identity of one version of it; knows no path.

use rustix::fs::Stat;

/// Tells one version of a file from another without reading it.
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

    /// Tells whether both are the same version: a changed mode or owner does not make a new one.
    pub fn same_version(&self, other: &Self) -> bool {
        (self.len, self.mtime_ns, self.ino) == (other.len, other.mtime_ns, other.ino)
    }
}

fn nanos(seconds: i64, rest: u64) -> i64 {
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add_unsigned(rest)
}
