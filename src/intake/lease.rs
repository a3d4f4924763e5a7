//! A file -> whether somebody holds it open for writing, as far as the kernel tells; reads nothing.
#![expect(
    unsafe_code,
    reason = "no safe wrapper of F_SETLEASE exists in rustix, nix or std; see the argument at the call"
)]

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Writer;
use crate::fs::path_error::PathError;
use crate::fs::root::Root;

/// Tells whether `relative` has a writer.
pub(super) fn writer_at(root: &Root, relative: &Path) -> Writer {
    match root.open_below(relative, OFlags::RDONLY) {
        Ok(file) => writer_of(file.as_fd()),
        Err(error) if is_leased(&error) => Writer::Present,
        Err(_) => Writer::Absent,
    }
}

/// Tells whether `error` is that somebody else has a write lease on the file, as a file server takes one for a client
/// that writes; the kernel has asked for it back.
pub(super) fn is_leased(error: &PathError) -> bool {
    error.io().raw_os_error() == Some(Errno::WOULDBLOCK.raw_os_error())
}

/// Asks for a read lease, which the kernel refuses while a writer has the file open, and gives it back at once.
///
/// Only the owner of the file or a process with `CAP_LEASE` may ask, and not on every file system; where the question
/// is refused the answer is [`Writer::Absent`], and the settle time alone decides. A writer that opens the file in
/// between waits for microseconds and makes the kernel send SIGIO, which `shutdown` has made harmless.
fn writer_of(file: BorrowedFd<'_>) -> Writer {
    match set_lease(file, libc::F_RDLCK) {
        Ok(()) => {
            // Closing the file would drop the lease as well; this only does it sooner.
            set_lease(file, libc::F_UNLCK).ok();
            Writer::Absent
        }
        Err(errno) if errno == Errno::AGAIN => Writer::Present,
        Err(_) => Writer::Absent,
    }
}

fn set_lease(file: BorrowedFd<'_>, kind: libc::c_int) -> Result<(), Errno> {
    // SAFETY: F_SETLEASE takes an integer and touches no memory of this process; the descriptor is open for as long as
    // `file` is borrowed.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) };
    if answer == 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Missing in `libc`; the same number on every architecture of Linux.
    const F_SETSIG: libc::c_int = 10;

    /// P1: fails when a file that a file server has leased to a client is taken for complete, or for one that cannot be
    /// read.
    #[test]
    fn a_file_that_is_leased_for_writing_has_a_writer() {
        let dir = tempfile::tempdir().unwrap();
        let file = std::fs::File::create_new(dir.path().join("a.jpg")).unwrap();
        let root = Root::open(dir.path(), None).unwrap();
        // SAFETY: as for F_SETLEASE. SIGURG is ignored by default; SIGIO, sent otherwise, would end the process.
        let answer = unsafe { libc::fcntl(file.as_raw_fd(), F_SETSIG, libc::SIGURG) };
        assert_eq!(answer, 0);
        set_lease(file.as_fd(), libc::F_WRLCK).unwrap();
        let name = Path::new("a.jpg");
        let error = root.open_below(name, OFlags::RDONLY).unwrap_err();
        assert!(is_leased(&error), "{error}");
        assert_eq!(writer_at(&root, name), Writer::Present);
        drop(file);
        assert_eq!(writer_at(&root, name), Writer::Absent);
    }

    #[test]
    fn a_file_held_open_for_writing_has_a_writer() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let reader = std::fs::File::open(file.path()).unwrap();
        assert_eq!(writer_of(reader.as_fd()), Writer::Present);
        let path = file.into_temp_path();
        assert_eq!(writer_of(reader.as_fd()), Writer::Absent);
        drop(path);
    }
}
