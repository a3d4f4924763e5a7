//! Reads from the header of `ledger.db` whether that file alone is the whole ledger. Must know no table but `identity`.
//!
//! While hotcut runs, a part of the ledger lies in `ledger.db-wal`. `SQLite` applies any file of that name to any ledger. A ledger
//! restored beside the `-wal` of another one would become a mixture of both. The mark in the header shows when a `-wal` cannot
//! belong to the ledger.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use crate::fs::path_error::AtPath as _;
use crate::ledger::attempts::now_ms;
use crate::ledger::error::LedgerError;

/// The first bytes of every `SQLite` file.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The offset of `application_id` in the file.
const MARK_OFFSET: usize = 68;

/// The time between two attempts to get exclusive access to a ledger.
pub(crate) const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The state of a ledger, from its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderMark {
    /// Written by hotcut 0.1, which set no mark.
    Unmarked,
    /// It has its tables; the cutouts in the output folders are not read into it yet.
    New,
    /// Hotcut uses it, or was killed.
    InUse,
    /// Hotcut has closed it: there is no `-wal`.
    Closed,
    /// A copy that hotcut has not run on: there is no `-wal`.
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

    /// Reads the mark of the ledger, including its `-wal`.
    pub(crate) fn of(connection: &Connection) -> Result<Self, LedgerError> {
        let code = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        Ok(Self::of_code(code))
    }

    /// Writes the mark, within the current transaction if there is one.
    pub(crate) fn write(self, connection: &Connection) -> Result<(), LedgerError> {
        Ok(connection.pragma_update(None, "application_id", self.code())?)
    }

    /// Reads the mark in the file alone. `None` if it is missing, empty or no `SQLite` file.
    ///
    /// Must not be called while this process has the ledger open: closing the file releases `SQLite`'s locks on it.
    fn in_file(path: &Path) -> Option<Self> {
        let mut header = [0; MARK_OFFSET + 4];
        File::open(path).ok()?.read_exact_at(&mut header, 0).ok()?;
        let (_, code) = header.split_at(MARK_OFFSET);
        let code = i32::from_be_bytes(code.try_into().ok()?);
        header.starts_with(MAGIC).then(|| Self::of_code(code))
    }

    /// Returns whether the ledger was not, or may not have been, closed when hotcut ended.
    pub(crate) fn is_unclean(self) -> bool {
        match self {
            Self::Unmarked | Self::New | Self::InUse => true,
            Self::Closed | Self::Copy => false,
        }
    }
}

/// Renames a `-wal` that cannot belong to the ledger at `path`, and returns its new name. It cannot if the ledger is missing, or
/// was complete without a `-wal` when it was put there.
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
    // `SQLite` creates it again.
    drop(std::fs::remove_file(beside(path, "-shm")));
    Ok(Some(aside))
}

/// The path of the file with `ending` that belongs to the ledger at `path`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Marks the ledger as in use, and lets it be read while it is written.
pub(crate) fn begin_use(connection: &mut Connection, wait: Duration) -> Result<(), LedgerError> {
    match HeaderMark::of(connection)? {
        HeaderMark::New | HeaderMark::InUse => {}
        // The mark must be in the file itself before a `-wal` is written.
        HeaderMark::Unmarked | HeaderMark::Closed => {
            leave_wal(connection, wait)?;
            HeaderMark::InUse.write(connection)?;
        }
        HeaderMark::Copy => {
            leave_wal(connection, wait)?;
            let transaction = connection.transaction()?;
            // The id is part of the names of hidden files. The restored ledger must not treat files of the original as its own.
            transaction.execute("UPDATE identity SET id = lower(hex(randomblob(4)))", [])?;
            HeaderMark::New.write(&transaction)?;
            transaction.commit()?;
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(())
}

/// Writes everything into the file itself, removes the `-wal`, and marks the ledger as closed.
pub(crate) fn end_use(connection: &Connection, wait: Duration) -> Result<(), LedgerError> {
    leave_wal(connection, wait)?;
    if HeaderMark::of(connection)? == HeaderMark::InUse {
        HeaderMark::Closed.write(connection)?;
    }
    Ok(())
}

/// Sleeps on the ledger's thread.
#[expect(
    clippy::disallowed_methods,
    reason = "the loop has handed the ledger over, or does not run yet"
)]
pub(crate) fn pause(interval: Duration) {
    std::thread::sleep(interval);
}

/// Removes the `-wal`. Waits for other processes that have the ledger open, since `SQLite` does not wait here.
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
