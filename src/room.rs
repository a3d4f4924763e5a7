//! An open file or folder -> whether its disk can take more beside what the ledger will need. Writes nothing.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;

/// What must stay free on the disk of the state directory, in bytes: without room for its ledger hotcut ends.
const RESERVE_BYTES: u64 = 256 << 20;

/// Fails with `ENOSPC` if `len` bytes more, on the disk that `place` lies on, would reach into the ledger's reserve.
pub fn ask(place: impl AsFd, len: u64) -> io::Result<()> {
    let disk = rustix::fs::fstatvfs(place)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < RESERVE_BYTES.saturating_add(len) {
        return Err(Errno::NOSPC.into());
    }
    Ok(())
}
