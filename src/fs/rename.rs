//! A file in an open folder -> the same file under another name. Must never replace a file of somebody else.
//!
//! Local file systems refuse to replace when they are asked to (`RENAME_NOREPLACE`). NFS, 9p and some FUSE file systems do not
//! know that, and SMB servers replace all the same; a hard link never replaces. Where there is neither, nothing is renamed.

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

/// Why a file does not have its new name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// Something has the name.
    #[error("the name is taken")]
    Taken,
    /// The file system offers no way that replaces nothing.
    #[error(
        "this file system ({kind}) cannot rename a file without the risk of replacing another one (rename: {rename}; link: {link}); \
         use a folder on another file system or, for a hot folder, let hotcut write its files or set `source = \"keep\"`"
    )]
    Unsafe {
        /// What the file system is called.
        kind: String,
        /// The answer to a rename that replaces nothing.
        rename: Errno,
        /// The answer to a link.
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

/// Gives the file `from`, a hidden name of hotcut's own, the name `to`, unless something has that.
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

/// Gives the file `from` the hidden name `to`, which is hotcut's own. Whatever has the name `from` at that moment is
/// renamed, so the caller must look at what it has got. Refuses where [`to_free`] could not give a name back.
pub fn to_hidden(from: DirectoryEntry<'_>, to: DirectoryEntry<'_>) -> Result<(), RenameError> {
    let file = Identity::of(from)?;
    let rename = match rename_no_replace(from, to, &file) {
        Err(RenameRefusal::Unsupported(errno)) => errno,
        Err(RenameRefusal::Failed(Errno::EXIST)) => return Err(RenameError::Taken),
        Err(RenameRefusal::Failed(errno)) => return Err(errno.into()),
        Ok(()) => return Ok(()),
    };
    // A link would have to be followed by the removal of `from`, which may be another file by then. It is made to see
    // whether there is a way back, and removed.
    match link(from, to) {
        Err(RenameRefusal::Unsupported(link)) => return Err(refuse(to, rename, link)),
        Err(RenameRefusal::Failed(errno)) if !file.is_also(to) => return Err(taken_or(errno)),
        Err(RenameRefusal::Failed(_)) | Ok(()) => remove(to)?,
    }
    over(from, to)
}

/// Gives the file `from` the name `to`, whatever has that: the caller knows that it is its own.
pub fn over(from: DirectoryEntry<'_>, to: DirectoryEntry<'_>) -> Result<(), RenameError> {
    let file = Identity::of(from)?;
    let renamed = rustix::fs::renameat(from.directory, from.name, to.directory, to.name);
    Ok(confirm(from, to, &file, renamed)?)
}

/// Why a system call did not do what it should.
enum RenameRefusal {
    /// It is not offered here.
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
        // EPERM is also the answer for a file of somebody else that hotcut may not write.
        Err(errno @ (Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL | Errno::MLINK)) => {
            Err(RenameRefusal::Unsupported(errno))
        }
        Err(errno) => Err(RenameRefusal::Failed(errno)),
    }
}

/// Removes the name `from` once `to` is the same file, whatever was answered: a server may have made the link and its
/// answer been lost, or an earlier try been cut short.
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

/// Takes a rename for done, whatever was answered, if `from` is gone and `to` is the file: the answer of a server may have
/// been lost, and its repetition finds nothing to rename.
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
        // The answer to an earlier request was lost.
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

/// Tells whether two names are one file. The length and the time guard against servers whose inode numbers are not unique.
#[derive(Debug)]
struct Identity {
    device: (u32, u32),
    ino: u64,
    len: u64,
    mtime: (i64, u32),
    links: u32,
}

impl Identity {
    /// Asks the server, past what a network mount remembers.
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

    /// Tells whether `name` is another link to this file.
    fn is_also(&self, name: DirectoryEntry<'_>) -> bool {
        Self::of(name).is_ok_and(|found| found.links > 1 && found.is_same(self))
    }
}

#[cfg(test)]
mod tests;
