//! Reads pages of photos from `SQLite`, beside the daemon. Changes nothing.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, ToSql};

use super::history::photo_state;
use super::sqlite_ledger::{SqliteLedger, path};
use super::{outputs, schema};
use crate::fs::stamp::Stamp;
use crate::ledger::error::LedgerError;
use crate::ledger::history::PhotoState;
use crate::ledger::page::{PAGE_MAX, PageStore, PhotoQuery, PhotoRow};
use crate::ledger::store::LedgerStore;

/// The names of the ledger's columns, in the order that [`photo_row`] expects.
const COLUMNS: &str = "id, folder, source, state, len, mtime_ns, ino, model, reason, attempts, begun_at_ms, \
                       ended_at_ms";

impl PageStore for SqliteLedger {
    fn photos(&mut self, query: &PhotoQuery) -> Result<Vec<PhotoRow>, LedgerError> {
        let mut statement = self.connection.prepare_cached(&sql(query))?;
        let (before, count) = (query.before.unwrap_or(i64::MAX), query.count.min(PAGE_MAX));
        let state = query.state.map(PhotoState::word);
        let mut values: Vec<&dyn ToSql> = vec![&before];
        values.extend(query.folder.iter().map(|folder| folder as &dyn ToSql));
        values.extend(state.iter().map(|state| state as &dyn ToSql));
        values.push(&count);
        let rows = statement.query_map(&values[..], photo_row)?;
        let photos: Vec<PhotoRow> = rows.collect::<Result<_, _>>()?;
        let photos = photos.into_iter();
        photos.map(|photo| self.with_outputs(photo)).collect()
    }

    fn photo(&mut self, id: i64) -> Result<Option<PhotoRow>, LedgerError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM versions WHERE id = ?"))?;
        let photo = statement.query_row([id], photo_row).optional()?;
        photo.map(|photo| self.with_outputs(photo)).transpose()
    }
}

impl SqliteLedger {
    fn with_outputs(&self, photo: PhotoRow) -> Result<PhotoRow, LedgerError> {
        let outputs = outputs::paths(&self.connection, photo.id)?;
        Ok(PhotoRow { outputs, ..photo })
    }
}

/// Opens the ledger in `state_dir` read-only, beside a running daemon and on any thread. `None` if there is none, or if no
/// daemon of this version has opened it yet. Leaves its schema unchanged.
pub fn open_reader(state_dir: &Path) -> Result<Option<Box<dyn LedgerStore>>, LedgerError> {
    let reader = read_only(state_dir)?;
    Ok(reader.map(|reader| Box::new(reader) as Box<dyn LedgerStore>))
}

fn read_only(state_dir: &Path) -> Result<Option<SqliteLedger>, LedgerError> {
    let path = state_dir.join("ledger.db");
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "query_only", true)?;
    if schema::is_current(&connection)? {
        SqliteLedger::identified(connection).map(Some)
    } else {
        Ok(None)
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
        outputs: Vec::new(),
        model: row.get(7)?,
        reason: row.get(8)?,
        attempts: row.get(9)?,
        begun_at_ms: row.get(10)?,
        ended_at_ms: row.get(11)?,
    })
}

#[cfg(test)]
mod tests;
