//! Reads from `SQLite` what `status` shows. Changes nothing.

use std::path::{Path, PathBuf};

use rusqlite::{Row, params};

use super::sqlite_ledger::{SqliteLedger, bytes, path};
use crate::ledger::attempts::now_ms;
use crate::ledger::error::LedgerError;
use crate::ledger::summary::{Counts, Quarantined, SummaryStore};

/// The time over which the rate of photos is measured, in milliseconds.
const RATE_SPAN_MS: i64 = 60_000;

impl SummaryStore for SqliteLedger {
    fn counts(&mut self, folder: &str) -> Result<Counts, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT
                (SELECT coalesce(sum(versions), 0) FROM counts WHERE folder = ?1 AND state IN ('placed', 'done')),
                (SELECT coalesce(sum(versions), 0) FROM counts WHERE folder = ?1 AND state IN ('waiting', 'running')),
                (SELECT coalesce(sum(versions), 0) FROM counts WHERE folder = ?1 AND state = 'quarantined'),
                max(coalesce((SELECT max(ended_at_ms) FROM versions WHERE folder = ?1 AND state = 'done'), -1),
                    coalesce((SELECT max(ended_at_ms) FROM versions WHERE folder = ?1 AND state = 'placed'), -1)),
                (SELECT count(*) FROM versions WHERE folder = ?1 AND state IN ('placed', 'done') AND ended_at_ms > ?2)",
        )?;
        let counts = query.query_row(params![folder, now_ms() - RATE_SPAN_MS], |row| {
            Ok(Counts {
                done: row.get(0)?,
                waiting: row.get(1)?,
                quarantined: row.get(2)?,
                last_done_ms: Some(row.get(3)?).filter(|ms| *ms >= 0),
                photos_per_minute: row.get(4)?,
            })
        });
        Ok(counts?)
    }

    fn quarantined(&mut self, folder: &str) -> Result<Vec<Quarantined>, LedgerError> {
        // Names its index; otherwise `SQLite` scans the whole folder to sort.
        let mut query = self.connection.prepare_cached(
            "SELECT source, coalesce(reason, ''), attempts, ino = -id FROM versions INDEXED BY versions_of_folder_and_state
             WHERE folder = ?1 AND state = 'quarantined' ORDER BY source",
        )?;
        let rows = query.query_map([folder], quarantined)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn newest_quarantined(
        &mut self,
        folder: &str,
        count: u32,
    ) -> Result<Vec<Quarantined>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT source, coalesce(reason, ''), attempts, ino = -id FROM versions INDEXED BY versions_of_folder_and_state
             WHERE folder = ?1 AND state = 'quarantined' ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = query.query_map(params![folder, count], quarantined)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn quarantined_after(
        &mut self,
        folder: &str,
        last: &Path,
        count: usize,
    ) -> Result<Vec<PathBuf>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT DISTINCT source FROM versions INDEXED BY versions_of_folder_and_state
             WHERE folder = ?1 AND state = 'quarantined' AND source > ?2 ORDER BY source LIMIT ?3",
        )?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = query.query_map(params![folder, bytes(last), count], |row| {
            Ok(path(row.get(0)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn quarantined(row: &Row<'_>) -> rusqlite::Result<Quarantined> {
    Ok(Quarantined {
        source: path(row.get(0)?),
        reason: row.get(1)?,
        attempts: row.get(2)?,
        is_moved: row.get(3)?,
    })
}
