//! Looks up in `SQLite` whether hotcut has moved or deleted photos of a subfolder. Changes nothing.

use std::path::Path;

use rusqlite::params;

use super::LedgerError;
use super::sqlite_ledger::{SqliteLedger, bytes};

impl SqliteLedger {
    /// Returns whether hotcut has moved or deleted a photo in or below `subfolder` of `folder` since the subfolder was created at
    /// `born_ms`, or ever if that time is unknown.
    pub fn has_emptied(
        &mut self,
        folder: &str,
        subfolder: &Path,
        born_ms: Option<i64>,
    ) -> Result<bool, LedgerError> {
        let begin = [bytes(subfolder), b"/"].concat();
        // `0` is the byte after the slash.
        let end = [bytes(subfolder), b"0"].concat();
        let mut query = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM versions
                WHERE folder = ?1 AND source >= ?2 AND source < ?3 AND ino = -id
                    AND ended_at_ms >= ?4)",
        )?;
        Ok(query.query_row(
            params![folder, begin, end, born_ms.unwrap_or(i64::MIN)],
            |row| row.get(0),
        )?)
    }
}
