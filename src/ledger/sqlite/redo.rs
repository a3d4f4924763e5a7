//! Records in `SQLite` what a user asks for. Starts no attempt.

use std::path::Path;

use rusqlite::{OptionalExtension as _, Row, params};

use super::sqlite_ledger::{SqliteLedger, bytes, key, path};
use crate::fs::stamp::Stamp;
use crate::ledger::attempts::Version;
use crate::ledger::error::LedgerError;
use crate::ledger::redo::{DonePhoto, RedoStore};

impl RedoStore for SqliteLedger {
    fn done(&mut self, folder: &str) -> Result<Vec<DonePhoto>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT folder, source, len, mtime_ns, ino, model FROM versions
             WHERE folder = ?1 AND state = 'done' AND NOT EXISTS (SELECT 1 FROM versions AS later
                WHERE later.folder = versions.folder AND later.source = versions.source AND later.turn > versions.turn)
             ORDER BY source",
        )?;
        let rows = query.query_map([folder], done_photo)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn redo(&mut self, version: &Version) -> Result<bool, LedgerError> {
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE versions SET state = 'waiting', attempts = 0, interruptions = 0, is_redo = 1
                 WHERE folder = ?1 AND source = ?2 AND len = ?3 AND mtime_ns = ?4 AND ino = ?5 AND state = 'done'",
            )?
            .execute(key(version))?;
        Ok(changed > 0)
    }

    fn is_redo(&mut self, version: &Version) -> Result<bool, LedgerError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT is_redo FROM versions
                 WHERE folder = ?1 AND source = ?2 AND len = ?3 AND mtime_ns = ?4 AND ino = ?5",
            )?
            .query_row(key(version), |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or(false))
    }

    fn retry(&mut self, folder: &str, source: &Path) -> Result<bool, LedgerError> {
        let update =
            "UPDATE versions SET state = 'waiting', attempts = 0, interruptions = 0, reason = NULL
            WHERE folder = ?1 AND source = ?2 AND state = 'quarantined' AND ino <> -id RETURNING id";
        let row = self
            .connection
            .query_row(update, params![folder, bytes(source)], |row| {
                row.get::<_, i64>(0)
            });
        Ok(row.optional()?.is_some())
    }
}

fn done_photo(row: &Row<'_>) -> rusqlite::Result<DonePhoto> {
    let ino: i64 = row.get(4)?;
    Ok(DonePhoto {
        version: Version {
            folder: row.get(0)?,
            source: path(row.get(1)?),
            stamp: Stamp {
                len: row.get::<_, i64>(2)?.cast_unsigned(),
                mtime_ns: row.get(3)?,
                ctime_ns: 0,
                ino: ino.cast_unsigned(),
            },
        },
        model: row.get(5)?,
    })
}
