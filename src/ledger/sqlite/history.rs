//! Reads the history of one source from `SQLite`. Changes nothing.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};

use super::outputs;
use super::sqlite_ledger::{SqliteLedger, bytes, path};
use crate::fs::stamp::Stamp;
use crate::ledger::error::LedgerError;
use crate::ledger::history::{FailedAttempt, HistoryStore, PhotoState, VersionHistory};

impl HistoryStore for SqliteLedger {
    fn history(&mut self, folder: &str, source: &Path) -> Result<Vec<VersionHistory>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, len, mtime_ns, ino, seen_at_ms, settled_at_ms, begun_at_ms, ended_at_ms, attempts, state, reason,
                model FROM versions WHERE folder = ?1 AND source = ?2 ORDER BY begun_at_ms, id",
        )?;
        let rows = query.query_map(params![folder, bytes(source)], |row| {
            let state: String = row.get(9)?;
            let version = VersionHistory {
                stamp: Stamp {
                    len: row.get::<_, i64>(1)?.cast_unsigned(),
                    mtime_ns: row.get(2)?,
                    ctime_ns: 0,
                    ino: row.get::<_, i64>(3)?.cast_unsigned(),
                },
                seen_at_ms: row.get(4)?,
                settled_at_ms: row.get(5)?,
                failures: Vec::new(),
                begun_at_ms: row.get(6)?,
                ended_at_ms: row.get(7)?,
                attempts: row.get(8)?,
                state: photo_state(&state),
                reason: row.get(10)?,
                outputs: Vec::new(),
                model: row.get(11)?,
            };
            Ok((row.get::<_, i64>(0)?, version))
        })?;
        let mut versions = Vec::new();
        for row in rows {
            let (id, mut version) = row?;
            version.failures = self.failures(id)?;
            version.outputs = outputs::paths(&self.connection, id)?;
            versions.push(version);
        }
        Ok(versions)
    }

    fn source_of(&mut self, output: &Path) -> Result<Option<(String, PathBuf)>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT folder, source FROM outputs JOIN versions ON versions.id = outputs.version
             WHERE path = ?1 ORDER BY begun_at_ms DESC LIMIT 1",
        )?;
        let row = query.query_row([bytes(output)], |row| Ok((row.get(0)?, path(row.get(1)?))));
        Ok(row.optional()?)
    }

    fn has_emptied(
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

impl SqliteLedger {
    fn failures(&self, version: i64) -> Result<Vec<FailedAttempt>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT begun_at_ms, ended_at_ms, is_counted, reason FROM failures
             WHERE version = ?1 ORDER BY id",
        )?;
        let rows = query.query_map([version], |row| {
            Ok(FailedAttempt {
                begun_at_ms: row.get(0)?,
                ended_at_ms: row.get(1)?,
                is_counted: row.get(2)?,
                reason: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The schema allows no other words.
pub(crate) fn photo_state(state: &str) -> PhotoState {
    match state {
        "running" => PhotoState::Running,
        "placed" => PhotoState::Placed,
        "done" => PhotoState::Done,
        "quarantined" => PhotoState::Quarantined,
        "ignored" => PhotoState::Ignored,
        "superseded" => PhotoState::Superseded,
        _ => PhotoState::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a state has different words in the ledger and on the page, or when it is read back as another one.
    #[test]
    fn each_state_has_one_word() {
        for state in [
            PhotoState::Running,
            PhotoState::Waiting,
            PhotoState::Placed,
            PhotoState::Done,
            PhotoState::Quarantined,
            PhotoState::Ignored,
            PhotoState::Superseded,
        ] {
            assert_eq!(photo_state(state.word()), state);
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{}\"", state.word()));
        }
    }
}
