//! Renames a file in an open folder. Must never replace a file of another program.
//!
//! Local file systems refuse to replace a file on request (`RENAME_NOREPLACE`). NFS, 9p and some FUSE file systems do not support
//! this, and SMB servers ignore it; a hard link never replaces a file. Without either of the two, nothing is renamed.

use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, RenameFlags, StatxFlags};
use rustix::io::Errno;

use super::mount;

/// A name in an open folder.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryEntry<'a> {
    /// The folder.
    pub directory: BorrowedFd<'a>,
    /// The name.
    pub name: &'a OsStr,
}

/// Why a file was not renamed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// The name is taken.
    #[error("the name is taken")]
    Taken,
    /// The file system offers no safe way to rename.
    #[error(
        "this file system ({kind}) cannot rename a file without the risk of replacing another one (rename: {rename}; link: {link}); \
         use a folder on another file system or, for a hot folder, let hotcut write its files or set `source = \"keep\"`"
    )]
    Unsafe {
        /// The name of the file system.
        kind: String,
        /// The error of a rename that must not replace a file.
        rename: Errno,
        /// The error of a hard link.
        link: Errno,
    },
    /// The system call failed.
    #[error(transparent)]
    Failed(#[from] Errno),
}

impl From<RenameError> for io::Error {
    fn from(error: RenameError) -> Self {
        match error {
            RenameError::Taken => Errno::EXIST.into(),
            RenameError::Failed(errno) => errno.into(),
            RenameError::Unsafe { .. } => Self::new(io::ErrorKind::Unsupported, error),
        }
    }
}

/// Renames `from`, a hidden name of hotcut, to `to`, if `to` is free.
pub fn to_free(from: DirectoryEntry<'_>, to: DirectoryEntry<'_>) -> Result<(), RenameError> {
    let file = Identity::of(from)?;
    let rename = match rename_no_replace(from, to, &file) {
        Err(RenameRefusal::Unsupported(errno)) => errno,
        Err(RenameRefusal::Failed(errno)) => return finish_link(from, to, &file, Err(errno)),
        Ok(()) => return Ok(()),
    };
    match link(from, to) {
        Err(RenameRefusal::Unsupported(link)) => Err(refuse(to, rename, link)),
        Err(RenameRefusal::Failed(errno)) => finish_link(from, to, &file, Err(errno)),
        Ok(()) => finish_link(from, to, &file, Ok(())),
    }
}

/// Renames `from` to the hidden name `to`, which belongs to hotcut. Renames whatever file has the name `from` at that moment, so
/// the caller must check the file. Refuses on file systems where [`to_free`] could not restore the name.
pub fn to_hidden(from: DirectoryEntry<'_>, to: DirectoryEntry<'_>) -> Result<(), RenameError> {
    let file = Identity::of(from)?;
    let rename = match rename_no_replace(from, to, &file) {
        Err(RenameRefusal::Unsupported(errno)) => errno,
        Err(RenameRefusal::Failed(Errno::EXIST)) => return Err(RenameError::Taken),
        Err(RenameRefusal::Failed(errno)) => return Err(errno.into()),
        Ok(()) => return Ok(()),
    };
    // A link would require the removal of `from`, which may be another file by then. The link is made only to test whether the name
    // could be restored, and is removed.
    match link(from, to) {
        Err(RenameRefusal::Unsupported(link)) => return Err(refuse(to, rename, link)),
        Err(RenameRefusal::Failed(errno)) if !file.is_also(to) => return Err(taken_or(errno)),
        Err(RenameRefusal::Failed(_)) | Ok(()) => remove(to)?,
    }
    over(from, to)
}

/// Renames `from` to `to` and replaces any file there: the caller owns that name.
pub fn over(from: DirectoryEntry<'_>, to: DirectoryEntry<'_>) -> Result<(), RenameError> {
    let file = Identity::of(from)?;
    let renamed = rustix::fs::renameat(from.directory, from.name, to.directory, to.name);
    Ok(confirm(from, to, &file, renamed)?)
}

/// Why a system call failed.
enum RenameRefusal {
    /// The file system does not support it.
    Unsupported(Errno),
    Failed(Errno),
}

