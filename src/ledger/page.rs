//! Reads pages of photos from the ledger, beside the daemon. Changes nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, ToSql};

use super::history::{PhotoState, photo_state};
use super::sqlite_ledger::{SqliteLedger, path};
use super::{LedgerError, outputs, schema};
use crate::fs::stamp::Stamp;

/// The most photos on a page.
pub const PAGE_MAX: u32 = 200;

/// The names of the ledger's columns, in the order that [`photo_row`] expects.
const COLUMNS: &str = "id, folder, source, state, len, mtime_ns, ino, model, reason, attempts, begun_at_ms, \
                       ended_at_ms";

/// Selects photos, newest first.
#[derive(Clone, Debug)]
pub struct PhotoQuery {
    /// Only photos of this hot folder.
    pub folder: Option<String>,
    /// Only photos in this state.
    pub state: Option<PhotoState>,
    /// Only photos with a lower `id`: the last `id` of the previous page.
    pub before: Option<i64>,
    /// The most photos to return, up to [`PAGE_MAX`].
    pub count: u32,
}

/// One version of one source. Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoRow {
    /// Greater than the id of every version that was begun earlier.
    pub id: i64,
    /// The name of the hot folder.
    pub folder: String,
    /// The path of the source below it.
    pub source: PathBuf,
    /// Its state.
    pub state: PhotoState,
    /// Its stamp. The inode is lost once the source was moved or deleted; the change time is not stored.
    pub stamp: Stamp,
    /// The paths of its outputs, placed or planned.
    pub outputs: Vec<PathBuf>,
    /// The model.
    pub model: String,
    /// The reason, if it is quarantined or ignored.
    pub reason: Option<String>,
    /// The number of attempts that count.
    pub attempts: u32,
    /// When the last attempt began.
    pub begun_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

impl SqliteLedger {
    /// Opens the ledger in `state_dir` read-only, beside a running daemon and on any thread. `None` if there is none, or if no
    /// daemon of this version has opened it yet. Leaves its schema unchanged.
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

    /// Returns a page of photos. The cost depends on the page, not on the length of the ledger.
    pub fn photos(&mut self, query: &PhotoQuery) -> Result<Vec<PhotoRow>, LedgerError> {
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

    /// Returns one photo, if there is such an `id`.
    pub fn photo(&mut self, id: i64) -> Result<Option<PhotoRow>, LedgerError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM versions WHERE id = ?"))?;
        let photo = statement.query_row([id], photo_row).optional()?;
        photo.map(|photo| self.with_outputs(photo)).transpose()
    }

    fn with_outputs(&self, photo: PhotoRow) -> Result<PhotoRow, LedgerError> {
        let outputs = outputs::paths(&self.connection, photo.id)?;
        Ok(PhotoRow { outputs, ..photo })
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
