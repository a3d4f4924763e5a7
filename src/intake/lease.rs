//! An open file -> whether somebody holds it open for writing, as far as the kernel tells; knows no path.
#![expect(
    unsafe_code,
    reason = "no safe wrapper of F_SETLEASE exists in rustix, nix or std; see the argument at the call"
)]

use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::Writer;

/// Asks for a read lease, which the kernel refuses while a writer has the file open, and gives it back at once.
///
/// Only the owner of the file or a process with `CAP_LEASE` may ask, and not on every file system; where the question
/// is refused the answer is [`Writer::Absent`], and the settle time alone decides. A writer that opens the file in
/// between waits for microseconds and makes the kernel send SIGIO, which `shutdown` has made harmless.
pub(super) fn writer_of(file: BorrowedFd<'_>) -> Writer {
    match set_lease(file, libc::F_RDLCK) {
        Ok(()) => {
            // Closing the file would drop the lease as well; this only does it sooner.
            set_lease(file, libc::F_UNLCK).ok();
            Writer::Absent
        }
        Err(errno) if errno == rustix::io::Errno::AGAIN => Writer::Present,
        Err(_) => Writer::Absent,
    }
}

fn set_lease(file: BorrowedFd<'_>, kind: libc::c_int) -> Result<(), rustix::io::Errno> {
    // SAFETY: F_SETLEASE takes an integer and touches no memory of this process; the descriptor is open for as long as
    // `file` is borrowed.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) };
    if answer == 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;

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
