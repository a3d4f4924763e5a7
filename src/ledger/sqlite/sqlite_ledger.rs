//! The connection to an `SQLite` ledger and what all operations on it share. Must not know an operation.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::explanations::Explaining;
use super::header::end_use;
use super::open::{CLOSE_WAIT, LOCK_WAIT};
use crate::ledger::attempts::Version;
use crate::ledger::error::LedgerError;
use crate::ledger::store::LedgerStore;

/// The ledger itself, on the thread that owns it.
#[derive(Debug)]
pub(super) struct SqliteLedger {
    pub(crate) connection: Connection,
    pub(crate) explaining: Explaining,
    id: String,
}

impl SqliteLedger {
    /// Takes a connection to a ledger of the current schema.
    pub(crate) fn identified(connection: Connection) -> Result<Self, LedgerError> {
        let id = connection.query_row("SELECT id FROM identity", [], |row| row.get(0))?;
        Ok(Self {
            connection,
            explaining: Explaining::default(),
            id,
        })
    }
}

impl LedgerStore for SqliteLedger {
    fn id(&self) -> &str {
        &self.id
    }

    fn foreign_changes(&mut self) -> Result<i64, LedgerError> {
        Ok(self
            .connection
            .query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    fn checkpoint(&mut self) -> Result<(), LedgerError> {
        self.connection.busy_timeout(Duration::ZERO)?;
        let query = "PRAGMA wal_checkpoint(TRUNCATE)";
        let written = self.connection.query_row(query, [], |_| Ok(()));
        self.connection.busy_timeout(LOCK_WAIT)?;
        Ok(written?)
    }

    fn close(mut self: Box<Self>) -> Result<(), LedgerError> {
        self.checkpoint()?;
        end_use(&self.connection, CLOSE_WAIT)?;
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}

/// The key of the row of `version`: folder, source, len, `mtime_ns`, ino.
pub(crate) fn key(version: &Version) -> (&str, &[u8], i64, i64, i64) {
    let stamp = &version.stamp;
    (
        &version.folder,
        bytes(&version.source),
        signed(stamp.len),
        stamp.mtime_ns,
        signed(stamp.ino),
    )
}

pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

pub(crate) fn path(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// `SQLite` integers are signed; the bits are kept.
pub(crate) fn signed(number: u64) -> i64 {
    number.cast_signed()
}