fn rename_no_replace(
    from: DirectoryEntry<'_>,
    to: DirectoryEntry<'_>,
    file: &Identity,
) -> Result<(), RenameRefusal> {
    let is_smb = rustix::fs::fstatfs(to.directory)
        .is_ok_and(|found| mount::kind_of(&found).is_some_and(mount::is_smb));
    if is_smb {
        return Err(RenameRefusal::Unsupported(Errno::NOTSUP));
    }
    let flags = RenameFlags::NOREPLACE;
    let renamed =
        rustix::fs::renameat_with(from.directory, from.name, to.directory, to.name, flags);
    match renamed {
        Err(errno @ (Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)) => {
            Err(RenameRefusal::Unsupported(errno))
        }
        renamed => confirm(from, to, file, renamed).map_err(RenameRefusal::Failed),
    }
}

fn link(from: DirectoryEntry<'_>, to: DirectoryEntry<'_>) -> Result<(), RenameRefusal> {
    let flags = AtFlags::empty();
    match rustix::fs::linkat(from.directory, from.name, to.directory, to.name, flags) {
        Ok(()) => Ok(()),
        // EPERM is also the error for another user's file that hotcut may not write.
        Err(errno @ (Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL | Errno::MLINK)) => {
            Err(RenameRefusal::Unsupported(errno))
        }
        Err(errno) => Err(RenameRefusal::Failed(errno)),
    }
}

/// Removes the name `from` once `to` is the same file, whatever the result of the link: the server's reply may have been lost, or
/// an earlier try interrupted.
fn finish_link(
    from: DirectoryEntry<'_>,
    to: DirectoryEntry<'_>,
    file: &Identity,
    linked: Result<(), Errno>,
) -> Result<(), RenameError> {
    match linked {
        Err(errno) if !file.is_also(to) => Err(taken_or(errno)),
        Err(_) | Ok(()) => Ok(remove(from)?),
    }
}

/// Treats a rename as done, whatever its result, if `from` is gone and `to` is the file: the reply of a server may have been lost,
/// and the repeated request finds nothing to rename.
fn confirm(
    from: DirectoryEntry<'_>,
    to: DirectoryEntry<'_>,
    file: &Identity,
    renamed: Result<(), Errno>,
) -> Result<(), Errno> {
    let Err(errno) = renamed else {
        return Ok(());
    };
    let is_gone = matches!(Identity::of(from), Err(Errno::NOENT));
    let has_arrived = Identity::of(to).is_ok_and(|found| found.is_same(file));
    if is_gone && has_arrived {
        Ok(())
    } else {
        Err(errno)
    }
}

fn remove(entry: DirectoryEntry<'_>) -> Result<(), Errno> {
    match rustix::fs::unlinkat(entry.directory, entry.name, AtFlags::empty()) {
        // The reply to an earlier request was lost.
        Err(Errno::NOENT) | Ok(()) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn taken_or(errno: Errno) -> RenameError {
    match errno {
        Errno::EXIST => RenameError::Taken,
        errno => RenameError::Failed(errno),
    }
}

fn refuse(to: DirectoryEntry<'_>, rename: Errno, link: Errno) -> RenameError {
    let found = rustix::fs::fstatfs(to.directory);
    RenameError::Unsafe {
        kind: found.map_or_else(|_| "unknown".to_owned(), |found| mount::name_of(&found)),
        rename,
        link,
    }
}

/// Identifies a file. Length and time are compared because some servers have inode numbers that are not unique.
#[derive(Debug)]
struct Identity {
    device: (u32, u32),
    ino: u64,
    len: u64,
    mtime: (i64, u32),
    links: u32,
}

impl Identity {
    /// Asks the server, bypassing the cache of a network mount.
    fn of(entry: DirectoryEntry<'_>) -> Result<Self, Errno> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_FORCE_SYNC;
        let mask = StatxFlags::BASIC_STATS;
        let stat = rustix::fs::statx(entry.directory, entry.name, flags, mask)?;
        Ok(Self {
            device: (stat.stx_dev_major, stat.stx_dev_minor),
            ino: stat.stx_ino,
            len: stat.stx_size,
            mtime: (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            links: stat.stx_nlink,
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.device, self.ino, self.len, self.mtime)
            == (other.device, other.ino, other.len, other.mtime)
    }

    /// Whether `name` is another link to this file.
    fn is_also(&self, name: DirectoryEntry<'_>) -> bool {
        Self::of(name).is_ok_and(|found| found.links > 1 && found.is_same(self))
    }
}

#[cfg(test)]
mod tests;
