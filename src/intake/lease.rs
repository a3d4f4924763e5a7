//! Detects whether a program has a file open for writing, as far as the kernel can tell. Must not read the file.
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

/// Returns whether the file at `relative` has a writer.
pub(super) fn writer_at(root: &Root, relative: &Path) -> Writer {
    match root.open_below(relative, OFlags::RDONLY) {
        Ok(file) => writer_of(file.as_fd()),
        Err(error) if is_leased(&error) => Writer::Present,
        Err(_) => Writer::Absent,
    }
}

/// Returns whether `error` means that another process holds a write lease on the file, as a file server does for a client that
/// writes. The kernel has already asked that process to return the lease.
pub(super) fn is_leased(error: &PathError) -> bool {
    error.io().raw_os_error() == Some(Errno::WOULDBLOCK.raw_os_error())
}

/// Requests a read lease, which the kernel refuses while a writer has the file open, and returns it at once.
///
/// Only the owner of the file or a process with `CAP_LEASE` may request a lease, and not on every file system. If the request
/// itself is refused, the result is [`Writer::Absent`], and the settle time alone decides. A writer that opens the file in between
/// waits for microseconds and makes the kernel send SIGIO, which `shutdown` has made harmless.
fn writer_of(file: BorrowedFd<'_>) -> Writer {
    match set_lease(file, libc::F_RDLCK) {
        Ok(()) => {
            // Closing the file would release the lease too; this releases it sooner.
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

    /// Missing in `libc`; the number is the same on every Linux architecture.
    const F_SETSIG: libc::c_int = 10;

    /// P1: fails when a file that a file server has leased to a client counts as complete or as unreadable.
    #[test]
    fn a_file_that_is_leased_for_writing_has_a_writer() {
        let dir = tempfile::tempdir().unwrap();
        let file = std::fs::File::create_new(dir.path().join("a.jpg")).unwrap();
        let root = Root::open(dir.path(), None).unwrap();
        // SAFETY: as for F_SETLEASE. SIGURG is ignored by default; SIGIO, which is sent otherwise, would end the process.
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
