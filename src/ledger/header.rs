//! The header of `ledger.db` -> whether that file alone is the whole ledger; knows no table but `identity`.
//!
//! While hotcut runs, a part of the ledger lies in `ledger.db-wal`. `SQLite` applies any file of that name to any ledger, so a
//! ledger that was restored beside the `-wal` of another one would become a mixture of both. The mark in the header tells when a
//! `-wal` cannot belong to the ledger.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::LedgerError;
use super::sqlite_ledger::now_ms;
use crate::fs::path_error::AtPath as _;

/// The first bytes of every `SQLite` file.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where `application_id` stands in the file.
const MARK_OFFSET: usize = 68;

/// Time between two tries to get a ledger for this process alone.
pub(crate) const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// What is known of a ledger from its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderMark {
    /// Hotcut 0.1 wrote it, which made no mark.
    Unmarked,
    /// It has its tables; what lies in the output folders is not in it yet.
    New,
    /// Hotcut runs on it, or was killed.
    InUse,
    /// Hotcut has stopped: there is no `-wal`.
    Closed,
    /// A copy that no hotcut has run on: there is no `-wal`.
    Copy,
}

impl HeaderMark {
    /// The `application_id`: "hc" and a number.
    fn code(self) -> i32 {
        match self {
            Self::Unmarked => 0,
            Self::New => 0x6863_0001,
            Self::InUse => 0x6863_0002,
            Self::Closed => 0x6863_0003,
            Self::Copy => 0x6863_0004,
        }
    }

    fn of_code(code: i32) -> Self {
        let marks = [Self::New, Self::InUse, Self::Closed, Self::Copy];
        let mut marks = marks.into_iter();
        marks
            .find(|mark| mark.code() == code)
            .unwrap_or(Self::Unmarked)
    }

    /// Reads the mark as the ledger has it, its `-wal` included.
    pub(crate) fn of(connection: &Connection) -> Result<Self, LedgerError> {
        let code = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        Ok(Self::of_code(code))
    }

    /// Writes the mark, as a part of the transaction if there is one.
    pub(crate) fn write(self, connection: &Connection) -> Result<(), LedgerError> {
        Ok(connection.pragma_update(None, "application_id", self.code())?)
    }

    /// Reads the mark in the file alone. `None` if it is missing, empty or no `SQLite` file.
    ///
    /// Must not be called while this process has the ledger open: closing the file gives up `SQLite`'s locks on it.
    fn in_file(path: &Path) -> Option<Self> {
        let mut header = [0; MARK_OFFSET + 4];
        File::open(path).ok()?.read_exact_at(&mut header, 0).ok()?;
        let (_, code) = header.split_at(MARK_OFFSET);
        let code = i32::from_be_bytes(code.try_into().ok()?);
        header.starts_with(MAGIC).then(|| Self::of_code(code))
    }

    /// Tells whether the ledger was not closed when hotcut ended, or may not have been.
    pub(crate) fn is_unclean(self) -> bool {
        match self {
            Self::Unmarked | Self::New | Self::InUse => true,
            Self::Closed | Self::Copy => false,
        }
    }
}

/// Renames a `-wal` that cannot belong to the ledger at `path`, and returns its new name: the ledger is missing, or it was
/// complete without a `-wal` when it was put there.
pub(crate) fn set_stale_wal_aside(path: &Path) -> Result<Option<PathBuf>, LedgerError> {
    let wal = beside(path, "-wal");
    if wal.metadata().map_or(0, |file| file.len()) == 0 {
        return Ok(None);
    }
    let is_empty = path.metadata().map_or(true, |file| file.len() == 0);
    if !is_empty
        && !matches!(
            HeaderMark::in_file(path),
            Some(HeaderMark::Closed | HeaderMark::Copy)
        )
    {
        return Ok(None);
    }
    let aside = beside(path, &format!(".stale-{}-wal", now_ms()));
    rustix::fs::rename(&wal, &aside).at(&wal)?;
    // `SQLite` makes it anew.
    drop(std::fs::remove_file(beside(path, "-shm")));
    Ok(Some(aside))
}

/// The path of what belongs to the ledger at `path`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Marks the ledger as one that hotcut runs on, and lets it be read while it is written to.
pub(crate) fn begin_use(connection: &mut Connection, wait: Duration) -> Result<(), LedgerError> {
    match HeaderMark::of(connection)? {
        HeaderMark::New | HeaderMark::InUse => {}
        // The mark must be in the file itself before anything is written to a `-wal`.
        HeaderMark::Unmarked | HeaderMark::Closed => {
            leave_wal(connection, wait)?;
            HeaderMark::InUse.write(connection)?;
        }
        HeaderMark::Copy => {
            leave_wal(connection, wait)?;
            let transaction = connection.transaction()?;
            // Hidden files are named after the ledger. Those of its first life must not be taken for its own.
            transaction.execute("UPDATE identity SET id = lower(hex(randomblob(4)))", [])?;
            HeaderMark::New.write(&transaction)?;
            transaction.commit()?;
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(())
}

/// Puts everything into the file itself, removes the `-wal`, and marks the ledger as complete.
pub(crate) fn end_use(connection: &Connection, wait: Duration) -> Result<(), LedgerError> {
    leave_wal(connection, wait)?;
    if HeaderMark::of(connection)? == HeaderMark::InUse {
        HeaderMark::Closed.write(connection)?;
    }
    Ok(())
}

/// Waits on the thread that has the ledger.
#[expect(
    clippy::disallowed_methods,
    reason = "the loop has handed the ledger over, or does not run yet"
)]
pub(crate) fn pause(interval: Duration) {
    std::thread::sleep(interval);
}

/// Removes the `-wal`. Others that have the ledger open are waited for: `SQLite` does not wait by itself here.
fn leave_wal(connection: &Connection, wait: Duration) -> Result<(), LedgerError> {
    let deadline = Instant::now() + wait;
    loop {
        match connection.pragma_update(None, "journal_mode", "DELETE") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                pause(RETRY_INTERVAL);
            }
            result => return Ok(result?),
        }
    }
}
