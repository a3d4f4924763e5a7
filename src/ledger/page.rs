//! The ledger -> a page of its photos, for somebody who looks through them beside the daemon; changes nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, ToSql};

use super::history::{PhotoState, photo_state};
use super::sqlite_ledger::{SqliteLedger, path};
use super::{LedgerError, schema};
use crate::fs::stamp::Stamp;

/// The most photos that one page holds.
pub const PAGE_MAX: u32 = 200;

/// What the ledger's columns are called, in the order in which [`photo_row`] takes them.
const COLUMNS: &str = "id, folder, source, state, len, mtime_ns, ino, output, model, reason, attempts, begun_at_ms, \
                       ended_at_ms";

/// Which photos are asked for, the newest first.
#[derive(Clone, Debug)]
pub struct PhotoQuery {
    /// Those of this hot folder only.
    pub folder: Option<String>,
    /// Those that stand like this only.
    pub state: Option<PhotoState>,
    /// Those whose `id` is less: the last `id` of the page before.
    pub before: Option<i64>,
    /// How many at most; [`PAGE_MAX`] is the limit.
    pub count: u32,
}

/// One version of one source. Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoRow {
    /// Greater than that of every version that was begun earlier.
    pub id: i64,
    /// Name of the hot folder.
    pub folder: String,
    /// Path of the source below it.
    pub source: PathBuf,
    /// How it stands.
    pub state: PhotoState,
    /// Which version. Its inode is lost once the source was moved or deleted, and its change time is not kept.
    pub stamp: Stamp,
    /// Where its cutout is, or is to be.
    pub output: PathBuf,
    /// The model.
    pub model: String,
    /// Why, if it is quarantined or ignored.
    pub reason: Option<String>,
    /// Attempts that count.
    pub attempts: u32,
    /// When the last attempt began.
    pub begun_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

impl SqliteLedger {
    /// Opens the ledger in `state_dir` to read it only, beside a running daemon and on any thread. `None` if there is none,
    /// or one that no daemon of this version has opened yet: its schema is left as it is.
    pub fn open_reader(state_dir: &Path) -> Result<Option<Self>, LedgerError> {
        let path = state_dir.join("ledger.db");
        if !path.exists() {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "query_only", true)?;
        if schema::is_current(&connection)? {
            Self::identified(connection).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Returns a page of photos. It costs what the page costs, however long the ledger is.
    pub fn photos(&mut self, query: &PhotoQuery) -> Result<Vec<PhotoRow>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&sql(query))?;
        let (before, count) = (query.before.unwrap_or(i64::MAX), query.count.min(PAGE_MAX));
        let state = query.state.map(PhotoState::word);
        let mut values: Vec<&dyn ToSql> = vec![&before];
        values.extend(query.folder.iter().map(|folder| folder as &dyn ToSql));
        values.extend(state.iter().map(|state| state as &dyn ToSql));
        values.push(&count);
        let rows = statement.query_map(&values[..], photo_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns one photo, if there is such an `id`.
    pub fn photo(&mut self, id: i64) -> Result<Option<PhotoRow>, LedgerError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM versions WHERE id = ?"))?;
        Ok(statement.query_row([id], photo_row).optional()?)
    }
}

fn sql(query: &PhotoQuery) -> String {
    let folder = query.folder.as_ref().map_or("", |_| " AND folder = ?");
    let state = query.state.map_or("", |_| " AND state = ?");
    format!("SELECT {COLUMNS} FROM versions WHERE id < ?{folder}{state} ORDER BY id DESC LIMIT ?")
}

fn photo_row(row: &Row<'_>) -> rusqlite::Result<PhotoRow> {
    let state: String = row.get(3)?;
    Ok(PhotoRow {
        id: row.get(0)?,
        folder: row.get(1)?,
        source: path(row.get(2)?),
        state: photo_state(&state),
        stamp: Stamp {
            len: row.get::<_, i64>(4)?.cast_unsigned(),
            mtime_ns: row.get(5)?,
            ctime_ns: 0,
            ino: row.get::<_, i64>(6)?.cast_unsigned(),
        },
        output: path(row.get(7)?),
        model: row.get(8)?,
        reason: row.get(9)?,
        attempts: row.get(10)?,
        begun_at_ms: row.get(11)?,
        ended_at_ms: row.get(12)?,
    })
}

#[cfg(test)]
mod tests;
